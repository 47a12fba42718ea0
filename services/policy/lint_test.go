package policy_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"sallyport/services/operation"
	"sallyport/services/policy"
)

// finding is what a case says of a finding.
type finding struct {
	Kind, Field string
	Rule        int
	Near        []string
}

func TestLint(t *testing.T) {
	text, err := os.ReadFile("testdata/lint.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Operations []string
		Groups     []policy.Group
		Cases      []struct {
			Name  string
			Rules []map[string]any
			Want  []finding
		}
	}
	err = yaml.Unmarshal(text, &file)
	if err != nil {
		t.Fatal(err)
	}
	known := policy.Known{Groups: file.Groups, Operations: calls(file.Operations...)}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			var got []finding
			for _, f := range compile(t, c.Rules).Lint(known) {
				got = append(got, finding{string(f.Kind), f.Field, f.Rule, f.Near})
				if !strings.HasSuffix(f.Sentence, ".") || len(f.Sentence) < 40 {
					t.Errorf("%q isn't a sentence that says what to do", f.Sentence)
				}
				t.Log(f.Sentence)
			}
			if diff := cmp.Diff(c.Want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLintOfWhatIsNotKnown shows that nothing is said of operations and groups that can't be told.
func TestLintOfWhatIsNotKnown(t *testing.T) {
	engine := compile(t, []map[string]any{{"operation": "frobnicate", "who": "group:nobody", "effect": "deny"}})
	if findings := engine.Lint(policy.Known{}); len(findings) > 0 {
		t.Errorf("got %v", findings)
	}
}

func compile(t *testing.T, rules []map[string]any) *policy.Engine {
	t.Helper()
	document, err := json.Marshal(map[string]any{"default": "allow", "rules": rules})
	if err != nil {
		t.Fatal(err)
	}
	var p policy.Policy
	err = json.Unmarshal(document, &p)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := policy.Compile(&p)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func calls(names ...string) []policy.Call {
	var list []policy.Call
	for _, name := range names {
		list = append(list, policy.Call{Operation: operation.Parse(name, "")})
	}
	return list
}
