package e2e_test

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestWebPages shows in Chromium that a page of this machine can use the MCP endpoint, and reads what it
// needs of every answer, also of one that refuses it; and that a page of another site can't.
func TestWebPages(t *testing.T) {
	applyPolicy(t, blockDeletes)
	signedIn := signIn(t, "ana@acme.test", "MCP Inspector", "http://localhost:6274/oauth/callback")
	program := nodeProgram("browser", "page.mjs")
	command := exec.CommandContext(t.Context(), program.run[0], program.run[1], sallyport.MCPURL, signedIn.access)
	command.Dir = install(t, program)
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("the browser: %v: %s", err, &complaints)
	}
	type answer struct {
		Status                           int
		Body, Challenge, Session, Failed string
	}
	var seen struct {
		Unsigned, Initialized, Modern, Ended, Elsewhere answer
		SignIn                                          struct{ Resource, Server, Registered, Token answer }
	}
	err = json.Unmarshal(out, &seen)
	if err != nil {
		t.Fatalf("the browser said %s: %v", out, err)
	}
	if seen.Unsigned.Status != http.StatusUnauthorized || !strings.Contains(seen.Unsigned.Challenge, "resource_metadata") || !strings.Contains(seen.Unsigned.Body, "Sign in") {
		t.Errorf("without a token the page read %+v", seen.Unsigned)
	}
	if seen.Initialized.Status != http.StatusOK || seen.Initialized.Session == "" {
		t.Errorf("from initialize the page read %+v", seen.Initialized)
	}
	if seen.Modern.Status != http.StatusOK || !strings.Contains(seen.Modern.Body, "OPS-1") {
		t.Errorf("from a call of 2026-07-28 the page read %+v", seen.Modern)
	}
	if seen.Ended.Status != http.StatusNoContent && seen.Ended.Status != http.StatusOK {
		t.Errorf("from DELETE the page read %+v", seen.Ended)
	}
	if seen.Elsewhere.Failed == "" {
		t.Errorf("a page of another site read %+v", seen.Elsewhere)
	}
	for what, step := range map[string]struct {
		read answer
		want int
		says string
	}{
		"the resource's metadata": {seen.SignIn.Resource, http.StatusOK, sallyport.MCPURL},
		"the server's metadata":   {seen.SignIn.Server, http.StatusOK, "registration_endpoint"},
		"a registration":          {seen.SignIn.Registered, http.StatusCreated, "client_id"},
		"the token endpoint":      {seen.SignIn.Token, http.StatusUnauthorized, "invalid_client"},
	} {
		if step.read.Status != step.want || !strings.Contains(step.read.Body, step.says) {
			t.Errorf("of %s the page read %+v", what, step.read)
		}
	}
}

// TestPreflights shows that Envoy answers browsers' preflights, which carry no token, by the origin.
func TestPreflights(t *testing.T) {
	for origin, allowed := range map[string]bool{
		"http://localhost:6274": true, "http://127.0.0.1:6274": true, "http://[::1]:6274": true, strings.TrimSuffix(sallyport.MCPURL, "/mcp"): true,
		"https://evil.example": false, "http://localhost.evil.example": false, "http://127x0.0.1": false, "null": false,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, sallyport.MCPURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", origin)
		request.Header.Set("Access-Control-Request-Method", "POST")
		request.Header.Set("Access-Control-Request-Headers", "authorization,content-type,mcp-protocol-version")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		got := response.Header.Get("Access-Control-Allow-Origin")
		if allowed && (got != origin || response.StatusCode != http.StatusOK || !strings.Contains(response.Header.Get("Access-Control-Allow-Headers"), "authorization")) {
			t.Errorf("%s is answered HTTP %d with %v", origin, response.StatusCode, response.Header)
		}
		if !allowed && got != "" {
			t.Errorf("%s may read answers", origin)
		}
	}
	response := post(t, "", []byte(ping), map[string]string{"Origin": "https://evil.example"})
	if response.StatusCode != http.StatusForbidden || response.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a page of another site gets HTTP %d with %v", response.StatusCode, response.Header)
	}
}

// TestConsoleHeaders shows what keeps the console's pages from being framed, and from running another's scripts; and
// that the console doesn't answer to a name that another's DNS gave it.
func TestConsoleHeaders(t *testing.T) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, sallyport.AdminHTTP+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example"
	rebound, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	rebound.Body.Close()
	if rebound.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("under a foreign host name: HTTP %d", rebound.StatusCode)
	}
	for _, path := range []string{"/", "/policy", "/log", "/settings"} {
		response, err := http.Get(sallyport.AdminHTTP + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		policy := response.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !slices.Contains(strings.Split(policy, "; "), part) {
				t.Errorf("%s is answered %d with the policy %q, without %s", path, response.StatusCode, policy, part)
			}
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s has %s %q, want %q", path, name, got, want)
			}
		}
	}
}
