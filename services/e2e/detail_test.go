package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// detail is what `sallyport log show --json` prints of a record.
type detail struct {
	Record struct {
		record
		TraceID           string `json:"trace_id"`
		MCPSession        string `json:"mcp_session"`
		UpstreamTraceID   string `json:"upstream_trace_id"`
		UpstreamRequestID string `json:"upstream_request_id"`
	}
	Policy struct {
		Version string
		Rule    struct{ Note string }
		Missing string
	}
}

// showRecord shows a record once its outcome is there.
func showRecord(t *testing.T, id string) detail {
	t.Helper()
	var d detail
	eventually(t, 20*time.Second, func() error {
		out, code := try(t, "log", "show", id, "--json")
		if code != 0 {
			return fmt.Errorf("exit code %d: %s", code, out)
		}
		err := json.Unmarshal([]byte(out), &d)
		if err == nil && d.Record.Outcome.StatusCode == 0 {
			err = fmt.Errorf("no outcome yet: %s", out)
		}
		return err
	})
	return d
}

// TestTracesOfBothSides shows that a call is found in the logs of the assistant, of Sallyport and of Atlassian.
func TestTracesOfBothSides(t *testing.T) {
	applyPolicy(t, allowAll)
	token := connect(t, "ana@acme.test", "Claude Code (traces)").token(t)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	response := post(t, token, []byte(marked("getJiraIssue", "traced")), map[string]string{"traceparent": "00-" + trace + "-b7ad6b7169203331-01"})
	id := response.Header.Get("X-Request-Id")
	d := showRecord(t, id)
	if d.Record.TraceID != trace {
		t.Errorf("the assistant's trace id is recorded as %q", d.Record.TraceID)
	}
	if theirs := response.Header.Get("Atl-Traceid"); theirs == "" || d.Record.UpstreamTraceID != theirs || d.Record.UpstreamRequestID != response.Header.Get("Atl-Request-Id") {
		t.Errorf("Atlassian calls it %q, and the record says %q and %q", theirs, d.Record.UpstreamTraceID, d.Record.UpstreamRequestID)
	}
	for _, call := range atlassianCalls(t) {
		if !strings.Contains(string(call), `traced`) {
			continue
		}
		// The stack of these tests is traced, so that the span that Atlassian is told of is Envoy's.
		for _, given := range []string{"00-" + trace + "-", id} {
			if !strings.Contains(string(call), given) {
				t.Errorf("%s didn't reach Atlassian: %s", given, call)
			}
		}
	}
}

// TestCallsOfASessionAreFoundTogether begins a session of MCP, which no rule governs, and calls a tool in it:
// both records have the same session, and the call is found by it.
func TestCallsOfASessionAreFoundTogether(t *testing.T) {
	applyPolicy(t, allowAll)
	token := connect(t, "ana@acme.test", "Claude Code (together)").token(t)
	begun := post(t, token, []byte(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`), nil)
	session := begun.Header.Get("Mcp-Session-Id")
	if session == "" {
		t.Fatal("Atlassian began no session")
	}
	called := post(t, token, []byte(marked("getJiraIssue", "together")), map[string]string{"Mcp-Session-Id": session, "Mcp-Protocol-Version": "2025-06-18"})
	first, second := showRecord(t, begun.Header.Get("X-Request-Id")).Record, showRecord(t, called.Header.Get("X-Request-Id")).Record
	if second.MCPSession == "" || first.MCPSession != second.MCPSession || first.MCPSession == session {
		t.Errorf("initialize is of session %q, and the call of %q", first.MCPSession, second.MCPSession)
	}
	together, err := readLog("--session", second.MCPSession)
	if err != nil || len(together) != 1 || together[0].ID != second.ID {
		t.Errorf("of the session are %v, %v", together, err)
	}
}

// TestLogShow shows a blocked call with the rule as it was, after the policy has changed.
func TestLogShow(t *testing.T) {
	applyPolicy(t, blockDeletes)
	began := time.Now()
	claude := connect(t, "ana@acme.test", "Claude Code (show)")
	claude.call(t, "deleteJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": "OPS-1"})
	claude.call(t, "getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": "OPS-1"})
	records := waitForLog(t, claude, began, 2)
	applyPolicy(t, allowAll)
	blocked := records[1]
	d := showRecord(t, blocked.ID)
	if d.Policy.Version != blocked.Decision.PolicyVersion || d.Policy.Rule.Note == "" || d.Policy.Rule.Note != blocked.Decision.RuleNote || d.Policy.Missing != "" {
		t.Errorf("the rule is shown as %+v, and decided as %+v", d.Policy, blocked.Decision)
	}
	expect(t, 0, []string{"ana@acme.test", "deleteJiraIssue", "blocked, rule 1", "operation delete*, deny", "none of it at Atlassian", `"issueIdOrKey": "OPS-1"`}, "log", "show", blocked.ID)
	if allowed := expect(t, 0, []string{"of it at Atlassian", "here and with the assistant", "atl-traceid "}, "log", "show", records[0].ID); strings.Contains(allowed, "none of it") {
		t.Errorf("Atlassian's part isn't shown:\n%s", allowed)
	}
	expect(t, 0, []string{`"rovo_mcp_tool_denied"`, `"issueKey":"OPS-1"`}, "log", "show", blocked.ID, "--format", "atlassian")
	expect(t, 0, []string{`"created":"`, `"typeName":"ISSUE"`}, "log", "show", blocked.ID, "--format", "jira")
	expect(t, 1, []string{"isn't of a call of a confluence tool"}, "log", "show", blocked.ID, "--format", "confluence")
	expect(t, 1, []string{"No record has the id", "x-request-id"}, "log", "show", "nothing")
}

// TestLogExport exports what was done in each format, and finds who did in the log.
func TestLogExport(t *testing.T) {
	applyPolicy(t, blockDeletes)
	began := time.Now()
	claude := connect(t, "ana@acme.test", "Claude Code (export)")
	for range 3 {
		claude.call(t, "getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": "OPS-1"})
	}
	waitForLog(t, claude, began, 3)
	since := began.UTC().Format(time.RFC3339Nano)
	logged, err := cliCommand("log", "--json", "--since", since, "--user", "ana@acme.test").Output()
	if err != nil {
		t.Fatal(err)
	}
	exported, err := cliCommand("log", "export", "--since", since, "--user", "ana@acme.test").Output()
	if err != nil || string(exported) != string(logged) {
		t.Errorf("exported is %s, %v, and logged\n%s", exported, err, logged)
	}
	path := filepath.Join(t.TempDir(), "log.csv")
	cli(t, "log", "export", "--format", "csv", "--since", since, "--user", "ana@acme.test", "--output", path)
	table, err := os.ReadFile(path)
	if err != nil || strings.Count(string(table), "getJiraIssue") != 3 || !strings.HasPrefix(string(table), "time,id,") {
		t.Errorf("as a table: %s, %v", table, err)
	}
	events, err := cliCommand("log", "export", "--format", "atlassian", "--since", since, "--user", "ana@acme.test").Output()
	if err != nil || strings.Count(string(events), `"action":"rovo_mcp_tool_called"`) != 3 {
		t.Errorf("as events: %s, %v", events, err)
	}
	eventually(t, time.Minute, func() error {
		out, _ := try(t, "log", "--administrative", "--operation", "activity.export", "--since", "5m")
		if !strings.Contains(out, "atlassian_events") || !strings.Contains(out, "csv") {
			return fmt.Errorf("no record of it in\n%s", out)
		}
		return nil
	})
	expect(t, 2, []string{"leave them out with --administrative"}, "log", "export", "--administrative", "--client", "claude")
}
