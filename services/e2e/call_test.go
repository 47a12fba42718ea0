package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const blockDeletes = `
default: allow
rules:
  - {operation: "delete*", effect: deny, note: AI may never delete anything}
`

const allowAll = "default: allow\n"

// TestOneWholeCall is the story of the first ten minutes: sign in, search, a delete that is
// refused in words, a changed policy that binds the very next call, and all of it in the log.
func TestOneWholeCall(t *testing.T) {
	applyPolicy(t, blockDeletes)
	claude := connect(t, "ana@acme.test", "Claude Code (e2e)")
	began := time.Now()

	text, isError := claude.call(t, "searchJiraIssuesUsingJql", map[string]any{"cloudId": "acme.atlassian.net", "jql": "project = OPS ORDER BY created DESC"})
	if isError || !strings.Contains(text, "OPS-") {
		t.Fatalf("searching gave %v %s", isError, text)
	}

	text, isError = claude.call(t, "createJiraIssue", map[string]any{
		"cloudId": "acme.atlassian.net", "projectKey": "OPS", "issueType": "Task", "summary": "Made by the whole-call test"})
	if isError {
		t.Fatalf("creating gave %s", text)
	}
	key := issueKey(t, text)

	remove := map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": key}
	wrapped := map[string]any{"name": "deleteJiraIssue", "cloudId": "acme.atlassian.net", "inputs": map[string]any{"issueIdOrKey": key}}
	for tool, arguments := range map[string]map[string]any{"deleteJiraIssue": remove, "executeDestructive": wrapped} {
		text, isError = claude.call(t, tool, arguments)
		if !isError || !strings.Contains(text, "deleteJiraIssue") || !strings.Contains(text, "ule 1") || !strings.Contains(text, "AI may never delete anything") {
			t.Errorf("%s was to be blocked in words that name the rule, got %v %q", tool, isError, text)
		}
	}
	if reached := atlassianSaw(t, "deleteJiraIssue"); reached > 0 {
		t.Fatalf("%d blocked calls reached Atlassian", reached)
	}

	applyPolicy(t, allowAll)
	text, isError = claude.call(t, "deleteJiraIssue", remove)
	if isError {
		t.Fatalf("the very next call after the policy was changed gave %s", text)
	}

	records := waitForLog(t, claude, began, 5)
	for _, want := range []struct{ operation, outer, effect string }{
		{"searchJiraIssuesUsingJql", "", "allowed"},
		{"createJiraIssue", "", "allowed"},
		{"deleteJiraIssue", "", "blocked"},
		{"deleteJiraIssue", "executeDestructive", "blocked"},
		{"deleteJiraIssue", "", "allowed"},
	} {
		if !hasRecord(records, want.operation, want.outer, want.effect) {
			t.Errorf("no record of %s %s %s in the log", want.effect, want.operation, want.outer)
		}
	}
	for _, r := range records {
		checkRecord(t, r)
	}
}

// TestAnswerKinds shows that each kind of blocked message is answered in the form MCP has for it.
func TestAnswerKinds(t *testing.T) {
	applyPolicy(t, "default: deny\nrules:\n  - {operation: getJiraIssue, effect: allow}\n")
	claude := connect(t, "bo@acme.test", "Claude")
	tools, err := claude.ListTools(t.Context(), nil)
	if err != nil || len(tools.Tools) == 0 {
		t.Fatalf("listing tools is not governed, got %v", err)
	}
	text, isError := claude.call(t, "getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": "OPS-1"})
	if isError {
		t.Errorf("getJiraIssue: %s", text)
	}
	text, isError = claude.call(t, "searchConfluence", map[string]any{"cloudId": "acme.atlassian.net", "cql": "type = page"})
	if !isError || !strings.Contains(text, "searchConfluence") {
		t.Errorf("the default was to block searchConfluence in words, got %v %q", isError, text)
	}
	applyPolicy(t, blockDeletes)
}

// record is a row of the log as `sallyport log --json` prints it.
type record struct {
	ID        string         `json:"id"`
	Time      time.Time      `json:"time"`
	User      map[string]any `json:"user"`
	Client    map[string]any `json:"client"`
	Operation struct {
		Name  string `json:"name"`
		Outer string `json:"outer"`
	} `json:"operation"`
	Decision struct {
		Effect        string `json:"effect"`
		RuleNumber    int    `json:"rule_number"`
		RuleNote      string `json:"rule_note"`
		PolicyVersion string `json:"policy_version"`
	} `json:"decision"`
	Outcome struct {
		Result        string `json:"result"`
		StatusCode    int    `json:"status_code"`
		ResponseBytes string `json:"response_bytes"`
		Duration      string `json:"duration"`
	} `json:"outcome"`
	Arguments map[string]any `json:"arguments"`
}

// readLog returns what `sallyport log` shows now, newest first.
func readLog(flags ...string) ([]record, error) {
	out, err := cliCommand(append([]string{"log", "--json"}, flags...)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	var records []record
	for line := range strings.Lines(string(out)) {
		var r record
		err = json.Unmarshal([]byte(line), &r)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// waitForLog returns the person's records since a time, once there are as many as wanted with
// their outcomes.
func waitForLog(t *testing.T, a *assistant, since time.Time, want int) []record {
	t.Helper()
	var records []record
	eventually(t, 20*time.Second, func() error {
		var err error
		records, err = readLog("--user", a.person.email, "--since", since.UTC().Format(time.RFC3339Nano))
		if err != nil {
			return err
		}
		for _, r := range records {
			if r.Outcome.StatusCode == 0 {
				return fmt.Errorf("the record of %s has no outcome yet", r.Operation.Name)
			}
		}
		if len(records) < want {
			return fmt.Errorf("%d of %d records are in the log", len(records), want)
		}
		return nil
	})
	return records
}

func hasRecord(records []record, operation, outer, effect string) bool {
	for _, r := range records {
		if r.Operation.Name == operation && r.Operation.Outer == outer && r.Decision.Effect == effect {
			return true
		}
	}
	return false
}

// checkRecord checks that a record answers who did what with what, by which rule, and what came of it.
func checkRecord(t *testing.T, r record) {
	t.Helper()
	if r.User["email"] != "ana@acme.test" || r.Client["key"] != "claude-code" || len(r.Arguments) == 0 || r.Decision.PolicyVersion == "" {
		t.Errorf("incomplete record %+v", r)
	}
	if r.Outcome.StatusCode != 200 || r.Outcome.ResponseBytes == "" || r.Outcome.Duration == "" {
		t.Errorf("incomplete outcome %+v", r)
	}
	if r.Decision.Effect == "blocked" && (r.Decision.RuleNumber != 1 || r.Decision.RuleNote == "") {
		t.Errorf("a blocked record without its rule: %+v", r)
	}
}

func issueKey(t *testing.T, text string) string {
	t.Helper()
	var created struct {
		Key  string
		Data struct{ Key string }
	}
	err := json.Unmarshal([]byte(text), &created)
	if err != nil || created.Key+created.Data.Key == "" {
		t.Fatalf("no issue key in %q: %v", text, err)
	}
	return created.Key + created.Data.Key
}

// TestAllToolsByName shows that assistants are offered the site's tools by their own names, those
// that the execute family hides among them, whatever they ask for.
func TestAllToolsByName(t *testing.T) {
	applyPolicy(t, blockDeletes)
	claude := connect(t, "ana@acme.test", "Claude Code (e2e)")
	offered := map[string]bool{}
	for tool, err := range claude.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		offered[tool.Name] = true
	}
	if !offered["deleteJiraIssue"] || !offered["watchJiraIssue"] {
		t.Errorf("%d tools are offered, and not all by name", len(offered))
	}
}
