package authz_test

import (
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// another signs somebody in with a client, and returns their token.
func (g *gate) another(accountID, clientID, grantID string) string {
	g.t.Helper()
	ctx := g.t.Context()
	grant := state.Grant{ID: grantID, Rev: "1", AccountID: accountID, ClientID: clientID, ClientKey: "claude", ClientName: "Claude"}
	must(g.t, g.store.SaveUpstream(ctx, accountID, state.Upstream{Access: g.box.Seal(atlassian, state.AccessUse(accountID)), ExpiresAt: time.Now().Add(time.Hour)}))
	must(g.t, g.store.CreateGrant(ctx, grant, "code of "+grantID, state.Code{}))
	token := "token of " + grantID
	must(g.t, g.store.Issue(ctx, grant, state.Pair{Access: state.TokenHash(token), Family: "family of " + grantID, Refresh: "refresh"}))
	return token
}

// use posts a message with a session, or none for "".
func (g *gate) use(token, session, body string, headers ...string) *authv3.CheckResponse {
	g.t.Helper()
	headers = append(headers, "authorization", "Bearer "+token, "content-type", "application/json")
	if session != "" {
		headers = append(headers, "mcp-session-id", session)
	}
	return g.ask("POST", body, headers...)
}

const list = `{"jsonrpc":"2.0","id":5,"method":"tools/list"}`

func TestAttackSessionOfSomebodyElse(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	ana := g.another(account, "one", "ana-1")
	others := map[string]string{"another person": g.another("712020:bo", "one", "bo-1"), "another client of hers": g.another(account, "two", "ana-2")}
	wantAllowed(t, g.use(ana, "s-1", list), atlassian)
	g.records()
	for name, token := range others {
		for what, body := range map[string]string{
			"a request":      list,
			"initialize":     `{"jsonrpc":"2.0","id":5,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`,
			"a notification": `{"jsonrpc":"2.0","method":"notifications/cancelled"}`,
			"a response":     `{"jsonrpc":"2.0","id":5,"result":{}}`,
		} {
			r := g.use(token, "s-1", body)
			id := `"id":null`
			if what == "a request" || what == "initialize" {
				id = `"id":5`
			}
			wantAnswer(t, r, 404, id, "no MCP session of this id")
			if records := g.records(); len(records) != 1 || records[0].Sallyport.Refusal != "foreign_session" || records[0].Sallyport.Decision != activity.Blocked {
				t.Errorf("%s with %s: recorded as %+v", name, what, records)
			}
		}
		for _, method := range []string{"GET", "DELETE"} {
			wantAnswer(t, g.ask(method, "", "authorization", "Bearer "+token, "mcp-session-id", "s-1", "last-event-id", "3"), 404)
		}
		wantAllowed(t, g.use(token, "s-"+name, list), atlassian)
		g.records()
	}
	wantAllowed(t, g.use(ana, "s-1", list), atlassian)
}

func TestAttackTaskOfSomebodyElse(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	ana, bo := g.another(account, "one", "ana-1"), g.another("712020:bo", "one", "bo-1")
	const task = `{"jsonrpc":"2.0","id":5,"method":"tasks/result","params":{"taskId":"t-1"}}`
	const modern = `{"jsonrpc":"2.0","id":5,"method":"tasks/cancel","params":{"taskId":"t-1","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	wantAllowed(t, g.use(ana, "s-1", task), atlassian)
	wantAnswer(t, g.use(bo, "s-2", task), 404, `"id":5`, "no task of this id")
	wantAnswer(t, g.use(bo, "", `[`+list+`,`+task+`]`), 404, `"id":5`, "no task of this id")
	wantAnswer(t, g.use(bo, "", modern, "mcp-protocol-version", "2026-07-28", "mcp-method", "tasks/cancel", "mcp-name", "t-1"), 404, `"id":5`)
	wantAllowed(t, g.use(ana, "", modern, "mcp-protocol-version", "2026-07-28", "mcp-method", "tasks/cancel", "mcp-name", "t-1"), atlassian)
	refused := 0
	for _, r := range g.records() {
		if r.Sallyport.Refusal == "foreign_task" {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d refusals are recorded", refused)
	}
}

// TestSessionGoesOnAfterSigningInAgain shows that a session is the person's and the client's, not a
// grant's.
func TestSessionGoesOnAfterSigningInAgain(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	wantAllowed(t, g.use(g.another(account, "one", "ana-1"), "s-1", list), atlassian)
	_, err := g.store.EndPerson(t.Context(), account)
	must(t, err)
	wantAnswer(t, g.use("token of ana-1", "s-1", list), 401)
	wantAllowed(t, g.use(g.another(account, "one", "ana-2"), "s-1", list), atlassian)
}

// TestWhatAnAssistantSaysItIs shows that it is recorded with every call of the grant, and whether it is
// what registered.
func TestWhatAnAssistantSaysItIs(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	initialize := func(name, version string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"` + name + `","version":"` + version + `"}}}`
	}
	modern := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"claude-code","version":"2"}}}}`
	for _, step := range []struct {
		body, info string
		mismatch   bool
	}{
		{list, "", false},
		{initialize("claude-ai", "0.1.0"), "claude-ai 0.1.0", false},
		{list, "claude-ai 0.1.0", false},
		{initialize("cursor-vscode", "1.0"), "cursor-vscode 1.0", true},
		{list, "cursor-vscode 1.0", true},
		{initialize("Evil\\u202e\\n", "1"), "Evil 1", true},
		{modern, "claude-code 2", true},
		{initialize("claude-ai", ""), "claude-ai", false},
		{list, "claude-ai", false},
	} {
		headers := []string{"authorization", "Bearer " + accessToken, "content-type", "application/json"}
		if step.body == modern {
			headers = append(headers, "mcp-protocol-version", "2026-07-28", "mcp-method", "tools/list")
		}
		wantAllowed(t, g.ask("POST", step.body, headers...), atlassian)
		records := g.records()
		if client := records[0].Sallyport.Client; client.Info != step.info || client.Mismatch != step.mismatch {
			t.Errorf("after %s it is recorded as %q, mismatch %t", step.body, client.Info, client.Mismatch)
		}
		grant, err := g.store.Grant(t.Context(), "grant")
		must(t, err)
		if grant.ClientInfo != step.info || grant.ClientMismatch != step.mismatch {
			t.Errorf("the grant has %q, mismatch %t", grant.ClientInfo, grant.ClientMismatch)
		}
	}
}
