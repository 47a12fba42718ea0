package identity_test

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

const redirectURI = "http://localhost:51812/callback"

// assistant is a client of Sallyport.
type assistant struct {
	d        *deployment
	id       string
	redirect string
	verifier string
	state    string
	browser  *browser
	// resource is what it asks tokens for, the MCP endpoint where empty.
	resource string
}

// answer is the answer of a call.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) text(name string) string { text, _ := a.body[name].(string); return text }

func (d *deployment) register(metadata string) answer {
	d.t.Helper()
	response, err := http.Post(d.url+"/oauth/register", "application/json", strings.NewReader(metadata))
	return readAnswer(d.t, response, err)
}

func readAnswer(t *testing.T, response *http.Response, err error) answer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header}
	if len(text) > 0 {
		err = json.Unmarshal(text, &a.body)
		if err != nil {
			t.Fatalf("%s: %v\n%s", response.Request.URL.Path, err, text)
		}
	}
	return a
}

func (d *deployment) connect(name string) *assistant {
	d.t.Helper()
	got := d.register(`{"client_name":"` + name + `","redirect_uris":["` + redirectURI + `"],"token_endpoint_auth_method":"none"}`)
	if got.status != http.StatusCreated {
		d.t.Fatalf("registering: %d %v", got.status, got.body)
	}
	return &assistant{
		d: d, id: got.text("client_id"), redirect: redirectURI, verifier: oauth2.GenerateVerifier(), state: seal.Random(8),
		browser: newBrowser(d.t, redirectURI),
	}
}

// authorizeURL is the address that the assistant opens, with these parameters changed; "" removes.
func (a *assistant) authorizeURL(changes ...string) string {
	query := url.Values{
		"response_type": {"code"}, "client_id": {a.id}, "redirect_uri": {a.redirect}, "state": {a.state}, "scope": {"mcp"},
		"resource": {cmp.Or(a.resource, a.d.url+"/mcp")}, "code_challenge": {oauth2.S256ChallengeFromVerifier(a.verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		query.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			query.Del(changes[i])
		}
	}
	return a.d.url + "/oauth/authorize?" + query.Encode()
}

// signIn goes through all pages as a person and returns where the assistant is called back.
func (a *assistant) signIn(email string) url.Values {
	a.d.t.Helper()
	back, _ := a.finish(a.browser.open(a.authorizeURL()), email)
	return a.calledBack(back)
}

// finish fills in all forms from a page on, and returns where that ends and how often Sallyport asked
// for consent.
func (a *assistant) finish(p page, email string) (end page, consents int) {
	a.d.t.Helper()
	for range 10 {
		switch {
		case p.inputs.Has("request"):
			consents++
			p = a.browser.submit(p, "decision", "allow")
		case p.action == "/login":
			p = a.browser.submit(p, "email", email)
		case p.action == "/consent":
			p = a.browser.submit(p, "decision", "accept")
		default:
			return p, consents
		}
	}
	a.d.t.Fatal("the sign-in goes round in circles")
	return p, consents
}

func (a *assistant) calledBack(back page) url.Values {
	a.d.t.Helper()
	if !strings.HasPrefix(back.url.String(), a.redirect+"?") {
		a.d.t.Fatalf("the browser is at %s instead of the assistant: %d\n%s", back.url, back.status, back.text)
	}
	got := back.url.Query()
	if got.Get("state") != a.state || got.Get("iss") != a.d.url {
		a.d.t.Fatalf("called back with %v", got)
	}
	return got
}

func (a *assistant) post(path string, fields ...string) answer {
	a.d.t.Helper()
	form := url.Values{"client_id": {a.id}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	response, err := http.PostForm(a.d.url+path, form)
	return readAnswer(a.d.t, response, err)
}

func (a *assistant) exchange(code string, changes ...string) answer {
	a.d.t.Helper()
	return a.post("/oauth/token", append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", a.redirect,
		"code_verifier", a.verifier, "resource", cmp.Or(a.resource, a.d.url+"/mcp")}, changes...)...)
}

func (a *assistant) refresh(token string) answer {
	a.d.t.Helper()
	return a.post("/oauth/token", "grant_type", "refresh_token", "refresh_token", token)
}

// tokens signs a person in and returns the tokens.
func (a *assistant) tokens(email string) answer {
	a.d.t.Helper()
	got := a.exchange(a.signIn(email).Get("code"))
	if got.status != http.StatusOK {
		a.d.t.Fatalf("exchanging the code: %d %v", got.status, got.body)
	}
	return got
}

// works says whether an access token lets anybody in.
func (d *deployment) works(access string) bool {
	d.t.Helper()
	_, err := d.store.SessionGrant(d.t.Context(), state.TokenHash(access), d.url+"/mcp")
	return err == nil
}

func (a answer) refused(t *testing.T, status int, code string) {
	t.Helper()
	if a.status != status || a.text("error") != code {
		t.Errorf("got %d %v; want %d %s", a.status, a.body, status, code)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer may be cached: %q", a.header.Get("Cache-Control"))
	}
}

func TestSignIn(t *testing.T) {
	d := deploy(t)
	a := d.connect("Claude Code (atlassian)")
	got := a.tokens("ana@acme.test")
	if got.header.Get("Cache-Control") != "no-store" || got.text("token_type") != "Bearer" || got.body["expires_in"] != 3600.0 || got.text("scope") != "mcp" {
		t.Errorf("got %v %v", got.header, got.body)
	}
	ctx := t.Context()
	granted, err := d.store.SessionGrant(ctx, state.TokenHash(got.text("access_token")), d.url+"/mcp")
	if err != nil {
		t.Fatal(err)
	}
	want := state.Grant{
		ID: granted.ID, Rev: granted.Rev, AccountID: granted.AccountID, Email: "ana@acme.test", Name: "Ana Albarn",
		ClientID: a.id, ClientKey: "claude-code", ClientName: "Claude Code", ClientClass: "claimed",
		Resource: d.url + "/mcp", Site: acmeID, SiteHost: acmeHost, CreatedAt: granted.CreatedAt,
	}
	if diff := gocmp.Diff(want, granted); diff != "" || granted.AccountID == "" || granted.Rev == "" {
		t.Errorf("grant (-want +got):\n%s\n%+v", diff, granted)
	}
	groups, err := d.store.Groups(ctx, granted.AccountID)
	if err != nil || !groups.Known || len(groups.List) != 1 || groups.List[0].Name != "developers" {
		t.Errorf("groups are %+v, error %v", groups, err)
	}
	upstream, err := d.store.Upstream(ctx, granted.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.box.Open(upstream.Access, state.AccessUse(granted.AccountID)); err != nil {
		t.Errorf("the Atlassian token can't be opened: %v", err)
	}

	next := a.refresh(got.text("refresh_token"))
	if next.status != http.StatusOK || !d.works(next.text("access_token")) || !d.works(got.text("access_token")) {
		t.Errorf("refreshing: %d %v", next.status, next.body)
	}
	again := a.refresh(next.text("refresh_token"))
	if again.status != http.StatusOK || again.text("refresh_token") == next.text("refresh_token") {
		t.Errorf("refreshing again: %d %v", again.status, again.body)
	}
	for _, secret := range []string{got.text("access_token"), got.text("refresh_token"), again.text("access_token"), a.verifier} {
		if strings.Contains(d.log.String(), secret) {
			t.Error("a secret is in the log")
		}
	}
}

func TestSecondSignInUsesTheSameRegistrationAtAtlassian(t *testing.T) {
	d := deploy(t)
	d.connect("Codex").tokens("bo@acme.test")
	d.connect("Cursor").tokens("bo@acme.test")
	if n := strings.Count(d.log.String(), "registered at Atlassian"); n != 1 {
		t.Errorf("registered %d times", n)
	}
}
