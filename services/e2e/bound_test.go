package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// TestTaskOfAnotherPerson asks for a task that somebody else has asked for. Atlassian has no tasks: what
// it says to that is its own.
func TestTaskOfAnotherPerson(t *testing.T) {
	applyPolicy(t, blockDeletes)
	const redirect = "http://localhost:3118/callback"
	ana, bo := signIn(t, "ana@acme.test", "Claude Code", redirect).access, signIn(t, "bo@acme.test", "Claude Code", redirect).access
	get := func(token, method string) (int, string) {
		t.Helper()
		status, _, text := ask(t, token, "POST", modern(method, `"taskId":"bound-task-1"`), map[string]string{
			"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Mcp-Name": "bound-task-1",
		})
		return status, text
	}
	if _, text := get(ana, "tasks/get"); strings.Contains(text, "Sallyport") {
		t.Fatalf("her own task is refused: %s", text)
	}
	reached := atlassianSaw(t, "bound-task-1")
	if reached == 0 {
		t.Fatal("her request didn't reach Atlassian")
	}
	for _, method := range []string{"tasks/get", "tasks/update", "tasks/cancel"} {
		status, text := get(bo, method)
		if status != http.StatusNotFound || !strings.Contains(text, "no task of this id") {
			t.Errorf("%s by somebody else gives HTTP %d %s", method, status, text)
		}
	}
	if now := atlassianSaw(t, "bound-task-1"); now != reached {
		t.Errorf("%d of them reached Atlassian", now-reached)
	}
}

// TestBatches shows that 2025-03-26 has them, and that one blocked call blocks all of a batch.
func TestBatches(t *testing.T) {
	applyPolicy(t, blockDeletes)
	token := signIn(t, "bo@acme.test", "Claude Code", "http://localhost:3118/callback").access
	status, header, text := ask(t, token, "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"claude-code","version":"1"}}}`, nil)
	if status != http.StatusOK || !strings.Contains(text, `"2025-03-26"`) {
		t.Fatalf("initialize gives HTTP %d %s", status, text)
	}
	session := map[string]string{"Mcp-Session-Id": header.Get("Mcp-Session-Id")}
	const call = `{"jsonrpc":"2.0","id":"issue","method":"tools/call","params":{"name":"getJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1"}}}`
	const purge = `{"jsonrpc":"2.0","id":"purge","method":"tools/call","params":{"name":"deleteJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1","mark":"batches"}}}`
	status, _, text = ask(t, token, "POST", "["+ping+","+call+"]", session)
	if status != http.StatusOK || !strings.Contains(text, `"id":1`) || !strings.Contains(text, `"id":"issue"`) || !strings.Contains(text, "OPS-1") {
		t.Errorf("a batch gives HTTP %d %s", status, text)
	}
	status, _, text = ask(t, token, "POST", "["+call+","+purge+"]", session)
	var answers []struct {
		ID     string
		Result struct{ IsError bool }
	}
	err := json.Unmarshal([]byte(text), &answers)
	if err != nil || status != http.StatusOK || len(answers) != 2 || !answers[0].Result.IsError || !answers[1].Result.IsError || atlassianSaw(t, "batches") > 0 {
		t.Errorf("a batch with a delete gives HTTP %d %s", status, text)
	}
}

// TestResumption shows that Last-Event-ID reaches Atlassian with the session that it belongs to, and
// without it, or with another person's, doesn't.
func TestResumption(t *testing.T) {
	applyPolicy(t, blockDeletes)
	const redirect = "http://localhost:3118/callback"
	ana, bo := signIn(t, "ana@acme.test", "Claude Code", redirect).access, signIn(t, "bo@acme.test", "Claude Code", redirect).access
	session := begin(t, ana)
	resume := func(token, event string, headers map[string]string) int {
		t.Helper()
		all := map[string]string{"MCP-Protocol-Version": "2025-11-25", "Last-Event-ID": event}
		maps.Copy(all, headers)
		status, _, _ := ask(t, token, "GET", "", all)
		return status
	}
	own := map[string]string{"Mcp-Session-Id": session}
	status, _, text := ask(t, ana, "POST", ping, map[string]string{"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session})
	if status != http.StatusOK {
		t.Fatalf("ping gives HTTP %d %s", status, text)
	}
	resume(ana, "resumption-own_1", own)
	if atlassianSaw(t, "resumption-own_1") != 1 {
		t.Error("her resumption didn't reach Atlassian")
	}
	if status := resume(bo, "resumption-foreign_1", own); status != http.StatusNotFound {
		t.Errorf("somebody else's resumption gives HTTP %d", status)
	}
	if status := resume(ana, "resumption-without_1", nil); status != http.StatusBadRequest {
		t.Errorf("a resumption without a session gives HTTP %d", status)
	}
	if n := atlassianSaw(t, "resumption-foreign") + atlassianSaw(t, "resumption-without"); n > 0 {
		t.Errorf("%d of them reached Atlassian", n)
	}
}

// TestClientInfoThatDisagrees registers as one assistant and calls itself another.
func TestClientInfoThatDisagrees(t *testing.T) {
	applyPolicy(t, blockDeletes)
	token := signIn(t, "ana@acme.test", "Claude Code", "http://localhost:3118/callback").access
	status, header, text := ask(t, token, "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"cursor-vscode","version":"9.9"}}}`, nil)
	if status != http.StatusOK {
		t.Fatalf("initialize gives HTTP %d %s", status, text)
	}
	status, _, text = ask(t, token, "POST", marked("getJiraIssue", "claims-to-be-cursor"), map[string]string{"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": header.Get("Mcp-Session-Id")})
	if status != http.StatusOK {
		t.Fatalf("the call gives HTTP %d %s", status, text)
	}
	records := waitForRecords(t, "sallyport-activity-*", map[string]any{"match_phrase": map[string]any{"sallyport.arguments_text": "claims-to-be-cursor"}}, 1)
	if c := records[0].Sallyport.Client; c.Key != "claude-code" || c.Info != "cursor-vscode 9.9" || !c.Mismatch {
		t.Errorf("recorded as %+v", c)
	}
	if shown := cli(t, "log", "--query", "claims-to-be-cursor"); !strings.Contains(shown, "Claude Code, calls itself cursor-vscode 9.9") {
		t.Errorf("the log shows %s", shown)
	}
	ctx, conn := dialAdmin(t)
	list, err := adminv1.NewConnectionServiceClient(conn).ListConnections(ctx, &adminv1.ListConnectionsRequest{User: "ana@acme.test", Client: "claude-code"})
	if err != nil {
		t.Fatal(err)
	}
	if c := list.GetConnections()[0].GetClient(); c.GetInfo() != "cursor-vscode 9.9" || !c.GetMismatch() {
		t.Errorf("the connection is shown as %v", c)
	}
}
