package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// verifier is the assistants' PKCE verifier (RFC 7636 section 4.1).
const verifier = "a-verifier-that-is-long-enough-for-the-end-to-end-tests"

// session is an assistant's sign-in without an SDK, which would sign in again by itself when it is
// refused: the tokens, and how to renew them.
type session struct {
	clientID        string
	access, refresh string
}

// signIn registers an assistant with a redirect of its own, which says what it is taken for, lets a
// person consent, and exchanges the code.
func signIn(t *testing.T, email, clientName, redirect string) *session {
	t.Helper()
	clientID, end := authorize(t, email, clientName, redirect)
	s := &session{clientID: clientID}
	refused, err := s.obtain(t.Context(), url.Values{
		"grant_type": {"authorization_code"}, "code": {end.Get("code")}, "redirect_uri": {redirect}, "code_verifier": {verifier},
	})
	if err != nil || refused != "" {
		t.Fatalf("exchanging the code of %s: %s %v", email, refused, err)
	}
	return s
}

// authorize is signIn up to where the assistant is called back, with a code or an error.
func authorize(t *testing.T, email, clientName, redirect string) (clientID string, end url.Values) {
	t.Helper()
	base := strings.TrimSuffix(sallyport.MCPURL, "/mcp")
	metadata := fmt.Sprintf(`{"client_name":%q,"redirect_uris":[%q]}`, clientName, redirect)
	registered, err := http.Post(base+"/oauth/register", "application/json", strings.NewReader(metadata))
	if err != nil {
		t.Fatal(err)
	}
	defer registered.Body.Close()
	var client struct {
		ID string `json:"client_id"`
	}
	err = json.NewDecoder(registered.Body).Decode(&client)
	if err != nil || client.ID == "" {
		t.Fatalf("registering %s: HTTP %d, %v", clientName, registered.StatusCode, err)
	}
	sum := sha256.Sum256([]byte(verifier))
	asked := url.Values{
		"response_type": {"code"}, "client_id": {client.ID}, "redirect_uri": {redirect}, "state": {"e2e"}, "resource": {sallyport.MCPURL},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	who := newPerson(email)
	at, err := who.signIn(t.Context(), base+"/oauth/authorize?"+asked.Encode(), redirect)
	if err != nil {
		t.Fatalf("signing %s in: %v (pages seen: %q)", email, err, who.pages)
	}
	return client.ID, at.Query()
}

// renew exchanges the refresh token, or returns the code of OAuth with which that is refused.
func (s *session) renew(ctx context.Context) (refused string, err error) {
	return s.obtain(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.refresh}})
}

func (s *session) obtain(ctx context.Context, form url.Values) (refused string, err error) {
	form.Set("client_id", s.clientID)
	form.Set("resource", sallyport.MCPURL)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(sallyport.MCPURL, "/mcp")+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		Error   string `json:"error"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if err != nil || answer.Error != "" {
		return answer.Error, err
	}
	s.access, s.refresh = answer.Access, answer.Refresh
	return "", nil
}
