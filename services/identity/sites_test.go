package identity_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sallyport/services/identity"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/state"
)

// acmeHost and acmeID are the site that the stand-in for Atlassian is.
const (
	acmeHost = "acme.atlassian.net"
	acmeID   = "6b1f2c84-93d5-4e0a-8c77-5a2e9d04f1b3"
)

// onlyAcme lets accounts of the one site in.
func onlyAcme(cfg *identity.Config) { cfg.Sites = []string{acmeHost} }

// granted is the grant of an access token at the MCP endpoint.
func (d *deployment) granted(access string) state.Grant {
	d.t.Helper()
	granted, err := d.store.SessionGrant(d.t.Context(), state.TokenHash(access), d.url+"/mcp")
	if err != nil {
		d.t.Fatal(err)
	}
	return granted
}

// issued are the codes and tokens that Atlassian has given so far.
func (d *deployment) issued() []string {
	d.t.Helper()
	response, err := http.Get(d.control + "/issued")
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	var issued []string
	err = json.NewDecoder(response.Body).Decode(&issued)
	if err != nil {
		d.t.Fatal(err)
	}
	return issued
}

// alive says whether Atlassian takes any of these as a token.
func (d *deployment) alive(tokens []string) bool {
	d.t.Helper()
	return slices.ContainsFunc(tokens, func(token string) bool {
		r, err := http.NewRequest(http.MethodGet, d.atlassian+"/me", nil)
		if err != nil {
			d.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			d.t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// keepsNothing fails where somebody has a grant, or Atlassian's token.
func (d *deployment) keepsNothing() {
	d.t.Helper()
	connections, _, err := d.store.Connections(d.t.Context(), state.ConnectionQuery{Limit: 1})
	if err != nil || len(connections) > 0 {
		d.t.Errorf("there are grants: %+v, %v", connections, err)
	}
	err = d.store.PeopleWithUpstream(d.t.Context(), func(account string) error {
		d.t.Errorf("a token of %s is kept", account)
		return nil
	})
	if err != nil {
		d.t.Error(err)
	}
}

// TestAttackAccountOfAnotherSite signs in with accounts that Atlassian knows, and the company doesn't.
func TestAttackAccountOfAnotherSite(t *testing.T) {
	d := deploy(t, onlyAcme)
	for sites, says := range map[string]string{
		`["other.atlassian.net"]`: "This one came with other.atlassian.net. Try again with your company's account",
		`["acme.atlassian.net.other.test","xacme.atlassian.net","atlassian.net","b.atlassian.net","c.atlassian.net"]`: "This one came with acme.atlassian.net.other.test, xacme.atlassian.net, atlassian.net and 2 more.",
		`[]`: "This one came with no site at all.",
	} {
		d.change("people/cy@acme.test/sites", sites)
		for name, a := range map[string]*assistant{"assistant": d.connect("Codex"), "command line": d.cli(), "console": d.console()} {
			before := len(d.issued())
			told := a.signIn("cy@acme.test")
			if told.Get("error") != "access_denied" || !strings.Contains(told.Get("error_description"), says) || told.Has("code") {
				t.Errorf("%s with %s: called back with %v", name, sites, told)
			}
			if tokens := d.issued()[before:]; len(tokens) == 0 || d.alive(tokens) {
				t.Errorf("%s with %s: %d codes and tokens, and Atlassian takes one of them still", name, sites, len(tokens))
			}
		}
	}
	d.keepsNothing()
	if acts := d.acts(); acts != "" {
		t.Errorf("recorded was %s", acts)
	}
	d.hasLogged(`"sign-in refused"`, 9)
}

// TestAccountsOfTheSites signs in those who may, one with several sites of which Atlassian names another one first.
func TestAccountsOfTheSites(t *testing.T) {
	d := deploy(t, func(cfg *identity.Config) { cfg.Sites = []string{"beta.atlassian.net", " ACME.atlassian.net"} })
	d.change("people/bo@acme.test/sites", `["other.atlassian.net","acme.atlassian.net"]`)
	for _, email := range []string{"ana@acme.test", "bo@acme.test"} {
		got := d.granted(d.connect("Codex").tokens(email).text("access_token"))
		if got.Site != acmeID || got.SiteHost != acmeHost {
			t.Errorf("%s is signed in for the site %s (%s)", email, got.SiteHost, got.Site)
		}
	}
	// An admin's site has to be found out, which takes more than to know who it is.
	a := d.cli()
	consent := a.browser.open(a.authorizeURL())
	if !strings.Contains(consent.text, "Atlassian will ask you to allow what assistants need") {
		t.Errorf("the page doesn't say that Atlassian asks for more:\n%s", consent.text)
	}
	before := len(d.issued())
	asked := a.browser.submit(a.browser.submit(consent, "decision", "allow"), "email", "ana@acme.test")
	if !strings.Contains(asked.text, "read:jira:agent-interface") || strings.Contains(asked.text, "offline_access") {
		t.Errorf("Atlassian was asked for something else:\n%s", asked.text)
	}
	got := a.exchange(a.calledBack(a.browser.submit(asked, "decision", "accept")).Get("code"))
	granted, err := d.admin(got.text("access_token"))
	if err != nil || granted.SiteHost != acmeHost {
		t.Errorf("the admin's grant is %+v, error %v", granted, err)
	}
	if d.alive(d.issued()[before:]) {
		t.Error("Atlassian's token wasn't given back")
	}
}

// TestSitesThatCantBeFoundOut takes the tool away that tells them, and then Atlassian's other way.
func TestSitesThatCantBeFoundOut(t *testing.T) {
	refuse := false
	var api *httputil.ReverseProxy
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse && r.URL.Path == "/oauth/token/accessible-resources" {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d := deploy(t, onlyAcme, func(cfg *identity.Config) {
		at, err := url.Parse(cfg.AtlassianAPIURL)
		if err != nil {
			t.Fatal(err)
		}
		api, cfg.AtlassianAPIURL = httputil.NewSingleHostReverseProxy(at), server.URL
	})
	d.change("address", `"tool"`)
	if got := d.granted(d.connect("Codex").tokens("ana@acme.test").text("access_token")); got.SiteHost != acmeHost {
		t.Errorf("by the other way the site is %q", got.SiteHost)
	}
	_, err := d.store.EndPerson(t.Context(), d.account("ana@acme.test"))
	if err != nil {
		t.Fatal(err)
	}
	refuse = true
	for name, a := range map[string]*assistant{"assistant": d.connect("Codex"), "command line": d.cli()} {
		told := a.signIn("ana@acme.test")
		if told.Get("error") == "" || told.Has("code") || !strings.Contains(told.Get("error_description"), "Atlassian doesn't let Sallyport in from its IP address") {
			t.Errorf("%s: called back with %v", name, told)
		}
	}
	d.keepsNothing()

	// Where it doesn't matter, nobody is kept out.
	d.cfg.Sites = nil
	a := d.connect("Codex")
	d.end()
	d.serve(d.cfg.Listen)
	if got := d.granted(a.tokens("ana@acme.test").text("access_token")); got.Site != "" || got.SiteHost != "" {
		t.Errorf("the site is %q (%s)", got.SiteHost, got.Site)
	}
	d.logs("accounts of any Atlassian site may sign in: name those of your company by --sites")
}

// TestPeopleOfOtherSitesAreSignedOut sets the sites while people are signed in.
func TestPeopleOfOtherSitesAreSignedOut(t *testing.T) {
	d := deploy(t)
	d.change("people/bo@acme.test/sites", `["other.atlassian.net","acme.atlassian.net"]`)
	d.change("people/cy@acme.test/sites", `["other.atlassian.net"]`)
	ana, bo, cy, admin := d.connect("Codex"), d.connect("Codex"), d.connect("Codex"), d.cli()
	stays := ana.tokens("ana@acme.test")
	before := len(d.issued())
	ends := map[string]answer{"other": cy.tokens("cy@acme.test"), "first of two": bo.tokens("bo@acme.test")}
	issued := d.issued()[before:]
	if !d.alive(issued) {
		t.Fatal("Atlassian takes none of its tokens")
	}
	// Of an admin who signed in while sites didn't matter none is known.
	session := admin.tokens("ana@acme.test").text("access_token")
	d.cfg.Sites = []string{acmeHost}
	d.serve(nativetest.FreeAddress(t))
	d.eventually("people of other sites are signed out", func() bool {
		_, err := d.admin(session)
		return err != nil && !d.works(ends["other"].text("access_token")) && !d.works(ends["first of two"].text("access_token"))
	})
	d.eventually("Atlassian is told", func() bool { return !d.alive(issued) })
	for name, tokens := range ends {
		a := map[string]*assistant{"other": cy, "first of two": bo}[name]
		a.refresh(tokens.text("refresh_token")).refused(t, http.StatusBadRequest, "invalid_grant")
	}
	if !d.works(stays.text("access_token")) || ana.refresh(stays.text("refresh_token")).status != http.StatusOK {
		t.Error("somebody of the site was signed out")
	}
	d.hasLogged("its site isn't one of --sites", 3)
}
