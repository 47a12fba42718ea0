package oauth

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Tenant is the path of the issuer, as captured from auth.atlassian.com.
const Tenant = "VCeDsk8ZHncYF1g234fKtc4lNipbBhu3"

// Paths of the MCP endpoints, each of which is a protected resource of its own.
const (
	V2     = "/v2/mcp"
	V1     = "/v1/mcp"
	V1Auth = "/v1/mcp/authv2"
)

var v2Scopes = append([]string{
	"read:me", "read:account", "offline_access", "email",
	"read:jira:agent-interface", "write:jira:agent-interface", "search:jira:agent-interface", "delete:jira:agent-interface", "manage:jira:agent-interface",
	"read:confluence:agent-interface", "write:confluence:agent-interface", "search:confluence:agent-interface",
	"search:rovo:agent-interface", "search:code:agent-interface", "read:all:twg", "write:all:twg",
}, readWrite("goals", "projects", "bitbucket", "loom", "talent", "jira-align", "teams", "artifacts", "capacity-planning", "focus", "assets")...)

func readWrite(products ...string) []string {
	var scopes []string
	for _, p := range products {
		scopes = append(scopes, "read:"+p+":agent-interface", "write:"+p+":agent-interface")
	}
	return scopes
}

var v1Scopes = strings.Fields(`offline_access read:me read:account read:jira-work write:jira-work
	read:page:confluence write:page:confluence read:comment:confluence write:comment:confluence
	read:space:confluence read:hierarchical-content:confluence read:confluence-user search:confluence
	read:all:twg write:all:twg`)

func (s *Server) issuer() string {
	if s.switches.Values().IssuerWithoutPath {
		return s.public
	}
	return s.public + "/" + Tenant
}

func (s *Server) serveResourceMetadata(path string, scopes []string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		writeJSON(w, http.StatusOK, map[string]any{
			"resource": s.public + path,
			// Always with the path: in the old days of issuer_without_path only the issuer's own document dropped it.
			"authorization_servers":    []string{s.public + "/" + Tenant},
			"bearer_methods_supported": []string{"header"},
			"resource_documentation":   "https://www.atlassian.com/platform/remote-mcp-server",
			"scopes_supported":         scopes,
		})
	}
}

// serveServerMetadata answers for the issuer with the tenant's path; without, which is what a client
// gets that drops the path, there is nowhere to register.
func (s *Server) serveServerMetadata(withPath bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		metadata := map[string]any{
			"issuer":                                s.public,
			"authorization_endpoint":                s.public + "/authorize",
			"token_endpoint":                        s.public + "/oauth/token",
			"revocation_endpoint":                   s.public + "/oauth/revoke",
			"jwks_uri":                              s.public + "/.well-known/jwks.json",
			"code_challenge_methods_supported":      []string{"S256"},
			"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
			"response_types_supported":              []string{"code"},
			"token_endpoint_auth_methods_supported": []string{"none", "client_secret_post", "client_secret_basic"},
		}
		if withPath {
			metadata["issuer"] = s.issuer()
			metadata["registration_endpoint"] = s.public + "/" + Tenant + "/dcr/register"
		}
		if s.switches.Values().Iss {
			metadata["authorization_response_iss_parameter_supported"] = true
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		writeJSON(w, http.StatusOK, metadata)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// writeError answers as RFC 6749 section 5.2 has it.
func writeError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
