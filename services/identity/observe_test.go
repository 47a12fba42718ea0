package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/identity"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/state"
)

// domainText and addressText are Rovo's own words.
const (
	domainText  = "Your organization admin must authorize access from this redirect URL"
	addressText = "You don't have permission to connect from this IP address"
)

// seen is what identity has seen of Atlassian so far.
func (d *deployment) seen() state.Observed {
	d.t.Helper()
	seen, err := d.store.Observed(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return seen
}

// sees waits for something to be seen.
func (d *deployment) sees(what state.Observation) state.Sighting {
	d.t.Helper()
	d.eventually(string(what), func() bool { return !d.seen().Last[what].At.IsZero() })
	return d.seen().Last[what]
}

// only fails where something else was seen than this.
func (d *deployment) only(whats ...state.Observation) {
	d.t.Helper()
	seen := d.seen()
	for _, what := range whats {
		if seen.Last[what].At.IsZero() {
			d.t.Errorf("%s wasn't seen", what)
		}
		delete(seen.Last, what)
	}
	if len(seen.Last) > 0 {
		d.t.Errorf("seen was %v too", seen.Last)
	}
}

// TestStartRegistersAndAsksNothingElse shows what finding out costs: one registration for all replicas, and
// no call of a tool, although there is a service credential.
func TestStartRegistersAndAsksNothingElse(t *testing.T) {
	d := deploy(t)
	d.sees(state.Registered)
	d.serve(nativetest.FreeAddress(t))
	if calls := d.calls(); calls != 0 {
		t.Errorf("%d MCP requests reached Atlassian before anybody signed in", calls)
	}
	d.connect("Codex").tokens("bo@acme.test")
	d.only(state.Registered, state.SignInSent, state.SignedIn, state.CallAnswered)
	if n := strings.Count(d.log.String(), `"registered at Atlassian"`); n != 1 {
		t.Errorf("registered %d times", n)
	}
	if seen := d.seen(); seen.Callback != d.url+"/mcp/callback" || seen.NotReturned != 0 {
		t.Errorf("seen was %+v", seen)
	}
}

// calls is how many MCP requests reached Atlassian.
func (d *deployment) calls() int {
	d.t.Helper()
	response, err := http.Get(d.control + "/calls")
	got := readAnswer(d.t, response, err)
	last, ok := got.body["last"].(float64)
	if !ok {
		d.t.Fatalf("the journal is %v", got.body)
	}
	return int(last)
}

func TestRegistrationIsRefused(t *testing.T) {
	d := deploySwitched(t, map[string]string{
		"registration_error": `{"error":"invalid_redirect_uri","error_description":"` + strings.ToUpper(domainText) + `!"}`,
	})
	if got := d.sees(state.RegistrationRefused); got.Code != "invalid_redirect_uri" || got.Text != domainText {
		t.Errorf("seen was %+v", got)
	}
	d.only(state.RegistrationRefused)
	// Atlassian isn't asked again and again.
	d.logs(`"again_in":"15m0s"`)
	a := d.connect("Codex")
	told := a.signIn("bo@acme.test")
	if told.Get("error") != "access_denied" || !strings.Contains(told.Get("error_description"), d.url+"/mcp/callback") {
		t.Errorf("the assistant is told %v", told)
	}
	d.change("registration_error", `{"error":"","error_description":""}`)
	d.connect("Codex").tokens("bo@acme.test")
	seen := d.seen()
	if !seen.Last[state.Registered].At.After(seen.Last[state.RegistrationRefused].At) {
		t.Errorf("seen was %+v", seen)
	}
}

// TestAtlassianIsOutOfReach is no refusal: it has no code.
func TestAtlassianIsOutOfReach(t *testing.T) {
	d := deploy(t, func(cfg *identity.Config) { cfg.AtlassianMCPURL = "http://" + nativetest.FreeAddress(t) + "/v2/mcp" })
	if got := d.sees(state.RegistrationRefused); got.Code != "" || !strings.Contains(got.Text, "discovering Atlassian's authorization server") {
		t.Errorf("seen was %+v", got)
	}
	d.only(state.RegistrationRefused)
}

func TestDomainIsRefusedAtSignIn(t *testing.T) {
	d := deploySwitched(t, map[string]string{"domains": `["https://elsewhere.acme.test/**"]`, "domain_error": `"return"`})
	told := d.connect("Codex").signIn("bo@acme.test")
	if told.Get("error") != "access_denied" || !strings.Contains(told.Get("error_description"), "add "+d.url+"/mcp/callback to the domains of the Rovo MCP server") {
		t.Errorf("the assistant is told %v", told)
	}
	if got := d.sees(state.DomainRefused); got.Text != domainText || got.Code != "access_denied" {
		t.Errorf("seen was %+v", got)
	}
	d.only(state.Registered, state.SignInSent, state.DomainRefused)

	// As Rovo does it mostly, nothing comes back.
	d.change("domain_error", `"consent"`)
	for range 3 {
		a := d.connect("Codex")
		end, _ := a.finish(a.browser.open(a.authorizeURL()), "bo@acme.test")
		if !strings.HasPrefix(end.url.String(), d.atlassian) {
			t.Fatalf("the browser is at %s", end.url)
		}
	}
	if n := d.seen().NotReturned; n != 0 {
		t.Errorf("%d sign-ins of just now are given up", n)
	}
	d.elevenMinutesLater()
	if n := d.seen().NotReturned; n != 3 {
		t.Errorf("%d sign-ins never came back, want 3", n)
	}

	d.change("domains", `["`+d.url+`/mcp/callback"]`)
	d.connect("Codex").tokens("bo@acme.test")
	seen := d.seen()
	if seen.NotReturned != 0 || !seen.Last[state.SignedIn].At.After(seen.Last[state.DomainRefused].At) {
		t.Errorf("seen was %+v", seen)
	}
}

// elevenMinutesLater makes sign-ins that are out as old as that.
func (d *deployment) elevenMinutesLater() {
	d.t.Helper()
	client := d.redis()
	const key = "{sallyport}:observed-out"
	for _, hash := range client.ZRange(d.t.Context(), key, 0, -1).Val() {
		err := client.ZIncrBy(d.t.Context(), key, -float64((11 * time.Minute).Milliseconds()), hash).Err()
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

func TestCancelledSignInSaysNothingOfTheDomain(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	login := a.browser.submit(a.browser.open(a.authorizeURL()), "decision", "allow")
	told := a.calledBack(a.browser.submit(a.browser.submit(login, "email", "bo@acme.test"), "decision", "cancel"))
	if told.Get("error") != "access_denied" {
		t.Errorf("the assistant is told %v", told)
	}
	d.only(state.Registered, state.SignInSent, state.SignInRefused)
	d.elevenMinutesLater()
	if n := d.seen().NotReturned; n != 0 {
		t.Errorf("%d sign-ins never came back", n)
	}
}

func TestAddressIsRefused(t *testing.T) {
	for _, how := range []string{"status", "tool"} {
		t.Run(how, func(t *testing.T) {
			d := deploySwitched(t, map[string]string{"address": `"` + how + `"`})
			// Atlassian lets the browser in, so it is the address that Sallyport calls from.
			d.connect("Codex").signIn("bo@acme.test")
			if got := d.sees(state.AddressRefused); got.Text != addressText {
				t.Errorf("seen was %+v", got)
			}
			d.only(state.Registered, state.SignInSent, state.SignedIn, state.AddressRefused)
			d.change("address", `"allowed"`)
			d.connect("Codex").tokens("bo@acme.test")
			seen := d.seen()
			if !seen.Last[state.CallAnswered].At.After(seen.Last[state.AddressRefused].At) {
				t.Errorf("seen was %+v", seen)
			}
		})
	}
}

// TestAdminSignInShowsTheDomainToo is why a new deployment knows after the admin's own sign-in.
func TestAdminSignInShowsTheDomainToo(t *testing.T) {
	d := deploy(t)
	d.cli().tokens("bo@acme.test")
	d.only(state.Registered, state.SignInSent, state.SignedIn, state.CallAnswered)
}

// TestForeignTextIsKeptShortAndClear comes back with what nobody at Atlassian wrote, as whoever began a
// sign-in can.
func TestForeignTextIsKeptShortAndClear(t *testing.T) {
	d := deploySwitched(t, map[string]string{"iss": "false"})
	for _, text := range []string{strings.Repeat("x", 5000), "see https://evil.example?token=" + addressText} {
		a := d.connect("Codex")
		login := a.browser.submit(a.browser.open(a.authorizeURL()), "decision", "allow")
		a.browser.open(d.url + "/mcp/callback?" + url.Values{
			"state": {d.upstreamState(login)}, "error": {"access_denied"}, "error_description": {text},
		}.Encode())
		if got := d.sees(state.SignInRefused); got.Text == "" || len([]rune(got.Text)) > 300 || strings.Contains(got.Text, "evil") {
			t.Errorf("kept was %q", got.Text)
		}
	}
	d.only(state.Registered, state.SignInSent, state.SignInRefused)
	if d.seen().Last[state.SignInRefused].Text != addressText {
		t.Error("Rovo's own text isn't kept as Sallyport knows it")
	}
}

// upstreamState is the state with which the browser was sent to Atlassian's login page.
func (d *deployment) upstreamState(login page) string {
	d.t.Helper()
	value := login.url.Query().Get("state")
	if value == "" {
		d.t.Fatalf("no state in %s", login.url)
	}
	return value
}

// TestAnotherCallbackForgetsWhatWasSeen starts with another public URL, of which nothing is known.
func TestAnotherCallbackForgetsWhatWasSeen(t *testing.T) {
	d := deploy(t)
	d.connect("Codex").tokens("bo@acme.test")
	d.cfg.PublicURL = "http://localhost:51877"
	d.serve(nativetest.FreeAddress(t))
	d.eventually("the new callback", func() bool { return d.seen().Callback == "http://localhost:51877/mcp/callback" })
	d.only(state.Registered)
}

// TestSignInsGoOnWhileNothingCanBeKept spoils what observations are kept in.
func TestSignInsGoOnWhileNothingCanBeKept(t *testing.T) {
	d := deploy(t)
	d.sees(state.Registered)
	client := d.redis()
	for key, value := range map[string]string{"{sallyport}:observed": "no hash", "{sallyport}:observed-out": "no set"} {
		err := client.Set(t.Context(), key, value, redis.KeepTTL).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := d.connect("Codex").tokens("bo@acme.test"); got.status != http.StatusOK {
		t.Errorf("signing in gives %d", got.status)
	}
	d.logs("lost to the set-up status")
}
