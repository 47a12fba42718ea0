package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sallyport/services/policy"
	"sallyport/services/policyfile"
)

func TestCases(t *testing.T) { runFile(t, "testdata/policy-cases.yaml") }

func TestStartingPoints(t *testing.T) {
	const folder = "../../deploy/policies"
	shown := runFile(t, folder+"/cases.yaml")
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no policies to start from", err)
	}
	for _, path := range files {
		if filepath.Base(path) != "cases.yaml" && !slices.Contains(shown, path) {
			t.Errorf("no case shows what %s decides", path)
		}
	}
}

// runFile runs the suites of a file, and returns where their policies are.
func runFile(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	suites, err := policyfile.ReadCases(path, text, nil, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, suite := range suites {
		sources = append(sources, suite.Source)
		engine, err := policy.Compile(&suite.Policy)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range suite.Cases {
			t.Run(c.String(), func(t *testing.T) {
				if got := c.Run(engine); got != c.Want {
					t.Errorf("got %s; want %s", got, c.Want)
				}
			})
		}
	}
	return sources
}
