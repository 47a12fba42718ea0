package e2e_test

import (
	"testing"
	"time"
)

// TestAToolsOwnErrorIsToldFromSuccess shows that the log says which calls Atlassian took and refused.
func TestAToolsOwnErrorIsToldFromSuccess(t *testing.T) {
	applyPolicy(t, allowAll)
	claude := connect(t, "ana@acme.test", "Claude Code (outcome)")
	began := time.Now()
	for key, want := range map[string]bool{"OPS-1": false, "OPS-99999": true} {
		text, isError := claude.call(t, "getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": key})
		if isError != want {
			t.Fatalf("%s gave %v %s", key, isError, text)
		}
	}
	for _, r := range waitForLog(t, claude, began, 2) {
		want := map[any]string{"OPS-1": "ok", "OPS-99999": "tool_error"}[r.Arguments["issueIdOrKey"]]
		if r.Outcome.Result != want || r.Outcome.StatusCode != 200 {
			t.Errorf("the call of %v reads %+v, want %s", r.Arguments, r.Outcome, want)
		}
	}
}
