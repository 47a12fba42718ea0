package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/identity"
)

func (d *deployment) get(path string) answer {
	d.t.Helper()
	response, err := http.Get(d.url + path)
	return readAnswer(d.t, response, err)
}

func TestMetadata(t *testing.T) {
	d := deploy(t)
	resource := map[string]any{
		"resource": d.url + "/mcp", "resource_name": "Atlassian through Sallyport", "authorization_servers": []any{d.url},
		"scopes_supported": []any{"mcp"}, "bearer_methods_supported": []any{"header"},
	}
	server := map[string]any{
		"issuer": d.url, "authorization_endpoint": d.url + "/oauth/authorize", "token_endpoint": d.url + "/oauth/token",
		"registration_endpoint": d.url + "/oauth/register", "revocation_endpoint": d.url + "/oauth/revoke",
		"scopes_supported": []any{"mcp"}, "response_types_supported": []any{"code"}, "response_modes_supported": []any{"query"},
		"grant_types_supported":                          []any{"authorization_code", "refresh_token"},
		"token_endpoint_auth_methods_supported":          []any{"none"},
		"revocation_endpoint_auth_methods_supported":     []any{"none"},
		"code_challenge_methods_supported":               []any{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	for path, want := range map[string]map[string]any{
		"/.well-known/oauth-protected-resource/mcp": resource,
		"/.well-known/oauth-protected-resource":     resource,
		"/.well-known/oauth-authorization-server":   server,
	} {
		got := d.get(path)
		if diff := cmp.Diff(want, got.body); diff != "" || got.status != http.StatusOK {
			t.Errorf("%s: %d (-want +got):\n%s", path, got.status, diff)
		}
		if got.header.Get("Content-Type") != "application/json" || got.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", path, got.header)
		}
	}
}

func TestBrowserClientsMayCall(t *testing.T) {
	d := deploy(t)
	for _, path := range []string{"/.well-known/oauth-protected-resource/mcp", "/oauth/register", "/oauth/token", "/oauth/revoke"} {
		r, err := http.NewRequest(http.MethodOptions, d.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNoContent || response.Header.Get("Access-Control-Allow-Origin") != "*" ||
			!strings.Contains(response.Header.Get("Access-Control-Allow-Headers"), "MCP-Protocol-Version") {
			t.Errorf("%s: %d %v", path, response.StatusCode, response.Header)
		}
	}
}

func TestRegister(t *testing.T) {
	d := deploy(t)
	got := d.register(`{"client_name":"ChatGPT","redirect_uris":["https://chatgpt.com/connector/oauth/1"],"grant_types":["authorization_code"],
		"token_endpoint_auth_method":"client_secret_post","logo_uri":"http://169.254.169.254/","client_secret":"x"}`)
	id, issued := got.body["client_id"], got.body["client_id_issued_at"]
	want := map[string]any{
		"client_id": id, "client_id_issued_at": issued, "client_name": "ChatGPT", "redirect_uris": []any{"https://chatgpt.com/connector/oauth/1"},
		"token_endpoint_auth_method": "none", "grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"}, "scope": "mcp",
	}
	if diff := cmp.Diff(want, got.body); diff != "" || got.status != http.StatusCreated || id == "" {
		t.Errorf("%d (-want +got):\n%s", got.status, diff)
	}
	stored, err := d.store.Registration(t.Context(), got.text("client_id"))
	if err != nil || stored.Key != "chatgpt" || stored.Class != "verified" {
		t.Errorf("stored %+v, error %v", stored, err)
	}

	const ok = `"redirect_uris":["http://localhost/cb"]`
	for _, c := range []struct{ metadata, code string }{
		{`{}`, "invalid_redirect_uri"},
		{`{"redirect_uris":[]}`, "invalid_redirect_uri"},
		{`{"redirect_uris":["https://example.com/#x"]}`, "invalid_redirect_uri"},
		{`{"redirect_uris":["http://localhost/cb","javascript:alert(1)"]}`, "invalid_redirect_uri"},
		{`{"redirect_uris":[` + strings.Repeat(`"http://localhost/cb",`, 20) + `"http://localhost/cb"]}`, "invalid_redirect_uri"},
		{`{"redirect_uris":"http://localhost/cb"}`, "invalid_client_metadata"},
		{`not JSON`, "invalid_client_metadata"},
		{`{` + ok + `,` + ok + `}`, "invalid_client_metadata"},
		{`{` + ok + `} trailing`, "invalid_client_metadata"},
		{`{` + ok + `,"client_name":"` + strings.Repeat("x", 40<<10) + `"}`, "invalid_client_metadata"},
	} {
		got := d.register(c.metadata)
		if got.status != http.StatusBadRequest || got.text("error") != c.code {
			t.Errorf("%.80s: %d %v; want %s", c.metadata, got.status, got.body, c.code)
		}
	}
}

func TestConsentPage(t *testing.T) {
	d := deploy(t)
	a := d.connect("Claude Code (<b>x</b>)")
	got := a.browser.open(a.authorizeURL())
	for _, want := range []string{"Claude Code", "Not verified", "http://localhost:51812", "an app on your own computer", "it@acme.test", "&lt;b&gt;x&lt;/b&gt;"} {
		if !strings.Contains(got.text, want) {
			t.Errorf("the page doesn't say %q:\n%s", want, got.text)
		}
	}
	if strings.Contains(got.text, "<script") || strings.Contains(got.text, "<b>") {
		t.Error("the page has script or the client's own markup")
	}
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q", name, got.header.Get(name))
		}
	}
	policy := got.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy is %q", policy)
	}
	cookie := got.header.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || strings.Contains(cookie, "Secure") {
		t.Errorf("cookie is %q", cookie)
	}
}

func TestCookieIsSecureBehindHTTPS(t *testing.T) {
	d := deploy(t, func(cfg *identity.Config) {
		cfg.PublicURL, cfg.ConsoleURL = "https://sallyport.acme.test/", "https://console.acme.test"
	})
	a := d.connect("Codex")
	got := a.browser.open(strings.Replace(a.authorizeURL(), "resource="+url.QueryEscape(d.url), "resource="+url.QueryEscape("https://sallyport.acme.test"), 1))
	cookie := got.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-") || !strings.Contains(cookie, "; Secure") || !strings.Contains(cookie, "Path=/;") {
		t.Errorf("%d, cookie is %q", got.status, cookie)
	}
	a.browser.stopAt = "https"
	consoles := a.browser.open(d.url + "/console/signin").header.Get("Set-Cookie")
	if !strings.HasPrefix(consoles, "__Host-") || !strings.Contains(consoles, "; Secure") || !strings.Contains(consoles, "; HttpOnly") {
		t.Errorf("the console's cookie is %q", consoles)
	}
	if issuer := d.get("/.well-known/oauth-authorization-server").text("issuer"); issuer != "https://sallyport.acme.test" {
		t.Errorf("the issuer is %q", issuer)
	}
}
