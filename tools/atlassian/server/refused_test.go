package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sallyport/tools/atlassian/oauth"
)

func TestRefusedRegistrationAndReturnedDomain(t *testing.T) {
	s := start(t)
	r := register(t, s)
	flip(t, s, map[string]any{"domains": []string{}, "domain_error": "return"})
	b := newBrowser(t)
	b.open(r.authorizeURL())
	b.press("Log in", url.Values{"email": {"bo@acme.test"}})
	b.press("Accept", nil)
	if b.back.Query().Get("error") != "access_denied" || !strings.Contains(b.back.Query().Get("error_description"), "must authorize access") {
		t.Errorf("came back with %v", b.back)
	}
	flip(t, s, map[string]any{"registration_error": map[string]any{"error": "invalid_redirect_uri", "error_description": "No."}})
	a := send(t, http.MethodPost, s.URL+"/"+oauth.Tenant+"/dcr/register", map[string]any{"redirect_uris": []string{callback}})
	if a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), `"invalid_redirect_uri"`) || !strings.Contains(string(a.Body), "No.") {
		t.Errorf("registration answered %d %s", a.Status, a.Body)
	}
}

func TestRefusedAddress(t *testing.T) {
	s := start(t)
	_, token := signedIn(t, s, "ana@acme.test")
	session := connect(t, s.URL+oauth.V2+"?tools=all", "", hasToken(token.Access))
	flip(t, s, map[string]any{"address": "tool"})
	if len(names(t, session)) == 0 {
		t.Error("no tools are listed")
	}
	if got, failed := call(t, session, "atlassianUserInfo", nil); !failed || !strings.HasPrefix(got["message"].(string), "You don't have permission to connect from this IP address") {
		t.Errorf("a call answered %v", got)
	}
	flip(t, s, map[string]any{"address": "status"})
	if got := status(t, s, token.Access); got != http.StatusForbidden {
		t.Errorf("status %d, want 403", got)
	}
}
