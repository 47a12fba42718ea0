package policy_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"sallyport/services/operation"
	"sallyport/services/policy"
)

func TestExplain(t *testing.T) {
	text, err := os.ReadFile("testdata/explain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name             string
		Rules            []map[string]any
		Operation, Outer string
		GroupsUnknown    bool `yaml:"groups_unknown"`
		Nameless         bool
		Steps            []string
		DecidedBy        string `yaml:"decided_by"`
	}
	err = yaml.Unmarshal(text, &cases)
	if err != nil {
		t.Fatal(err)
	}
	ana := policy.Subject{AccountID: "a1", Email: "ana@acme.test", Groups: []policy.Group{{ID: "g1", Name: "developers"}}}
	claude := policy.Client{Key: "claude", Name: "Claude", Class: policy.Claimed}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			engine, who := compile(t, c.Rules), ana
			who.GroupsKnown = !c.GroupsUnknown
			if c.Nameless {
				who.AccountID, who.Email = "", ""
			}
			call := policy.Call{Operation: operation.Parse(c.Operation, ""), Outer: c.Outer}
			decision, steps := engine.Explain(claude, who, call)
			if want := engine.Decide(claude, who, call); decision != want {
				t.Errorf("explained %+v, decided %+v", decision, want)
			}
			var reasons []string
			for i, s := range steps {
				reasons = append(reasons, s.Reason)
				if s.Rule != i+1 || s.Decides != (s.Rule == decision.Rule) {
					t.Errorf("step %d is %+v, and rule %d decided", i+1, s, decision.Rule)
				}
			}
			if diff := cmp.Diff(c.Steps, reasons); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.DecidedBy, engine.DecidedBy(call)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
