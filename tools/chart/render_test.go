package chart_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// release is what a chart is rendered to.
type release struct {
	// all are the objects as they are, notes what is said after an installation.
	all   []map[string]any
	notes string

	// Pods by the part they are of, and the rest by name.
	pods     map[string]corev1.PodTemplateSpec
	services map[string]corev1.Service
	policies map[string]networkingv1.NetworkPolicy
	budgets  map[string]policyv1.PodDisruptionBudget
	scalers  map[string]autoscalingv2.HorizontalPodAutoscaler
}

func load(t *testing.T) *chartv2.Chart {
	t.Helper()
	chart, err := loader.Load(filepath.Join(root, "deploy/helm/sallyport"))
	must(t, err)
	return chart
}

// render does what helm template does: it looks at the values, and fills in the templates.
func render(t *testing.T, values map[string]any) (*release, error) {
	t.Helper()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	chart := load(t)
	options := common.ReleaseOptions{Name: "sallyport", Namespace: "gates", IsInstall: true}
	filled, err := util.ToRenderValues(chart, values, options, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.RenderWithContext(t.Context(), chart, filled)
	if err != nil {
		return nil, err
	}
	r := &release{
		pods: map[string]corev1.PodTemplateSpec{}, services: map[string]corev1.Service{}, policies: map[string]networkingv1.NetworkPolicy{},
		budgets: map[string]policyv1.PodDisruptionBudget{}, scalers: map[string]autoscalingv2.HorizontalPodAutoscaler{},
	}
	for name, text := range files {
		if filepath.Base(name) == "NOTES.txt" {
			r.notes = text
			continue
		}
		for document := range strings.SplitSeq(text, "\n---\n") {
			r.add(t, name, document)
		}
	}
	slices.SortFunc(r.all, func(a, b map[string]any) int { return strings.Compare(title(a), title(b)) })
	return r, nil
}

// add takes one document of a file. A field that its kind doesn't have is an error.
func (r *release) add(t *testing.T, file, document string) {
	t.Helper()
	var object map[string]any
	err := yaml.UnmarshalStrict([]byte(document), &object)
	if err != nil {
		t.Fatalf("%s isn't YAML: %v\n%s", file, err, document)
	}
	if object == nil {
		return
	}
	r.all = append(r.all, object)
	read := func(into any) {
		err := yaml.UnmarshalStrict([]byte(document), into)
		if err != nil {
			t.Fatalf("%s: %v", title(object), err)
		}
	}
	switch object["kind"] {
	case "Deployment":
		var d appsv1.Deployment
		read(&d)
		r.pods[part(d.Spec.Template.Labels)] = d.Spec.Template
	case "StatefulSet":
		var s appsv1.StatefulSet
		read(&s)
		r.pods[part(s.Spec.Template.Labels)] = s.Spec.Template
	case "Service":
		var s corev1.Service
		read(&s)
		r.services[s.Name] = s
	case "NetworkPolicy":
		var n networkingv1.NetworkPolicy
		read(&n)
		r.policies[part(n.Spec.PodSelector.MatchLabels)] = n
	case "PodDisruptionBudget":
		var b policyv1.PodDisruptionBudget
		read(&b)
		r.budgets[part(b.Spec.Selector.MatchLabels)] = b
	case "HorizontalPodAutoscaler":
		var h autoscalingv2.HorizontalPodAutoscaler
		read(&h)
		r.scalers[h.Spec.ScaleTargetRef.Name] = h
	}
}

// part is what labels or a selector are of.
func part(labels map[string]string) string { return labels["app.kubernetes.io/component"] }

// title is an object's kind and name.
func title(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	kind, _ := object["kind"].(string)
	return kind + "/" + name
}

// testCase is a set of values, and what comes of it.
type testCase struct {
	Name   string
	Values map[string]any
	// Error is in what is said where the values can't work.
	Error string
	// Has and Lacks are texts of objects, by their kind and name; Lacks without a text are objects that aren't there.
	Has, Lacks map[string]string
}

func cases(t *testing.T) []testCase {
	t.Helper()
	text, err := os.ReadFile("testdata/cases.yaml")
	must(t, err)
	var file struct {
		// Common are values that all cases have, unless they say otherwise.
		Common map[string]any
		Cases  []testCase
	}
	must(t, yaml.UnmarshalStrict(text, &file))
	for i := range file.Cases {
		values := file.Cases[i].Values
		if values == nil {
			values = map[string]any{}
		}
		for name, value := range file.Common {
			if _, ok := values[name]; !ok {
				values[name] = value
			}
		}
		file.Cases[i].Values = values
	}
	return file.Cases
}
