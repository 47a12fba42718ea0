// Package policies_test checks the schemas that editors check policy files by.
package policies_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"

	"sallyport/services/policy"
)

// schema loads a schema of this folder, with those that it refers to.
func schema(t *testing.T, name string) *jsonschema.Resolved {
	t.Helper()
	load := func(at *url.URL) (*jsonschema.Schema, error) {
		text, err := os.ReadFile(filepath.Base(at.Path))
		if err != nil {
			return nil, err
		}
		s := &jsonschema.Schema{}
		err = json.Unmarshal(text, s)
		return s, err
	}
	base := &url.URL{Scheme: "file", Path: "/policies/" + name}
	root, err := load(base)
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := root.Resolve(&jsonschema.ResolveOptions{BaseURI: base.String(), Loader: load, ValidateDefaults: true})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return resolved
}

// documents reads a file, in JSON or YAML. What follows "=== want" belongs to a test of the file.
func documents(t *testing.T, path string) []any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ = bytes.Cut(text, []byte("=== want\n"))
	var document any
	if json.Unmarshal(text, &document) == nil {
		return []any{document}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var list []any
	for {
		document = nil
		err = decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list = append(list, document)
	}
}

// check validates a document as JSON.
func check(t *testing.T, s *jsonschema.Resolved, document any) error {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	err = json.Unmarshal(text, &value)
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// files lists the files of some patterns, of which there must be some.
func files(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		t.Fatalf("there are no files %v", patterns)
	}
	return all
}

func TestGoodFilesAreValid(t *testing.T) {
	policies, cases := schema(t, "policy.schema.json"), schema(t, "cases.schema.json")
	good := files(t, "../../services/policyfile/testdata/good/*.yaml")
	good = append(good, files(t, "*.yaml")...)
	good = append(good, files(t, "../../services/policy/testdata/policy-cases.yaml")...)
	for _, path := range good {
		s, says := policies, "policy.schema.json"
		if strings.HasSuffix(path, "cases.yaml") {
			s, says = cases, "cases.schema.json"
		}
		for _, document := range documents(t, path) {
			err := check(t, s, document)
			if err != nil {
				t.Errorf("%s isn't valid: %v", path, err)
			}
		}
		if filepath.Dir(path) != "." {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(text), "# yaml-language-server: $schema="+says+"\n") {
			t.Errorf("%s doesn't name its schema, %s", path, says)
		}
	}
}

func TestBadFilesAreInvalid(t *testing.T) {
	schemas := map[bool]*jsonschema.Resolved{false: schema(t, "policy.schema.json"), true: schema(t, "cases.schema.json")}
	text, err := os.ReadFile("testdata/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var bad []struct {
		Why, At  string
		Cases    bool
		Document any
	}
	err = yaml.Unmarshal(text, &bad)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range bad {
		err := check(t, schemas[test.Cases], test.Document)
		if err == nil || !strings.Contains(err.Error(), test.At) {
			t.Errorf("%s: got %v, want an error about %s", test.Why, err, test.At)
		}
	}
}

func TestAsManyRulesAsThereMayBe(t *testing.T) {
	s := schema(t, "policy.schema.json")
	for _, more := range []int{0, 1} {
		rules := make([]any, policy.MaxRules+more)
		for i := range rules {
			rules[i] = map[string]any{"operation": fmt.Sprint("tool", i), "effect": "deny"}
		}
		err := check(t, s, map[string]any{"default": "deny", "rules": rules})
		if (err != nil) != (more > 0) {
			t.Errorf("%d rules: %v", len(rules), err)
		}
	}
}
