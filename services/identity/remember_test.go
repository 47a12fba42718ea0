package identity_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"sallyport/services/internal/state"
)

// asked counts how often Sallyport asks for consent in a sign-in, which has to succeed.
func (a *assistant) asked(email string) int {
	a.d.t.Helper()
	back, consents := a.finish(a.browser.open(a.authorizeURL()), email)
	got := a.exchange(a.calledBack(back).Get("code"))
	if got.status != http.StatusOK {
		a.d.t.Fatalf("exchanging the code: %d %v", got.status, got.body)
	}
	granted, err := a.d.store.SessionGrant(a.d.t.Context(), state.TokenHash(got.text("access_token")), a.d.url+"/mcp")
	if err != nil || granted.Email != email {
		a.d.t.Fatalf("granted %+v, error %v", granted, err)
	}
	return consents
}

// account is the account id of a person who signed in.
func (d *deployment) account(email string) string {
	d.t.Helper()
	account, err := d.store.AccountOf(d.t.Context(), email)
	if err != nil {
		d.t.Fatal(err)
	}
	return account
}

func TestConsentIsRemembered(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	if n := a.asked("ana@acme.test"); n != 1 {
		t.Errorf("the first time, consent was asked %d times", n)
	}
	// Such an app listens on another port each time.
	a.redirect = strings.Replace(redirectURI, "51812", "51813", 1)
	a.browser.stopAt = a.redirect
	if n := a.asked("ana@acme.test"); n != 0 {
		t.Errorf("the second time, consent was asked %d times", n)
	}
	other := d.connect("Codex")
	other.browser = a.browser
	other.browser.stopAt = other.redirect
	if n := other.asked("ana@acme.test"); n != 1 {
		t.Errorf("for another client, consent was asked %d times", n)
	}
	a.browser.stopAt = a.redirect
	fresh := newBrowser(t, a.redirect)
	fresh, a.browser = a.browser, fresh
	if n := a.asked("ana@acme.test"); n != 1 {
		t.Errorf("in another browser, consent was asked %d times", n)
	}
	// Forgetting the person, as an admin can, forgets what they allowed as well.
	a.browser = fresh
	if n := a.asked("ana@acme.test"); n != 0 {
		t.Errorf("before it is withdrawn, consent was asked %d times", n)
	}
	err := d.store.WithdrawConsent(t.Context(), d.account("ana@acme.test"), a.id)
	if err != nil {
		t.Fatal(err)
	}
	if n := a.asked("ana@acme.test"); n != 1 {
		t.Errorf("after it was withdrawn, consent was asked %d times", n)
	}
}

func TestRememberedConsentIsThePersonsOwn(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	a.asked("ana@acme.test")
	// Bo uses the same browser. Sallyport takes them for Ana, until Atlassian says who it is.
	back, consents := a.finish(a.browser.open(a.authorizeURL()), "bo@acme.test")
	if consents != 1 || a.calledBack(back).Get("code") == "" {
		t.Errorf("Bo was asked %d times", consents)
	}
	_, err := d.store.Consent(t.Context(), d.account("ana@acme.test"), a.id)
	if err != nil {
		t.Errorf("what Ana allowed: %v", err)
	}
	// And somebody who cancels then has got nothing.
	a.asked("ana@acme.test")
	page := a.browser.open(a.authorizeURL())
	page = a.browser.submit(a.browser.submit(page, "email", "cy@acme.test"), "decision", "accept")
	if !page.inputs.Has("request") {
		t.Fatalf("Cy isn't asked: %d at %s\n%s", page.status, page.url, page.text)
	}
	got := a.calledBack(a.browser.submit(page, "decision", "cancel"))
	if got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("called back with %v", got)
	}
	account, err := d.store.AccountOf(t.Context(), "cy@acme.test")
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("something is kept of Cy, who cancelled: %q, %v", account, err)
	}
}

func TestRevocationWithdrawsConsent(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	tokens := a.tokens("ana@acme.test")
	a.post("/oauth/revoke", "token", tokens.text("access_token"))
	if n := a.asked("ana@acme.test"); n != 0 {
		t.Errorf("after an access token was revoked, consent was asked %d times", n)
	}
	tokens = a.tokens("ana@acme.test")
	a.post("/oauth/revoke", "token", tokens.text("refresh_token"))
	if n := a.asked("ana@acme.test"); n != 1 {
		t.Errorf("after the connection was revoked, consent was asked %d times", n)
	}
}

// Any app on a machine can give Claude Code's client_id and listen on a port of its own, so such a
// client is asked for each time. One that only its vendor's host can answer for isn't.
func TestConsentOfDescribedClients(t *testing.T) {
	d, internet := deployWithDocuments(t, "claude.test", "claude.ai")
	local, _ := d.describe(internet, "claude.test", "Claude Code", redirectURI)
	for range 2 {
		if n := local.asked("ana@acme.test"); n != 1 {
			t.Errorf("for an app on the machine, consent was asked %d times", n)
		}
	}
	hosted, _ := d.describe(internet, "claude.ai", "Claude", "https://claude.ai/api/mcp/auth_callback")
	for want := range 2 {
		if n := hosted.asked("ana@acme.test"); n != 1-want {
			t.Errorf("for the vendor's host, consent was asked %d times, want %d", n, 1-want)
		}
	}
}

func TestKnownBrowserIsRememberedByAHashOnly(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	back := a.signInPage("ana@acme.test")
	first := cookieNamed(back, "sallyport_known")
	if first == nil || !first.HttpOnly || first.SameSite != http.SameSiteLaxMode || first.MaxAge != 30*24*3600 || first.Path != "/" {
		t.Fatalf("the cookie is %v", first)
	}
	account, err := d.store.BrowserAccount(t.Context(), state.TokenHash(first.Value))
	if err != nil || account != d.account("ana@acme.test") {
		t.Errorf("it stands for %q, error %v", account, err)
	}
	_, err = d.store.BrowserAccount(t.Context(), first.Value)
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the cookie itself is in Redis: %v", err)
	}
	// It is another one after each sign-in, and the old one is worth nothing.
	second := cookieNamed(a.signInPage("ana@acme.test"), "sallyport_known")
	_, err = d.store.BrowserAccount(t.Context(), state.TokenHash(first.Value))
	if second == nil || second.Value == first.Value || !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the next cookie is %v, the old one gives %v", second, err)
	}
	if strings.Contains(d.log.String(), first.Value) {
		t.Error("the cookie is in the log")
	}
}

// signInPage signs a person in and returns the answer that calls the assistant back.
func (a *assistant) signInPage(email string) page {
	a.d.t.Helper()
	back, _ := a.finish(a.browser.open(a.authorizeURL()), email)
	return back
}

func cookieNamed(p page, name string) *http.Cookie {
	for _, cookie := range (&http.Response{Header: p.header}).Cookies() {
		if cookie.Name == name {
			return cookie
		}
	}
	return nil
}
