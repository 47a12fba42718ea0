package server_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/server"
)

// listed returns what a list says of a tool now, and nil where it isn't there.
func listed(t *testing.T, s *server.Server, access, query, name string) *mcp.Tool {
	t.Helper()
	for tool, err := range connect(t, s.URL+oauth.V2+query, "", hasToken(access)).Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if tool.Name == name {
			return tool
		}
	}
	return nil
}

func putTool(t *testing.T, s *server.Server, name, body string) {
	t.Helper()
	if a := send(t, http.MethodPut, s.SwitchesURL+"/tools/"+name, json.RawMessage(body)); a.Status != http.StatusNoContent {
		t.Fatalf("setting the tool %s: %d %s", name, a.Status, a.Body)
	}
}

func TestToolsThatChange(t *testing.T) {
	s := start(t)
	_, token := signedIn(t, s, "ana@acme.test")
	before := listed(t, s, token.Access, "", "getJiraIssue")
	putTool(t, s, "getJiraIssue", `{"description":"Other words.","annotations":{"destructiveHint":true}}`)
	for _, query := range []string{"", "?tools=all"} {
		got := listed(t, s, token.Access, query, "getJiraIssue")
		if got.Description != "Other words." || !*got.Annotations.DestructiveHint || !got.Annotations.ReadOnlyHint || got.InputSchema == nil {
			t.Errorf("%s: getJiraIssue is now %+v", query, got)
		}
	}
	putTool(t, s, "deleteJiraIssue", `{"inputSchema":{"type":"object","required":["sure"]}}`)
	schema, _ := listed(t, s, token.Access, "?tools=all", "deleteJiraIssue").InputSchema.(map[string]any)
	if schema["required"] == nil || listed(t, s, token.Access, "", "deleteJiraIssue") != nil {
		t.Errorf("deleteJiraIssue has the schema %v, or came to be in another list", schema)
	}
	if a := send(t, http.MethodDelete, s.SwitchesURL+"/tools/createJiraIssue", nil); a.Status != http.StatusNoContent {
		t.Errorf("removing a tool: %d %s", a.Status, a.Body)
	}
	if listed(t, s, token.Access, "", "createJiraIssue") != nil {
		t.Error("a tool that was removed is still there")
	}

	send(t, http.MethodPost, s.SwitchesURL+"/reset", nil)
	if got := listed(t, s, token.Access, "", "getJiraIssue"); got.Description != before.Description || *got.Annotations.DestructiveHint {
		t.Errorf("after the reset getJiraIssue is %+v", got)
	}
	if listed(t, s, token.Access, "", "createJiraIssue") == nil {
		t.Error("after the reset createJiraIssue is missing")
	}
}

func TestToolsThatAppear(t *testing.T) {
	s := start(t)
	_, token := signedIn(t, s, "ana@acme.test")
	putTool(t, s, "purgeJiraProject", `{"title":"Purge","description":"Purge a project.","annotations":{"readOnlyHint":false}}`)
	session := connect(t, s.URL+oauth.V2+"?tools=all", "", hasToken(token.Access))
	if !slices.Contains(names(t, session), "purgeJiraProject") {
		t.Error("the tool isn't in the flat list")
	}
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "purgeJiraProject"})
	if err != nil || result.IsError || result.Content[0].(*mcp.TextContent).Text != "This is purgeJiraProject." {
		t.Errorf("calling it: %+v, %v", result, err)
	}
	send(t, http.MethodPost, s.SwitchesURL+"/reset", nil)
	if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "purgeJiraProject"}); err == nil {
		t.Error("it can be called after the reset")
	}
	if a := send(t, http.MethodDelete, s.SwitchesURL+"/tools/purgeJiraProject", nil); a.Status != http.StatusBadRequest {
		t.Errorf("removing it after the reset: %d %s", a.Status, a.Body)
	}
}

func TestToolsThatAreRefused(t *testing.T) {
	s := start(t)
	for body, says := range map[string]string{
		`{"says":"x"}`:                      "unknown field",
		`{"description":1}`:                 "the body must be",
		`{"inputSchema":{"type":"string"}}`: "inputSchema is",
		`{"inputSchema":true}`:              "inputSchema is",
		`{"inputSchema":{"type":"object","properties":{"a":{"type":"object","x-mcp-header":"a"}}}}`: "x-mcp-header",
	} {
		a := send(t, http.MethodPut, s.SwitchesURL+"/tools/getJiraIssue", json.RawMessage(body))
		if a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), says) {
			t.Errorf("%s: %d %s, want %q", body, a.Status, a.Body, says)
		}
	}
}
