package chart_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// oldest is the version of Kubernetes that Chart.yaml asks for. What its API takes, later ones take.
const oldest = "1.30"

// schemas are those of the kinds of objects, read when they are first asked for.
type schemas struct {
	t     *testing.T
	known map[string]*jsonschema.Schema
}

// validate returns what Kubernetes' API has against an object: unknown fields, wrong types, missing ones.
func (s *schemas) validate(object map[string]any) error {
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	key := apiVersion + " " + kind
	if s.known[key] == nil {
		s.known[key] = s.read(apiVersion, kind)
	}
	return s.known[key].Validate(object)
}

func (s *schemas) read(apiVersion, kind string) *jsonschema.Schema {
	s.t.Helper()
	document, pointer := s.builtIn(apiVersion, kind)
	if group, _, ok := strings.Cut(apiVersion, "/"); ok && strings.HasSuffix(group, ".k8s.elastic.co") {
		document, pointer = s.custom(group, kind), ""
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	must(s.t, compiler.AddResource("file:///schema.json", strict(document)))
	compiled, err := compiler.Compile("file:///schema.json#" + pointer)
	must(s.t, err)
	return compiled
}

// builtIn returns the OpenAPI document of a group and version, and where in it a kind is.
func (s *schemas) builtIn(apiVersion, kind string) (document map[string]any, pointer string) {
	s.t.Helper()
	if strings.Contains(apiVersion, ".elastic.co/") {
		return nil, ""
	}
	path := "api/" + apiVersion
	if strings.Contains(apiVersion, "/") {
		path = "apis/" + apiVersion
	}
	text, err := os.ReadFile(filepath.Join(module(s.t, "sigs.k8s.io/kubectl-validate"), "pkg/openapiclient/builtins", oldest, path+".json"))
	must(s.t, err)
	must(s.t, json.Unmarshal(text, &document))
	all, _ := document["components"].(map[string]any)["schemas"].(map[string]any)
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	for name, schema := range all {
		kinds, _ := schema.(map[string]any)["x-kubernetes-group-version-kind"].([]any)
		for _, k := range kinds {
			if of, _ := k.(map[string]any); of["group"] == group && of["version"] == version && of["kind"] == kind {
				return document, "/components/schemas/" + name
			}
		}
	}
	s.t.Fatalf("Kubernetes %s has no %s %s", oldest, apiVersion, kind)
	return nil, ""
}

// custom returns the schema of one of ECK's kinds.
func (s *schemas) custom(group, kind string) map[string]any {
	s.t.Helper()
	file := fmt.Sprintf("%s_%ses.yaml", group, strings.ToLower(kind))
	text, err := os.ReadFile(filepath.Join(module(s.t, "github.com/elastic/cloud-on-k8s/v3"), "config/crds/v1/resources", file))
	must(s.t, err)
	var definition struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct {
					Root map[string]any `json:"openAPIV3Schema"`
				}
			}
		}
	}
	must(s.t, yaml.Unmarshal(text, &definition))
	for _, version := range definition.Spec.Versions {
		if version.Name == "v1" {
			// What is an object's in general isn't in a custom resource's schema.
			properties, _ := version.Schema.Root["properties"].(map[string]any)
			properties["metadata"] = map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
			return version.Schema.Root
		}
	}
	s.t.Fatalf("ECK has no v1 of %s", kind)
	return nil
}

// strict has a schema refuse what it doesn't know, as the API server does for those who ask it to.
func strict(node any) any {
	switch node := node.(type) {
	case []any:
		for i := range node {
			node[i] = strict(node[i])
		}
	case map[string]any:
		_, hasProperties := node["properties"].(map[string]any)
		_, hasMore := node["additionalProperties"]
		open, _ := node["x-kubernetes-preserve-unknown-fields"].(bool)
		if hasProperties && !hasMore && !open {
			node["additionalProperties"] = false
		}
		if node["x-kubernetes-int-or-string"] == true {
			delete(node, "type")
		}
		// A pattern may be in a dialect that isn't JSON Schema's, and formats say nothing that isn't in the type.
		delete(node, "format")
		for name := range node {
			node[name] = strict(node[name])
		}
	}
	return node
}

// module is the folder of a module that go.mod names.
func module(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", path).Output()
	must(t, err)
	var answer struct{ Dir string }
	must(t, json.Unmarshal(out, &answer))
	return answer.Dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
