package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"sallyport/services/mcp"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

// suite is one document of a case file (the rule language, section 7).
type suite struct {
	Policy suitePolicy `yaml:"policy"`
	// File is the policy of deploy/policies that a suite is about instead.
	File  string `yaml:"file"`
	Tests []struct {
		Name      string         `yaml:"name"`
		Operation string         `yaml:"operation"`
		Arguments map[string]any `yaml:"arguments"`
		Message   map[string]any `yaml:"message"`
		Client    struct{ Key, Name, Class string }
		User      struct {
			ID, Email   string
			Groups      []string `yaml:"groups"`
			GroupsKnown *bool    `yaml:"groups_known"`
		}
		Want    string `yaml:"want"`
		Rule    int    `yaml:"rule"`
		Monitor int    `yaml:"monitor"`
	}
}

type suitePolicy struct {
	Default string           `yaml:"default"`
	Rules   []map[string]any `yaml:"rules"`
}

func TestCases(t *testing.T) { runFile(t, "testdata/policy-cases.yaml") }

func TestStartingPoints(t *testing.T) {
	shown := runFile(t, "testdata/starting-points.yaml")
	files, err := filepath.Glob("../../deploy/policies/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no policies to start from", err)
	}
	for _, path := range files {
		if !slices.Contains(shown, filepath.Base(path)) {
			t.Errorf("no case shows what %s decides", path)
		}
	}
}

// runFile runs the suites of a file, and returns the policies of deploy/policies that they are about.
func runFile(t *testing.T, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var shown []string
	decoder := yaml.NewDecoder(file)
	for number := 1; ; number++ {
		var s suite
		err = decoder.Decode(&s)
		if errors.Is(err, io.EOF) {
			return shown
		}
		if err != nil {
			t.Fatal(err)
		}
		if s.File != "" {
			s.Policy = startingPoint(t, s.File)
			shown = append(shown, s.File)
		}
		runSuite(t, number, s)
	}
}

func startingPoint(t *testing.T, file string) suitePolicy {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deploy/policies", file))
	if err != nil {
		t.Fatal(err)
	}
	var p suitePolicy
	err = yaml.Unmarshal(text, &p)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func runSuite(t *testing.T, number int, s suite) {
	document, err := json.Marshal(map[string]any{"default": s.Policy.Default, "rules": s.Policy.Rules})
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
	for i, test := range s.Tests {
		name := fmt.Sprintf("%d.%d %s%s", number, i+1, test.Name, test.Operation)
		t.Run(name, func(t *testing.T) {
			message := test.Message
			if message == nil {
				message = map[string]any{"method": "tools/call", "params": map[string]any{"name": test.Operation, "arguments": test.Arguments}}
			}
			client := policy.Client{Key: "claude", Name: "Claude", Class: policy.Verified}
			if test.Client.Key != "" {
				client = policy.Client{Key: test.Client.Key, Name: test.Client.Name, Class: policy.Class(test.Client.Class)}
			}
			who := policy.Subject{AccountID: test.User.ID, Email: "ana@acme.test", GroupsKnown: true, Groups: []policy.Group{{ID: "g1", Name: "developers"}}}
			if test.User.Email != "" {
				who.Email = test.User.Email
			}
			if test.User.Groups != nil {
				who.Groups = nil
				for _, g := range test.User.Groups {
					who.Groups = append(who.Groups, policy.Group{ID: "id of " + g, Name: g})
				}
			}
			if test.User.GroupsKnown != nil {
				who.GroupsKnown = *test.User.GroupsKnown
			}
			got, decision := decide(t, engine, client, who, message)
			if got != test.Want || decision.Rule != test.Rule || decision.MonitorRule != test.Monitor {
				t.Errorf("got %s by rule %d, monitor %d; want %s by rule %d, monitor %d",
					got, decision.Rule, decision.MonitorRule, test.Want, test.Rule, test.Monitor)
			}
		})
	}
}

func decide(t *testing.T, engine *policy.Engine, c policy.Client, s policy.Subject, message map[string]any) (string, policy.Decision) {
	t.Helper()
	message["jsonrpc"], message["id"] = "2.0", 1
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := mcp.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	m := parsed.Messages[0]
	if !m.Governed() {
		return "ungoverned", policy.Decision{}
	}
	name, outer, ok := m.Operation()
	if !ok {
		return "blocked", policy.Decision{}
	}
	decision := engine.Decide(c, s, policy.Call{Operation: operation.Parse(name, m.FetchID), Outer: outer})
	if decision.Allowed {
		return "allowed", decision
	}
	return "blocked", decision
}
