package oauth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// maxRegistration bounds the body of a registration, in bytes.
const maxRegistration = 64 << 10

type registration struct {
	ClientName              string   `json:"client_name"`
	RedirectURIs            []string `json:"redirect_uris"`
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method"`
	GrantTypes              []string `json:"grant_types"`
	ResponseTypes           []string `json:"response_types"`
	Scope                   string   `json:"scope"`
}

// serveRegister registers a client for anybody who asks (RFC 7591).
func (s *Server) serveRegister(w http.ResponseWriter, r *http.Request) {
	var reg registration
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRegistration)).Decode(&reg); err != nil {
		writeError(w, http.StatusBadRequest, "invalid_client_metadata", "The request body is not valid JSON")
		return
	}
	if len(reg.RedirectURIs) == 0 {
		writeError(w, http.StatusBadRequest, "invalid_client_metadata", "At least one redirect URI is required")
		return
	}
	if refusal := s.switches.Values().RegistrationError; refusal.Error != "" {
		writeError(w, http.StatusBadRequest, refusal.Error, refusal.Description)
		return
	}
	for _, uri := range reg.RedirectURIs {
		if u, err := url.Parse(uri); err != nil || u.Scheme == "" || u.Fragment != "" || u.Host == "" {
			writeError(w, http.StatusBadRequest, "invalid_redirect_uri", "Redirect URI is not valid")
			return
		}
	}
	c := &client{id: (random() + random())[:32], name: reg.ClientName, redirectURIs: reg.RedirectURIs}
	answer := map[string]any{
		"client_id": c.id, "client_id_issued_at": s.now().Unix(), "client_name": c.name, "redirect_uris": c.redirectURIs,
		"grant_types": orDefault(reg.GrantTypes, "authorization_code", "refresh_token"), "response_types": orDefault(reg.ResponseTypes, "code"),
		"token_endpoint_auth_method": reg.TokenEndpointAuthMethod,
	}
	if reg.TokenEndpointAuthMethod != "none" {
		c.secret = "ATOA" + random() + random()
		answer["client_secret"], answer["client_secret_expires_at"] = c.secret, 0
		if reg.TokenEndpointAuthMethod == "" {
			answer["token_endpoint_auth_method"] = "client_secret_basic"
		}
	}
	if reg.Scope != "" {
		answer["scope"] = strings.Join(strings.Fields(reg.Scope), " ")
	}
	s.mu.Lock()
	s.clients[c.id] = c
	s.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, answer)
}

func orDefault(given []string, otherwise ...string) []string {
	if len(given) > 0 {
		return given
	}
	return otherwise
}
