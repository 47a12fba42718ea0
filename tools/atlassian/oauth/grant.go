package oauth

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"
)

// client is a registered client. Secret is empty for public clients.
type client struct {
	id, secret   string
	name         string
	redirectURIs []string
}

// asked is what a client asked for at the authorize endpoint.
type asked struct {
	client              *client
	redirectURI         string
	state               string
	scopes              []string
	resource, challenge string
}

// transaction is a sign-in under way in one browser: csrf is in its forms, cookie in its cookie.
type transaction struct {
	asked
	id, csrf, cookie string
	accountID        string
	expires          time.Time
}

type code struct {
	asked
	accountID string
	expires   time.Time
	// family names the tokens given for this code, so that using it twice takes them back.
	family string
	used   bool
}

type accessToken struct {
	Grant
	family  string
	expires time.Time
}

type refreshToken struct {
	Grant
	family        string
	used, revoked bool
}

// Grant is what a token stands for.
type Grant struct {
	ClientID  string
	AccountID string
	Scopes    []string
	// Resource is the MCP endpoint for which the token was asked, or "" when the client didn't say
	// so on both legs.
	Resource string
}

// ErrInvalidToken is the error for a token that is unknown, expired or revoked.
var ErrInvalidToken = errors.New("missing or invalid access token")

// Verify returns what an access token stands for and until when. Its error is ErrInvalidToken.
func (s *Server) Verify(token string) (Grant, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.access[token]
	if !ok || !s.now().Before(t.expires) {
		return Grant{}, time.Time{}, ErrInvalidToken
	}
	return t.Grant, t.expires, nil
}

// Accepts reports whether the MCP endpoint at path takes tokens of this grant.
func (s *Server) Accepts(g Grant, path string) bool { return g.Resource == s.public+path }

// Issued returns all codes and tokens that were ever given.
func (s *Server) Issued() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.issued)
}

// ExpireTokens refuses all access tokens given so far.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// Refreshes is how often a refresh token of an account was presented, whether it was taken or not.
func (s *Server) Refreshes(accountID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshes[accountID]
}

// RevokeRefresh refuses all refresh tokens given so far.
func (s *Server) RevokeRefresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.refresh {
		t.revoked = true
	}
}

// give makes the tokens of a grant. The caller holds mu.
func (s *Server) give(g Grant, family string) (map[string]any, error) {
	lifetime := time.Duration(s.switches.Values().TokenSeconds) * time.Second
	access, err := s.signer.sign(s.claims(g, lifetime, "access"))
	if err != nil {
		return nil, err
	}
	s.access[access] = &accessToken{g, family, s.now().Add(lifetime)}
	s.issued = append(s.issued, access)
	answer := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "scope": join(g.Scopes),
	}
	if !slices.Contains(g.Scopes, "offline_access") {
		return answer, nil
	}
	refresh, err := s.signer.sign(s.claims(g, 90*24*time.Hour, "refresh"))
	if err != nil {
		return nil, err
	}
	s.refresh[refresh] = &refreshToken{Grant: g, family: family}
	s.issued = append(s.issued, refresh)
	answer["refresh_token"] = refresh
	return answer, nil
}

// takeBack ends all tokens of a family. The caller holds mu.
func (s *Server) takeBack(family string) {
	for token, t := range s.access {
		if t.family == family {
			delete(s.access, token)
		}
	}
	for _, t := range s.refresh {
		if t.family == family {
			t.revoked = true
		}
	}
}

// random returns 26 characters that nobody can guess.
func random() string { return rand.Text() }
