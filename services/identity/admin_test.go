package identity_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/oauth2"

	"sallyport/services/identity"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// cliRedirect is where the command line listens this time: it registered 127.0.0.1 without a port.
const cliRedirect = "http://127.0.0.1:40123/callback"

// program is one of Sallyport's own clients.
func (d *deployment) program(id, redirect string) *assistant {
	return &assistant{
		d: d, id: id, redirect: redirect, resource: consoleURL, verifier: oauth2.GenerateVerifier(), state: seal.Random(8),
		browser: newBrowser(d.t, redirect),
	}
}

func (d *deployment) cli() *assistant { return d.program("sallyport-cli", cliRedirect) }

func (d *deployment) console() *assistant {
	return d.program("sallyport-console", consoleURL+"/signin/callback")
}

// admin returns the grant of an access token at the admin API.
func (d *deployment) admin(access string) (state.Grant, error) {
	return d.store.SessionGrant(d.t.Context(), state.TokenHash(access), consoleURL)
}

// acts are the actions in the activity stream, each with what came of it where that is known.
func (d *deployment) acts() string {
	d.t.Helper()
	waiting, err := d.store.ReadWaiting(d.t.Context(), seal.Random(4), 100, time.Millisecond, false)
	if err != nil {
		d.t.Fatal(err)
	}
	var list []string
	for _, e := range waiting {
		var record activity.Record
		err := json.Unmarshal(e.Document, &record)
		if err != nil {
			d.t.Fatal(err)
		}
		word := record.Event.Action + record.Event.Outcome
		if record.User != nil {
			word += " " + record.User.Email
		}
		list = append(list, word)
	}
	return strings.Join(list, ", ")
}

func TestSignInOfTheCommandLine(t *testing.T) {
	d := deploy(t)
	a := d.cli()
	consent := a.browser.open(a.authorizeURL())
	for _, words := range []string{"Sign in to the <em>Sallyport command line</em>?", "http://127.0.0.1:40123", "Nothing in Jira or Confluence"} {
		if !strings.Contains(consent.text, words) {
			t.Errorf("the page doesn't say %q:\n%s", words, consent.text)
		}
	}
	atlassian := a.browser.submit(a.browser.submit(consent, "decision", "allow"), "email", "bo@acme.test")
	if !strings.Contains(atlassian.text, "read:me") || strings.Contains(atlassian.text, "offline_access") || strings.Contains(atlassian.text, "jira") {
		t.Errorf("Atlassian was asked for more than who somebody is:\n%s", atlassian.text)
	}
	got := a.exchange(a.calledBack(a.browser.submit(atlassian, "decision", "accept")).Get("code"))
	if got.status != http.StatusOK || got.text("scope") != "admin" || got.body["expires_in"] != 3600.0 {
		t.Fatalf("exchanging the code: %d %v", got.status, got.body)
	}
	granted, err := d.admin(got.text("access_token"))
	if err != nil || granted.Email != "bo@acme.test" || granted.ClientKey != "sallyport-cli" {
		t.Fatalf("the grant is %+v, error %v", granted, err)
	}
	if d.works(got.text("access_token")) {
		t.Error("an admin's token works at the MCP endpoint")
	}
	if names := d.names(granted.AccountID); names != "developers site-admins" {
		t.Errorf("groups are %s", names)
	}
	if _, err := d.store.Upstream(t.Context(), granted.AccountID); err == nil {
		t.Error("Atlassian's token was stored")
	}
	if strings.Contains(d.log.String(), "wasn't revoked") {
		t.Error("Atlassian's token wasn't revoked")
	}
	next := a.post("/oauth/token", "grant_type", "refresh_token", "refresh_token", got.text("refresh_token"))
	if _, err := d.admin(next.text("access_token")); err != nil {
		t.Errorf("after a refresh: %v %v", next.body, err)
	}
	a.post("/oauth/revoke", "token", next.text("refresh_token"))
	if _, err := d.admin(next.text("access_token")); err == nil {
		t.Error("the access token works after signing out")
	}
	if got := d.acts(); got != "session.begin bo@acme.test, success, session.end bo@acme.test, success" {
		t.Errorf("recorded was %s", got)
	}
	// It asks again, however often somebody said yes.
	if again := a.browser.open(a.authorizeURL()); !strings.Contains(again.text, "Sign in to the") {
		t.Errorf("the second time the page is:\n%s", again.text)
	}
}

func TestSignInOfTheConsole(t *testing.T) {
	d := deploy(t)
	a := d.console()
	login := a.browser.open(a.authorizeURL())
	if !strings.HasPrefix(login.url.String(), d.atlassian) {
		t.Fatalf("the browser is at %s instead of Atlassian's:\n%s", login.url, login.text)
	}
	got := a.exchange(a.calledBack(a.browser.submit(a.browser.submit(login, "email", "bo@acme.test"), "decision", "accept")).Get("code"))
	if got.status != http.StatusOK || got.body["expires_in"] != (8*time.Hour).Seconds() || got.body["refresh_token"] != nil {
		t.Fatalf("exchanging the code: %d %v", got.status, got.body)
	}
	if _, err := d.admin(got.text("access_token")); err != nil {
		t.Error(err)
	}
}

// TestAdminSignInLeavesAssistantsAlone signs in to the admin API somebody whose assistant is connected.
func TestAdminSignInLeavesAssistantsAlone(t *testing.T) {
	d := deploy(t)
	account, tokens := d.connect("Codex").account("bo@acme.test")
	before, err := d.store.Upstream(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	admin := d.cli().tokens("bo@acme.test")
	after, err := d.store.Upstream(t.Context(), account)
	if err != nil || after.Rev != before.Rev {
		t.Errorf("the person's token at Atlassian is another one: %v", err)
	}
	if !d.works(tokens.text("access_token")) {
		t.Error("the assistant was signed out")
	}
	if _, err := d.admin(tokens.text("access_token")); err == nil {
		t.Error("an assistant's token works at the admin API")
	}
	if _, err := d.store.EndPerson(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if _, err := d.admin(admin.text("access_token")); err == nil {
		t.Error("an admin who was forgotten is still signed in")
	}
}

// TestResourceIsTheClientsOwn asks for tokens of another audience in all ways there are.
func TestResourceIsTheClientsOwn(t *testing.T) {
	d := deploy(t)
	codex, cli := d.connect("Codex"), d.cli()
	for _, c := range []struct {
		name     string
		who      *assistant
		resource string
	}{
		{"an assistant asks for the admin API", codex, consoleURL},
		{"an assistant asks for the admin API with a slash", codex, consoleURL + "/"},
		{"the command line asks for the MCP endpoint", cli, d.url + "/mcp"},
		{"the console asks for the MCP endpoint", d.console(), d.url + "/mcp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			back := c.who.calledBack(c.who.browser.open(c.who.authorizeURL("resource", c.resource)))
			if back.Get("error") != "invalid_target" || back.Get("code") != "" {
				t.Errorf("called back with %v", back)
			}
		})
	}
	t.Run("a code for the one is exchanged for the other", func(t *testing.T) {
		cli.exchange(cli.signIn("bo@acme.test").Get("code"), "resource", d.url+"/mcp").refused(t, http.StatusBadRequest, "invalid_target")
		code := cli.signIn("bo@acme.test").Get("code")
		cli.exchange(code, "client_id", codex.id, "resource", "").refused(t, http.StatusBadRequest, "invalid_target")
		cli.exchange(code, "client_id", codex.id, "resource", d.url+"/mcp").refused(t, http.StatusBadRequest, "invalid_grant")
	})
	t.Run("an assistant's code is exchanged by the command line", func(t *testing.T) {
		code := codex.signIn("bo@acme.test").Get("code")
		codex.exchange(code, "client_id", cli.id, "resource", consoleURL).refused(t, http.StatusBadRequest, "invalid_grant")
		codex.exchange(code).refused(t, http.StatusBadRequest, "invalid_grant")
	})
	t.Run("a refresh token", func(t *testing.T) {
		refresh := cli.tokens("bo@acme.test").text("refresh_token")
		codex.refresh(refresh).refused(t, http.StatusBadRequest, "invalid_grant")
		cli.post("/oauth/token", "grant_type", "refresh_token", "refresh_token", refresh, "resource", d.url+"/mcp").refused(t, http.StatusBadRequest, "invalid_target")
	})
}

// TestBuiltInRedirects sends answers for Sallyport's own clients elsewhere.
func TestBuiltInRedirects(t *testing.T) {
	d := deploy(t)
	for client, redirects := range map[string][]string{
		"sallyport-cli": {
			"http://localhost:40123/callback", "https://127.0.0.1:40123/callback", "http://127.0.0.1:40123/other", "http://127.0.0.1.example.com/callback",
			"http://127.0.0.1:40123/callback?x=1", consoleURL + "/signin/callback",
		},
		"sallyport-console": {
			"http://localhost:40123/signin/callback", "http://127.0.0.1:51801/signin/callback", consoleURL + "/signin/callback/", consoleURL + "/", cliRedirect,
		},
	} {
		for _, redirect := range redirects {
			a := d.program(client, redirect)
			a.browser.stopAt = redirect
			got := a.browser.open(a.authorizeURL())
			if got.status != http.StatusBadRequest || !strings.HasPrefix(got.url.String(), d.url) {
				t.Errorf("%s with %s: %d at %s", client, redirect, got.status, got.url)
			}
		}
	}
}

func TestWithoutConsoleNobodyAdministers(t *testing.T) {
	d := deploy(t, func(c *identity.Config) { c.ConsoleURL = "" })
	for _, a := range []*assistant{d.cli(), d.console()} {
		got := a.browser.open(a.authorizeURL("resource", ""))
		if got.status != http.StatusBadRequest || !strings.Contains(got.text, "know this assistant") {
			t.Errorf("%s: %d\n%s", a.id, got.status, got.text)
		}
		a.post("/oauth/token", "grant_type", "refresh_token", "refresh_token", "x").refused(t, http.StatusUnauthorized, "invalid_client")
	}
}

// TestNobodySignsInUnrecorded fills the stream, so that a sign-in can't be written down.
func TestNobodySignsInUnrecorded(t *testing.T) {
	d := deploy(t, func(c *identity.Config) { c.StreamLimit = 1 })
	d.cli().tokens("bo@acme.test")
	if back := d.cli().signIn("bo@acme.test"); back.Get("error") != "server_error" || back.Get("code") != "" {
		t.Errorf("called back with %v", back)
	}
}

// TestConsoleSignInNeedsItsBrowser comes back from Atlassian in another browser than the one that went there.
func TestConsoleSignInNeedsItsBrowser(t *testing.T) {
	d := deploy(t)
	a := d.console()
	a.browser.stopAt = d.url + "/mcp/callback"
	back := a.browser.submit(a.browser.submit(a.browser.open(a.authorizeURL()), "email", "bo@acme.test"), "decision", "accept")
	stranger := newBrowser(t, consoleURL)
	got := stranger.open(back.url.String())
	if got.status != http.StatusBadRequest {
		t.Errorf("another browser: %d %s", got.status, got.url)
	}
	a.browser.stopAt = consoleURL
	if code := a.calledBack(a.browser.open(back.url.String())).Get("code"); code == "" {
		t.Error("the browser that began it can't go on")
	}
}
