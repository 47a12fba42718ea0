package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/server"
)

const verifier = "a-verifier-that-is-long-enough-for-rfc-7636-to-allow"

// registered is a client of the stand-in, and what it sends to the authorize endpoint.
type registered struct {
	t    *testing.T
	s    *server.Server
	id   string
	asks url.Values
}

func register(t *testing.T, s *server.Server) *registered {
	t.Helper()
	a := send(t, http.MethodPost, s.URL+"/"+oauth.Tenant+"/dcr/register", map[string]any{
		"client_name": "Test Client", "redirect_uris": []string{callback}, "token_endpoint_auth_method": "none",
	})
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
		Method string `json:"token_endpoint_auth_method"`
	}
	a.decode(t, &client)
	if a.Status != http.StatusCreated || len(client.ID) != 32 || client.Secret != "" || client.Method != "none" {
		t.Fatalf("registration: %d %s; want 201, a client_id of 32 characters, and a public client", a.Status, a.Body)
	}
	sum := sha256.Sum256([]byte(verifier))
	return &registered{t, s, client.ID, url.Values{
		"response_type": {"code"}, "client_id": {client.ID}, "redirect_uri": {callback}, "state": {"s1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
		"resource": {s.URL + oauth.V2}, "scope": {"read:me offline_access read:jira:agent-interface"},
	}}
}

func (r *registered) authorizeURL() string { return r.s.URL + "/authorize?" + r.asks.Encode() }

type tokens struct {
	Status      int
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token"`
	Expires     int    `json:"expires_in"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (r *registered) token(form url.Values) tokens {
	r.t.Helper()
	form.Set("client_id", r.id)
	res, err := http.PostForm(r.s.URL+"/oauth/token", form)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var found tokens
	answer{res.StatusCode, res.Header, body}.decode(r.t, &found)
	found.Status = res.StatusCode
	return found
}

func (r *registered) redeem(code string) tokens {
	r.t.Helper()
	return r.token(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
		"resource": r.asks["resource"],
	})
}

func (r *registered) refresh(token string) tokens {
	r.t.Helper()
	return r.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// signedIn returns the tokens of a person who went through everything.
func signedIn(t *testing.T, s *server.Server, email string) (*registered, tokens) {
	t.Helper()
	r := register(t, s)
	found := r.redeem(newBrowser(t).signIn(r.authorizeURL(), email).Get("code"))
	if found.Access == "" {
		t.Fatalf("no token for %s: %+v", email, found)
	}
	return r, found
}

func status(t *testing.T, s *server.Server, token string) int {
	t.Helper()
	return initialize(t, s, "Bearer "+token)
}

// initialize begins a session with an Authorization header, and returns the status.
func initialize(t *testing.T, s *server.Server, authorization string) int {
	t.Helper()
	return send(t, http.MethodPost, s.URL+oauth.V2, map[string]any{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "test", "version": "1"},
	}}, "Authorization", authorization, "Accept", "application/json, text/event-stream").Status
}

func TestSignIn(t *testing.T) {
	s := start(t)
	r := register(t, s)
	b := newBrowser(t)
	b.open(r.authorizeURL())
	b.press("Log in", url.Values{"email": {"nobody@acme.test"}})
	b.shows("There is no Atlassian account with this e-mail address.")
	b.press("Log in", url.Values{"email": {"Cy@acme.test"}})
	b.shows("Test Client is requesting access")
	b.shows("acme.atlassian.net")
	b.press("Accept", nil)
	q := b.back.Query()
	if q.Get("state") != "s1" || q.Get("iss") != s.URL+"/"+oauth.Tenant {
		t.Errorf("came back with %v; want state s1 and the issuer", q)
	}
	found := r.redeem(q.Get("code"))
	if found.Expires != 3600 || strings.Count(found.Access, ".") != 2 || found.Refresh == "" {
		t.Errorf("tokens %+v; want an hour, a JWT and a refresh token", found)
	}
	var me map[string]any
	send(t, http.MethodGet, s.URL+"/me", nil, "Authorization", "Bearer "+found.Access).decode(t, &me)
	if me["email"] != "cy@acme.test" {
		t.Errorf("/me says %v, want cy@acme.test", me)
	}
	if again := r.redeem(q.Get("code")); again.Error != "invalid_grant" || status(t, s, found.Access) != http.StatusUnauthorized {
		t.Errorf("a code used twice: %+v; want invalid_grant, and its tokens taken back", again)
	}
}

func TestRefreshRotates(t *testing.T) {
	s := start(t)
	r, first := signedIn(t, s, "ana@acme.test")
	second := r.refresh(first.Refresh)
	if second.Access == "" || second.Refresh == first.Refresh || status(t, s, second.Access) != http.StatusOK {
		t.Fatalf("refresh gave %+v; want new tokens that work", second)
	}
	if again := r.refresh(first.Refresh); again.Error != "invalid_grant" || again.Description != "refresh token was already used" {
		t.Errorf("a used refresh token: %+v", again)
	}
	res, err := http.PostForm(s.URL+"/oauth/revoke", url.Values{"client_id": {r.id}, "token": {second.Refresh}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if r.refresh(second.Refresh).Error != "invalid_grant" || status(t, s, second.Access) != http.StatusUnauthorized {
		t.Error("tokens work after revocation")
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	s := start(t)
	for name, c := range map[string]struct{ parameter, value, page, back string }{
		"another redirect address": {"redirect_uri", "http://localhost:10/callback", "redirect_uri is not registered", ""},
		"an unknown client":        {"client_id", "x", "The client_id is not known.", ""},
		"no PKCE":                  {"code_challenge", "", "", "invalid_request"},
		"plain PKCE":               {"code_challenge_method", "plain", "", "invalid_request"},
		"another resource":         {"resource", "https://example.com/mcp", "", "invalid_target"},
		"an unknown scope":         {"scope", "admin:all", "This app has requested scopes that have not been added to the app", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, b := register(t, s), newBrowser(t)
			r.asks.Set(c.parameter, c.value)
			b.open(r.authorizeURL())
			if c.page != "" {
				b.shows(c.page)
			}
			if c.back != "" && (b.back == nil || b.back.Query().Get("error") != c.back) {
				t.Errorf("back with %v, want %s", b.back, c.back)
			}
		})
	}
}

func TestTokenWithoutResource(t *testing.T) {
	s := start(t)
	r := register(t, s)
	r.asks.Del("resource")
	found := r.redeem(newBrowser(t).signIn(r.authorizeURL(), "ana@acme.test").Get("code"))
	if got := status(t, s, found.Access); got != http.StatusUnauthorized {
		t.Errorf("the MCP server answers %d to a token without resource, want 401", got)
	}
}

func TestFormsBelongToTheirBrowser(t *testing.T) {
	s := start(t)
	r, b := register(t, s), newBrowser(t)
	b.open(r.authorizeURL())
	b.press("Log in", url.Values{"email": {"ana@acme.test"}, "csrf": {"wrong"}})
	b.shows("This page was not opened by the sign-in it belongs to.")
	b.open(r.authorizeURL())
	stranger := newBrowser(t)
	stranger.page, stranger.at = b.page, b.at
	stranger.press("Log in", url.Values{"email": {"ana@acme.test"}})
	stranger.shows("This page was not opened by the sign-in it belongs to.")
}

func TestDomains(t *testing.T) {
	s := start(t)
	r := register(t, s)
	flip(t, s, map[string]any{"domains": []string{"https://gw.example.com/**"}})
	b := newBrowser(t)
	b.open(r.authorizeURL())
	b.press("Log in", url.Values{"email": {"bo@acme.test"}})
	b.shows("Access to this domain is restricted. Your admin has blocked this domain")
	b.shows("Your organization admin must authorize access from this redirect URL")
	b.press("Cancel", nil)
	if b.back.Query().Get("error") != "access_denied" {
		t.Errorf("Cancel came back with %v, want access_denied", b.back)
	}
	flip(t, s, map[string]any{"domain_error": "accept"})
	b = newBrowser(t)
	b.open(r.authorizeURL())
	b.press("Log in", url.Values{"email": {"bo@acme.test"}})
	b.press("Accept", nil)
	b.shows("Incorrect request parameters")
	if b.back != nil {
		t.Errorf("sent to a blocked domain: %s", b.back)
	}
}

func TestMetadata(t *testing.T) {
	s := start(t)
	issuer := s.URL + "/" + oauth.Tenant
	read := func(path string) map[string]any {
		var m map[string]any
		send(t, http.MethodGet, s.URL+path, nil).decode(t, &m)
		return m
	}
	inserted, appended := "/.well-known/oauth-authorization-server/"+oauth.Tenant, "/"+oauth.Tenant+"/.well-known/oauth-authorization-server"
	for _, path := range []string{inserted, appended} {
		if m := read(path); m["issuer"] != issuer || m["registration_endpoint"] != issuer+"/dcr/register" {
			t.Errorf("%s: %v", path, m)
		}
	}
	if m := read("/.well-known/oauth-authorization-server"); m["registration_endpoint"] != nil {
		t.Errorf("the origin's metadata offers registration: %v", m)
	}
	if m := read("/.well-known/oauth-protected-resource" + oauth.V2); m["resource"] != s.URL+oauth.V2 || len(m["scopes_supported"].([]any)) != 38 {
		t.Errorf("protected resource metadata: %v", m)
	}
	flip(t, s, map[string]any{"issuer_without_path": true})
	if m := read(inserted); m["issuer"] != s.URL {
		t.Errorf("issuer %v, want it without path", m["issuer"])
	}
}
