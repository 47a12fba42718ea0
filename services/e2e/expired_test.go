package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestAtlassianEndsATokenEarly shows that an assistant whose person's Atlassian token has ended before
// its time is told to sign in again by Sallyport, not at Atlassian, and works again when it has.
func TestAtlassianEndsATokenEarly(t *testing.T) {
	applyPolicy(t, allowAll)
	token := connect(t, "cy@acme.test", "Cursor").token(t)
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"WEB-1"}}}`
	response := post(t, token, []byte(call), nil)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("before the token's end the answer is %d", response.StatusCode)
	}

	err := switchAtlassian(http.MethodPatch, "/", `{"expire_tokens":true}`)
	if err != nil {
		t.Fatal(err)
	}

	response = post(t, token, []byte(call), nil)
	challenge := response.Header.Values("WWW-Authenticate")
	base := strings.TrimSuffix(sallyport.MCPURL, "/mcp")
	want := `Bearer error="invalid_token", resource_metadata="` + base + `/.well-known/oauth-protected-resource/mcp"`
	if response.StatusCode != http.StatusUnauthorized || len(challenge) != 1 || challenge[0] != want {
		t.Errorf("answered %d with the challenge %q, want 401 with %s", response.StatusCode, challenge, want)
	}

	again := connect(t, "cy@acme.test", "Cursor")
	text, isError := again.call(t, "getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": "WEB-1"})
	if isError {
		t.Errorf("after signing in again the call gave %s", text)
	}
}
