package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
)

// maxForm bounds the bodies of the token and revocation endpoints, in bytes.
const maxForm = 64 << 10

// refusal is an error answer of the token endpoint.
type refusal struct {
	status            int
	code, description string
}

func invalidGrant(description string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_grant", description}
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request", "The form could not be read")
		return
	}
	s.mu.Lock()
	answer, refused := s.token(r)
	s.mu.Unlock()
	if refused != nil {
		writeError(w, refused.status, refused.code, refused.description)
		return
	}
	if r.PostForm.Get("grant_type") == "refresh_token" && s.switches.TakeLostRefresh() {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) token(r *http.Request) (map[string]any, *refusal) {
	c, refused := s.authenticate(r)
	if refused != nil {
		return nil, refused
	}
	switch grantType := r.PostForm.Get("grant_type"); grantType {
	case "authorization_code":
		return s.redeem(c, r.PostForm)
	case "refresh_token":
		return s.rotate(c, r.PostForm)
	default:
		return nil, &refusal{http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type: " + grantType}
	}
}

func (s *Server) authenticate(r *http.Request) (*client, *refusal) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		// RFC 6749 section 2.3.1: both are form-encoded before they go into Basic.
		decodedID, errID := url.QueryUnescape(user)
		decodedSecret, errSecret := url.QueryUnescape(password)
		if errID != nil || errSecret != nil {
			return nil, &refusal{http.StatusUnauthorized, "invalid_client", "Invalid client credentials"}
		}
		id, secret = decodedID, decodedSecret
	}
	c, ok := s.clients[id]
	if !ok {
		return nil, &refusal{http.StatusUnauthorized, "invalid_client", "Unknown client"}
	}
	if c.secret != "" && subtle.ConstantTimeCompare([]byte(c.secret), []byte(secret)) != 1 {
		return nil, &refusal{http.StatusUnauthorized, "invalid_client", "Invalid client credentials"}
	}
	return c, nil
}

// redeem gives tokens for a code. A code that comes twice takes back what it was redeemed for.
func (s *Server) redeem(c *client, form url.Values) (map[string]any, *refusal) {
	given, ok := s.codes[form.Get("code")]
	if !ok || given.client != c {
		return nil, invalidGrant("Invalid authorization code")
	}
	if given.used {
		s.takeBack(given.family)
		return nil, invalidGrant("Invalid authorization code")
	}
	given.used = true
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !s.now().Before(given.expires):
		return nil, invalidGrant("Authorization code has expired")
	case form.Get("redirect_uri") != given.redirectURI:
		return nil, invalidGrant("redirect_uri does not match the one of the authorization request")
	case base64.RawURLEncoding.EncodeToString(sum[:]) != given.challenge:
		return nil, invalidGrant("Failed to verify code verifier")
	}
	resource := form.Get("resource")
	switch {
	case resource != "" && given.resource != "" && resource != given.resource:
		return nil, &refusal{http.StatusBadRequest, "invalid_target", "The requested resource is invalid"}
	case given.resource == "":
		// Both legs must name the resource, or the MCP server refuses the token.
		resource = ""
	}
	grant := Grant{c.id, given.accountID, given.scopes, resource}
	return s.answer(grant, given.family)
}

// rotate gives new tokens for a refresh token, which works only once.
func (s *Server) rotate(c *client, form url.Values) (map[string]any, *refusal) {
	t, ok := s.refresh[form.Get("refresh_token")]
	if ok {
		s.refreshes[t.AccountID]++
	}
	switch {
	case !ok || t.ClientID != c.id || t.revoked:
		return nil, invalidGrant("Unknown or invalid refresh token.")
	case t.used:
		return nil, invalidGrant("refresh token was already used")
	}
	if resource := form.Get("resource"); resource != "" && resource != t.Resource {
		return nil, &refusal{http.StatusBadRequest, "invalid_target", "The requested resource is invalid"}
	}
	t.used = true
	return s.answer(t.Grant, t.family)
}

func (s *Server) answer(g Grant, family string) (map[string]any, *refusal) {
	answer, err := s.give(g, family)
	if err != nil {
		return nil, &refusal{http.StatusInternalServerError, "server_error", err.Error()}
	}
	return answer, nil
}

// serveRevoke ends a token (RFC 7009); a refresh token takes its access tokens along. An unknown token is fine.
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request", "The form could not be read")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, refused := s.authenticate(r)
	if refused != nil {
		writeError(w, refused.status, refused.code, refused.description)
		return
	}
	token := r.PostForm.Get("token")
	if t, ok := s.refresh[token]; ok && t.ClientID == c.id {
		s.takeBack(t.family)
	}
	if t, ok := s.access[token]; ok && t.ClientID == c.id {
		delete(s.access, token)
	}
	w.WriteHeader(http.StatusOK)
}

// knownScopes reports whether the client may ask for all of the scopes.
func knownScopes(scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(scope string) bool {
		return !slices.Contains(v2Scopes, scope) && !slices.Contains(v1Scopes, scope)
	})
}
