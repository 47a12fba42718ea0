package policyfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/policy"
	"sallyport/services/policyfile"
)

// TestBadCasesAreRefused reads files of testdata/cases, each with what is wrong with it below
// "=== want".
func TestBadCasesAreRefused(t *testing.T) {
	for _, test := range policyCases(t, "cases") {
		t.Run(test.name, func(t *testing.T) {
			_, err := policyfile.ReadCases("dir/x.yaml", []byte(test.text), nil, os.ReadFile)
			if err == nil {
				t.Fatal("it was taken")
			}
			if diff := cmp.Diff(test.want, err.Error()+"\n"); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const someCases = `
policy:
  default: deny
  rules:
    - {operation: "read*", effect: allow}
    - {operation: "jira *", who: "group:makers", client: chatgpt, verified: true, effect: allow}
    - {operation: "jira *", who: "user:bo@acme.test", effect: allow, mode: monitor}
tests:
  - {operation: getJiraIssue, want: allowed, rule: 1}
  - {operation: fetch, arguments: {id: "ari:cloud:jira:1:issue/2"}, want: allowed, rule: 1}
  - {operation: editJiraIssue, user: {groups: [Makers]}, client: {key: chatgpt, class: verified}, want: allowed, rule: 2}
  - {operation: editJiraIssue, user: {groups: [makers], groups_known: false}, client: {key: chatgpt, class: verified}, want: blocked}
  - {operation: editJiraIssue, user: {groups: [makers]}, client: {key: chatgpt}, want: blocked}
  - {operation: editJiraIssue, user: {email: Bo@acme.test, groups: []}, want: blocked, monitor: 3}
  - {message: {method: notifications/initialized}, want: ungoverned}
  - {message: {method: ping, id: abc}, want: ungoverned}
  - {name: no message at all, message: {}, want: blocked}
  - {name: nothing inside, message: {method: tools/call, params: {name: execute, arguments: {}}}, want: blocked}
`

func TestRun(t *testing.T) {
	suites, err := policyfile.ReadCases("x.yaml", []byte(someCases), nil, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := policy.Compile(&suites[0].Policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range suites[0].Cases {
		if got := c.Run(engine); got != c.Want {
			t.Errorf("%s: got %s, want %s", c, got, c.Want)
		}
	}
	if got := (policyfile.Answer{Outcome: policyfile.Blocked, Rule: 2, Monitor: 1}).String(); got != "blocked by rule 2, rule 1 monitoring" {
		t.Errorf("an answer is %q", got)
	}
}

// TestPolicyOfASuite shows the three places that it can be in.
func TestPolicyOfASuite(t *testing.T) {
	dir := t.TempDir()
	err := os.WriteFile(filepath.Join(dir, "closed.yaml"), []byte("default: deny\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	fallback, err := policyfile.Read("fallback.yaml", []byte("default: allow\n"))
	if err != nil {
		t.Fatal(err)
	}
	const tests = "tests: [{operation: x, want: blocked}]\n"
	text := "policy: {default: deny}\n" + tests + "---\nfile: closed.yaml\n" + tests + "---\n" + tests
	name := filepath.Join(dir, "cases.yaml")
	suites, err := policyfile.ReadCases(name, []byte(text), fallback, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, suite := range suites {
		got = append(got, filepath.Base(suite.Source)+" "+string(suite.Policy.Default))
	}
	if diff := cmp.Diff([]string{"cases.yaml deny", "closed.yaml deny", "fallback.yaml allow"}, got); diff != "" {
		t.Error(diff)
	}
	_, err = policyfile.ReadCases(name, []byte("file: gone.yaml\n"+tests), nil, os.ReadFile)
	if err == nil || !strings.HasPrefix(err.Error(), name+":1:7: The policy can't be read") {
		t.Errorf("a file that isn't there: %v", err)
	}
}

// FuzzReadCases: any file is read or refused with a reason, and cases that were read can be run.
func FuzzReadCases(f *testing.F) {
	f.Add([]byte(someCases))
	for _, seed := range policyCases(f, "cases") {
		f.Add([]byte(seed.text))
	}
	open := func(string) ([]byte, error) { return nil, os.ErrNotExist }
	f.Fuzz(func(t *testing.T, text []byte) {
		suites, err := policyfile.ReadCases("x.yaml", text, nil, open)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		for _, suite := range suites {
			engine, err := policy.Compile(&suite.Policy)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range suite.Cases {
				_ = c.Run(engine)
			}
		}
	})
}
