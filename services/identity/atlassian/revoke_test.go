package atlassian_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sallyport/services/identity/atlassian"
)

// revoker is an authorization server that answers revocations with a status.
func revoker(t *testing.T, endpoint string, status int) (*atlassian.Client, *[]string) {
	t.Helper()
	var got []string
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer := func(path, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.ReplaceAll(body, "BASE", server.URL)))
		})
	}
	answer("/.well-known/oauth-protected-resource/mcp", `{"resource":"BASE/mcp","authorization_servers":["BASE"]}`)
	answer("/.well-known/oauth-authorization-server", `{"issuer":"BASE","authorization_endpoint":"BASE/authorize","token_endpoint":"BASE/token",
		"registration_endpoint":"BASE/register","code_challenge_methods_supported":["S256"]`+endpoint+`}`)
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.PostFormValue("token_type_hint")+" "+r.PostFormValue("token")+" of "+r.PostFormValue("client_id"))
		w.WriteHeader(status)
	})
	client, err := atlassian.New(atlassian.Config{MCPURL: server.URL + "/mcp"})
	if err != nil {
		t.Fatal(err)
	}
	return client, &got
}

func TestRevoke(t *testing.T) {
	client, got := revoker(t, `,"revocation_endpoint":"BASE/revoke"`, http.StatusOK)
	err := client.Revoke(t.Context(), "client", "secret", atlassian.RefreshToken)
	if err != nil || strings.Join(*got, ", ") != "refresh_token secret of client" {
		t.Errorf("revoked %q, error %v", *got, err)
	}
	for name, c := range map[string]struct {
		endpoint, says string
	}{
		"refused":     {`,"revocation_endpoint":"BASE/revoke"`, "status 503"},
		"no endpoint": {"", "the revocation endpoint is \"\", which isn't usable"},
		"elsewhere":   {`,"revocation_endpoint":"ftp://example.com/revoke"`, "isn't usable"},
	} {
		client, _ := revoker(t, c.endpoint, http.StatusServiceUnavailable)
		err := client.Revoke(t.Context(), "client", "secret", atlassian.RefreshToken)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
