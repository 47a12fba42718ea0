package identity_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"sallyport/services/internal/state"
)

func TestAttackCodeReplay(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	code := a.signIn("ana@acme.test").Get("code")
	got := a.exchange(code)
	if got.status != http.StatusOK {
		t.Fatal(got.body)
	}
	a.exchange(code).refused(t, http.StatusBadRequest, "invalid_grant")
	if d.works(got.text("access_token")) {
		t.Error("the access token still works after its code was replayed")
	}
	a.refresh(got.text("refresh_token")).refused(t, http.StatusBadRequest, "invalid_grant")
}

func TestAttackCodeInjection(t *testing.T) {
	d := deploy(t)
	other := d.connect("Other")
	for _, c := range []struct {
		name, code string
		changes    []string
	}{
		{"wrong verifier", "invalid_grant", []string{"code_verifier", oauth2.GenerateVerifier()}},
		{"no verifier", "invalid_grant", []string{"code_verifier", ""}},
		{"another redirect", "invalid_grant", []string{"redirect_uri", "http://localhost:1/callback"}},
		{"another resource", "invalid_target", []string{"resource", "https://mcp.atlassian.com/v2/mcp"}},
		{"another client", "invalid_grant", []string{"client_id", other.id}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.connect("Codex")
			code := a.signIn("ana@acme.test").Get("code")
			a.exchange(code, c.changes...).refused(t, http.StatusBadRequest, c.code)
			if c.code == "invalid_grant" {
				// The code may be in wrong hands, so it is gone.
				a.exchange(code).refused(t, http.StatusBadRequest, "invalid_grant")
			}
		})
	}
}

func TestUnknownClient(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	a.post("/oauth/token", "client_id", "forgotten", "grant_type", "refresh_token").refused(t, http.StatusUnauthorized, "invalid_client")
	a.post("/oauth/token", "grant_type", "password").refused(t, http.StatusBadRequest, "unsupported_grant_type")
	a.post("/oauth/token", "grant_type", strings.Repeat("x", 40<<10)).refused(t, http.StatusBadRequest, "invalid_request")
}

func TestAttackRefreshTokenReuse(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	first := a.tokens("ana@acme.test").text("refresh_token")

	// An answer that was lost: the same token once more, within the grace.
	lost, kept := a.refresh(first), a.refresh(first)
	if lost.status != http.StatusOK || kept.status != http.StatusOK {
		t.Fatalf("within the grace: %v, %v", lost.body, kept.body)
	}
	next := a.refresh(kept.text("refresh_token"))
	if next.status != http.StatusOK {
		t.Fatal(next.body)
	}
	// Now that one of the two was used, the other one is in wrong hands.
	a.refresh(lost.text("refresh_token")).refused(t, http.StatusBadRequest, "invalid_grant")
	a.refresh(next.text("refresh_token")).refused(t, http.StatusBadRequest, "invalid_grant")
	if d.works(next.text("access_token")) {
		t.Error("the access token outlived its grant")
	}
}

func TestAttackRefreshTokenReuseAfterTheGrace(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	first := a.tokens("ana@acme.test").text("refresh_token")
	next := a.refresh(first)
	family, _, _ := strings.Cut(first, ".")
	client := redis.NewClient(&redis.Options{Addr: d.cfg.Redis})
	defer client.Close()
	err := client.HIncrBy(t.Context(), "{sallyport}:refresh:"+state.TokenHash(family), "rotated_at", -31).Err()
	if err != nil {
		t.Fatal(err)
	}
	a.refresh(first).refused(t, http.StatusBadRequest, "invalid_grant")
	a.refresh(next.text("refresh_token")).refused(t, http.StatusBadRequest, "invalid_grant")
}

func TestAttackRefreshTokenOfAnotherClient(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	token := a.tokens("ana@acme.test").text("refresh_token")
	d.connect("Other").refresh(token).refused(t, http.StatusBadRequest, "invalid_grant")
	a.refresh("made-up").refused(t, http.StatusBadRequest, "invalid_grant")
	if got := a.refresh(token); got.status != http.StatusOK {
		t.Errorf("the owner's refresh: %d %v", got.status, got.body)
	}
}

// A page must come instead of a redirect where the client or its redirect is wrong.
func TestAttackRedirects(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	a.browser.stopAt = "http"
	for _, change := range [][]string{
		{"client_id", "unknown"}, {"client_id", ""}, {"redirect_uri", ""},
		{"redirect_uri", "https://example.com/callback"}, {"redirect_uri", "http://localhost:1/other"}, {"redirect_uri", "javascript:alert(1)"},
	} {
		got := a.browser.open(a.authorizeURL(change...))
		if got.status != http.StatusBadRequest || got.header.Get("Location") != "" {
			t.Errorf("%q: got %d, location %q", change, got.status, got.header.Get("Location"))
		}
	}
}

// TestAttackPKCEDowngrade asks for codes that need no proof, or a weak one. What is wrong goes back to the
// client, as OAuth wants it.
func TestAttackPKCEDowngrade(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	for _, c := range []struct{ name, value, code string }{
		{"response_type", "token", "unsupported_response_type"},
		{"code_challenge", "", "invalid_request"},
		{"code_challenge", "short", "invalid_request"},
		{"code_challenge_method", "plain", "invalid_request"},
		{"code_challenge_method", "", "invalid_request"},
		{"resource", "https://mcp.atlassian.com/v2/mcp", "invalid_target"},
		{"resource", d.url + "/mcp/", "invalid_target"},
	} {
		got := a.calledBack(a.browser.open(a.authorizeURL(c.name, c.value)))
		if got.Get("error") != c.code || got.Has("code") {
			t.Errorf("%s=%q: called back with %v", c.name, c.value, got)
		}
	}
	repeated := a.calledBack(a.browser.open(a.authorizeURL() + "&code_challenge=x"))
	if repeated.Get("error") != "invalid_request" {
		t.Errorf("a repeated parameter: %v", repeated)
	}
	// A code that was asked for with a challenge isn't given out without its verifier.
	a.exchange(a.signIn("ana@acme.test").Get("code"), "code_verifier", "").refused(t, http.StatusBadRequest, "invalid_grant")
}

// TestAttackConsentOfAnotherClient uses what a person allowed one client for another one, of the same name
// and of the same redirect, which the attacker registered.
func TestAttackConsentOfAnotherClient(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	a.asked("ana@acme.test")
	if n := a.asked("ana@acme.test"); n != 0 {
		t.Fatalf("what Ana allowed isn't remembered: she is asked %d times", n)
	}
	attacker := d.connect("Codex")
	attacker.browser = a.browser
	shown := attacker.browser.open(attacker.authorizeURL())
	if shown.status != http.StatusOK || !shown.inputs.Has("request") {
		t.Fatalf("the attacker's client is let on without a question: %d at %s", shown.status, shown.url)
	}
	// The form of one client's page can't be turned into an answer for another client.
	own := d.connect("Own")
	own.browser = a.browser
	page := own.browser.open(own.authorizeURL())
	login := own.browser.submit(page, "decision", "allow", "client_id", attacker.id, "redirect_uri", attacker.redirect)
	back, _ := own.finish(login, "ana@acme.test")
	own.exchange(own.calledBack(back).Get("code"), "client_id", attacker.id).refused(t, http.StatusBadRequest, "invalid_grant")
	// Cancelling for the attacker's client takes nothing away from the other.
	attacker.browser.submit(shown, "decision", "cancel")
	if n := a.asked("ana@acme.test"); n != 0 {
		t.Errorf("her own client asks %d times", n)
	}
}

// TestAttackClickjacking looks at every kind of page: none may be shown in a frame.
func TestAttackClickjacking(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	consent := a.browser.open(a.authorizeURL())
	for name, got := range map[string]page{
		"consent":              consent,
		"an unknown client":    a.browser.open(a.authorizeURL("client_id", "unknown")),
		"a callback of nobody": a.browser.open(d.url + "/mcp/callback?code=x&state=y"),
		"a forged consent":     newBrowser(t, redirectURI).submit(consent, "decision", "allow"),
	} {
		policy := got.header.Get("Content-Security-Policy")
		if got.header.Get("X-Frame-Options") != "DENY" || !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: X-Frame-Options %q, Content-Security-Policy %q", name, got.header.Get("X-Frame-Options"), policy)
		}
	}
}

func TestAttackForgedConsent(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	// Fetching it twice, as fastmcp does, changes nothing.
	newBrowser(t, redirectURI).open(a.authorizeURL())
	shown := a.browser.open(a.authorizeURL())

	forged := shown
	forged.inputs = map[string][]string{"request": {""}}
	stranger := newBrowser(t, redirectURI)
	withOwnCookie := newBrowser(t, redirectURI)
	withOwnCookie.open(a.authorizeURL())
	foreign := *shown.url
	foreign.Host = "evil.example.com"
	foreignPage := shown
	foreignPage.url, foreignPage.action = &foreign, shown.url.Scheme+"://"+shown.url.Host+shown.action
	for name, got := range map[string]page{
		"no request":                        a.browser.submit(forged, "decision", "allow"),
		"changed request":                   a.browser.submit(shown, "decision", "allow", "request", shown.inputs.Get("request")+"AAAA"),
		"a browser without cookie":          stranger.submit(shown, "decision", "allow"),
		"another browser":                   withOwnCookie.submit(shown, "decision", "allow"),
		"a form on another site's page":     a.browser.submit(foreignPage, "decision", "allow"),
		"parameters instead of the request": a.browser.submit(forged, "decision", "allow", "client_id", a.id, "redirect_uri", a.redirect),
	} {
		if got.status != http.StatusBadRequest || got.header.Get("Location") != "" || strings.HasPrefix(got.url.String(), d.atlassian) {
			t.Errorf("%s: got %d at %s", name, got.status, got.url)
		}
	}
	if got := a.browser.submit(shown, "decision", "allow"); !strings.HasPrefix(got.url.String(), d.atlassian) {
		t.Errorf("the person's own consent leads to %s", got.url)
	}
	again := a.calledBack(a.browser.submit(a.browser.open(a.authorizeURL()), "decision", "cancel"))
	if again.Get("error") != "access_denied" {
		t.Errorf("cancelled: %v", again)
	}
}

func TestAttackForgedCallback(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	// Somebody gets another person to finish a sign-in at Atlassian that they began.
	login := a.browser.submit(a.browser.open(a.authorizeURL()), "decision", "allow")
	accept := a.browser.submit(login, "email", "bo@acme.test")
	a.browser.stopAt = d.url
	callback := a.browser.submit(accept, "decision", "accept").url.String()

	victim := newBrowser(t, redirectURI)
	victim.open(d.connect("Codex").authorizeURL())
	if got := victim.open(callback); got.status != http.StatusBadRequest {
		t.Errorf("another browser: %d\n%s", got.status, got.text)
	}
	if got := victim.open(d.url + "/mcp/callback?code=x&state=y"); got.status != http.StatusBadRequest {
		t.Errorf("an unknown state: %d", got.status)
	}
	// It is still there for the one who began it, once.
	a.browser.stopAt = redirectURI
	if got := a.calledBack(a.browser.open(callback)); got.Get("code") == "" {
		t.Errorf("called back with %v", got)
	}
	if got := a.browser.open(callback); got.status != http.StatusBadRequest {
		t.Errorf("the second time: %d", got.status)
	}
}

func TestAttackMixUp(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	accept := a.browser.submit(a.browser.submit(a.browser.open(a.authorizeURL()), "decision", "allow"), "email", "bo@acme.test")
	a.browser.stopAt = d.url
	callback := a.browser.submit(accept, "decision", "accept").url
	query := callback.Query()
	query.Set("iss", "https://evil.example.com")
	callback.RawQuery = query.Encode()
	a.browser.stopAt = redirectURI
	if got := a.calledBack(a.browser.open(callback.String())); got.Get("error") != "server_error" || got.Has("code") {
		t.Errorf("called back with %v", got)
	}
}

func TestRevoke(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	got := a.tokens("ana@acme.test")
	access, refresh := got.text("access_token"), got.text("refresh_token")
	other := d.connect("Other")
	if other.post("/oauth/revoke", "token", access).status != http.StatusOK || !d.works(access) {
		t.Error("another client ended the token")
	}
	if a.post("/oauth/revoke", "token", access).status != http.StatusOK || d.works(access) {
		t.Error("the access token wasn't ended")
	}
	next := a.refresh(refresh)
	if a.post("/oauth/revoke", "token", next.text("refresh_token")).status != http.StatusOK || d.works(next.text("access_token")) {
		t.Error("the grant wasn't ended")
	}
	a.refresh(next.text("refresh_token")).refused(t, http.StatusBadRequest, "invalid_grant")
	a.post("/oauth/revoke", "client_id", "unknown", "token", access).refused(t, http.StatusUnauthorized, "invalid_client")
}
