package identity_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"sallyport/services/identity"
	"sallyport/services/identity/document/documenttest"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// deployWithDocuments is deploy, with an internet from which these hosts' documents may be fetched.
func deployWithDocuments(t *testing.T, hosts ...string) (*deployment, *documenttest.Internet) {
	t.Helper()
	internet := documenttest.Start(t)
	d := deploy(t, func(cfg *identity.Config) {
		documents := internet.Config(hosts...)
		cfg.ClientIDDomains, cfg.ClientIDCAFile, cfg.ClientIDResolver = documents.Domains, documents.CAFile, documents.Resolver
		cfg.ClientIDNetworks = []string{"127.0.0.1/32"}
	})
	return d, internet
}

// describing answers with a document that describes a client; the text may change from one answer to
// the next.
type describing struct {
	name, redirect atomic.Value
}

func (c *describing) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"client_id":"https://%s%s","client_name":%q,"redirect_uris":[%q],"token_endpoint_auth_method":"none"}`,
		r.Host, r.URL.Path, c.name.Load(), c.redirect.Load())
}

// describe puts a client on the internet and returns it.
func (d *deployment) describe(internet *documenttest.Internet, host, name, redirect string) (*assistant, *describing) {
	d.t.Helper()
	c := &describing{}
	c.name.Store(name)
	c.redirect.Store(redirect)
	a := &assistant{
		d: d, id: internet.Serve(host, "/client.json", c.serve), redirect: redirect, verifier: oauth2.GenerateVerifier(), state: seal.Random(8),
		browser: newBrowser(d.t, redirect),
	}
	return a, c
}

// refetch makes Sallyport fetch a document again.
func (d *deployment) refetch(id string) {
	d.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: d.cfg.Redis})
	defer client.Close()
	err := client.Del(d.t.Context(), "{sallyport}:document:"+state.TokenHash(id)).Err()
	if err != nil {
		d.t.Fatal(err)
	}
}

func TestSignInOfADescribedClient(t *testing.T) {
	d, internet := deployWithDocuments(t, "claude.test")
	if d.get("/.well-known/oauth-authorization-server").body["client_id_metadata_document_supported"] != true {
		t.Error("documents aren't offered")
	}
	a, _ := d.describe(internet, "claude.test", "Claude Code", "http://localhost/callback")
	a.redirect = redirectURI
	a.browser.stopAt = redirectURI
	shown := a.browser.open(a.authorizeURL())
	for _, want := range []string{"Claude Code", "Not verified", "claude.test", redirectURI} {
		if !strings.Contains(shown.text, want) {
			t.Errorf("the page doesn't say %q:\n%s", want, shown.text)
		}
	}
	got := a.tokens("ana@acme.test")
	granted, err := d.store.SessionGrant(t.Context(), state.TokenHash(got.text("access_token")), d.url+"/mcp")
	if err != nil || granted.ClientID != a.id || granted.ClientKey != "claude-code" || granted.ClientClass != "claimed" {
		t.Errorf("granted %+v, error %v", granted, err)
	}
	if next := a.refresh(got.text("refresh_token")); next.status != http.StatusOK {
		t.Errorf("refreshing: %d %v", next.status, next.body)
	}
	// One fetch serves the whole sign-in, and those that come later.
	if n := internet.Requests.Load(); n != 1 {
		t.Errorf("the document was fetched %d times", n)
	}
	d.refetch(a.id)
	a.tokens("bo@acme.test")
	if n := internet.Requests.Load(); n != 2 {
		t.Errorf("after it was no longer fresh, the document was fetched %d times", n)
	}
}

func TestClientOnItsVendorsHostIsVerified(t *testing.T) {
	d, internet := deployWithDocuments(t, "claude.ai", "other.test")
	a, _ := d.describe(internet, "claude.ai", "Claude", "https://claude.ai/api/mcp/auth_callback")
	shown := a.browser.open(a.authorizeURL())
	if !strings.Contains(shown.text, ">Verified<") {
		t.Errorf("the page doesn't say that Claude is verified:\n%s", shown.text)
	}
	other, _ := d.describe(internet, "other.test", "Claude", "https://other.test/callback")
	shown = other.browser.open(other.authorizeURL())
	if !strings.Contains(shown.text, ">Unknown<") || strings.Contains(shown.text, ">Verified<") {
		t.Errorf("another vendor's client that calls itself Claude:\n%s", shown.text)
	}
}

// Claude waits for ever where a fetch goes wrong without an answer, so there is one at once.
func TestDocumentThatCantBeUsed(t *testing.T) {
	d, internet := deployWithDocuments(t, "claude.test")
	a, c := d.describe(internet, "claude.test", "Claude Code", "http://example.com/callback")
	got := a.browser.open(a.authorizeURL())
	if got.status != http.StatusBadRequest || !strings.Contains(got.text, "must use https") || got.header.Get("Location") != "" {
		t.Errorf("got %d\n%s", got.status, got.text)
	}
	// It isn't asked for again at once, not by anybody.
	c.redirect.Store(redirectURI)
	got = newBrowser(t, redirectURI).open(a.authorizeURL())
	if got.status != http.StatusBadRequest || internet.Requests.Load() != 1 {
		t.Errorf("got %d after %d requests", got.status, internet.Requests.Load())
	}
	d.refetch(a.id)
	a.redirect = redirectURI
	if got = a.browser.open(a.authorizeURL()); got.status != http.StatusOK {
		t.Errorf("once the document is right: %d\n%s", got.status, got.text)
	}
	for id, says := range map[string]string{
		"https://evil.test/client.json":         "descriptions of assistants from evil.test",
		"https://claude.test":                   "its path is missing",
		"https://127.0.0.1/client.json":         "isn&#39;t a name",
		"http://claude.test/client.json":        "isn&#39;t an https address",
		internet.URL("claude.test", "/missing"): "status 404",
		"urn:x":                                 "isn&#39;t an https address",
	} {
		got := a.browser.open(a.authorizeURL("client_id", id))
		if got.status != http.StatusBadRequest || !strings.Contains(got.text, says) {
			t.Errorf("%s: %d\n%s", id, got.status, got.text)
		}
	}
}

func TestDocumentsTurnedOff(t *testing.T) {
	d := deploy(t, func(cfg *identity.Config) { cfg.ClientIDDomains = []string{"none"} })
	_, offered := d.get("/.well-known/oauth-authorization-server").body["client_id_metadata_document_supported"]
	a := d.connect("Codex")
	got := a.browser.open(a.authorizeURL("client_id", "https://claude.ai/oauth/claude-code-client-metadata"))
	if offered || got.status != http.StatusBadRequest || !strings.Contains(got.text, "turned off here") {
		t.Errorf("offered is %t, got %d\n%s", offered, got.status, got.text)
	}
	a.post("/oauth/token", "client_id", "https://claude.ai/oauth/claude-code-client-metadata", "grant_type", "refresh_token").
		refused(t, http.StatusUnauthorized, "invalid_client")
}

// Where a known vendor can't be reached, it is Sallyport that has no way out: assistants register then.
func TestDocumentsArentOfferedWhereTheyCantBeFetched(t *testing.T) {
	d, internet := deployWithDocuments(t, "other.test", "claude.ai")
	offered := func() bool {
		return d.get("/.well-known/oauth-authorization-server").body["client_id_metadata_document_supported"] == true
	}
	a := d.connect("Codex")
	a.browser.open(a.authorizeURL("client_id", internet.URL("other.test", "/client.json")))
	if !offered() {
		t.Error("somebody's host that doesn't exist took documents away from all")
	}
	got := a.browser.open(a.authorizeURL("client_id", internet.URL("claude.ai", "/client.json")))
	if got.status != http.StatusBadRequest || !strings.Contains(got.text, "can&#39;t read that") || offered() {
		t.Errorf("got %d, offered is %t\n%s", got.status, offered(), got.text)
	}
}

func TestFlagsOfDocuments(t *testing.T) {
	internet := documenttest.Start(t)
	for name, change := range map[string]func(*identity.Config){
		"--client-id-networks":       func(cfg *identity.Config) { cfg.ClientIDNetworks = []string{"10.0.0.1"} },
		"isn't a domain":             func(cfg *identity.Config) { cfg.ClientIDDomains = []string{"any", "claude.ai"} },
		"behind a proxy the domains": func(cfg *identity.Config) { cfg.ClientIDProxy = "http://proxy.test:3128" },
		"reading certificate":        func(cfg *identity.Config) { cfg.ClientIDCAFile = internet.URL("x", "/") },
	} {
		cfg := identity.Config{PublicURL: "http://localhost:8800", RegistrationsPerAddress: 1, RegistrationsInAll: 1, ClientIDDomains: []string{"any"}}
		change(&cfg)
		err := cfg.Validate()
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Somebody who waits for the same document waits for the same fetch.
func TestDocumentIsFetchedOnceForAll(t *testing.T) {
	d, internet := deployWithDocuments(t, "claude.test")
	slow := make(chan bool)
	a, c := d.describe(internet, "claude.test", "Claude Code", redirectURI)
	internet.Serve("claude.test", "/client.json", func(w http.ResponseWriter, r *http.Request) {
		<-slow
		c.serve(w, r)
	})
	done := make(chan int)
	for range 10 {
		go func() {
			response, err := http.Get(a.authorizeURL())
			if err != nil {
				done <- 0
				return
			}
			response.Body.Close()
			done <- response.StatusCode
		}()
	}
	time.Sleep(300 * time.Millisecond)
	close(slow)
	for range 10 {
		if status := <-done; status != http.StatusOK {
			t.Errorf("got %d", status)
		}
	}
	if n := internet.Requests.Load(); n != 1 {
		t.Errorf("the document was fetched %d times", n)
	}
}
