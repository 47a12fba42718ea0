//go:build schemas

package chart

// Nothing of these is compiled. They are modules of which the tests read files, pinned and summed by go.mod:
// the schemas of Kubernetes' API of several versions, and ECK's custom resources.
import (
	_ "github.com/elastic/cloud-on-k8s/v3/pkg/apis/elasticsearch/v1"
	_ "sigs.k8s.io/kubectl-validate/pkg/openapiclient"
)
