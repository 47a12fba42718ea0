package identity

import "net/http"

// resourceMetadata describes a protected resource (RFC 9728 section 2).
type resourceMetadata struct {
	Resource             string   `json:"resource"`
	ResourceName         string   `json:"resource_name"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported"`
	BearerMethods        []string `json:"bearer_methods_supported"`
}

// protectedResource describes the MCP endpoint (RFC 9728). It is the same at the place for its path
// and at the root: clients ask at either, and refuse a resource that isn't the URL they dialled.
func (s *server) protectedResource(w http.ResponseWriter, _ *http.Request) {
	answerMetadata(w, resourceMetadata{s.resource, "Atlassian through Sallyport", []string{s.issuer}, []string{scope}, []string{"header"}})
}

// authorizationServer describes the authorization server (RFC 8414). There is no OpenID
// configuration beside it: Sallyport makes no ID tokens, and clients ask here first.
func (s *server) authorizationServer(w http.ResponseWriter, r *http.Request) {
	answerMetadata(w, struct {
		Issuer                string   `json:"issuer"`
		AuthorizationEndpoint string   `json:"authorization_endpoint"`
		TokenEndpoint         string   `json:"token_endpoint"`
		RegistrationEndpoint  string   `json:"registration_endpoint"`
		RevocationEndpoint    string   `json:"revocation_endpoint"`
		Scopes                []string `json:"scopes_supported"`
		ResponseTypes         []string `json:"response_types_supported"`
		ResponseModes         []string `json:"response_modes_supported"`
		GrantTypes            []string `json:"grant_types_supported"`
		TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
		RevocationAuthMethods []string `json:"revocation_endpoint_auth_methods_supported"`
		ChallengeMethods      []string `json:"code_challenge_methods_supported"`
		IssParameter          bool     `json:"authorization_response_iss_parameter_supported"`
		Documents             bool     `json:"client_id_metadata_document_supported,omitzero"`
	}{
		Issuer:                s.issuer,
		AuthorizationEndpoint: s.issuer + "/oauth/authorize",
		TokenEndpoint:         s.issuer + "/oauth/token",
		RegistrationEndpoint:  s.issuer + "/oauth/register",
		RevocationEndpoint:    s.issuer + "/oauth/revoke",
		Scopes:                []string{scope},
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{"query"},
		GrantTypes:            grantTypes(),
		TokenAuthMethods:      []string{"none"},
		RevocationAuthMethods: []string{"none"},
		ChallengeMethods:      []string{"S256"},
		IssParameter:          true,
		Documents:             s.offersDocuments(r.Context()),
	})
}

func grantTypes() []string { return []string{"authorization_code", "refresh_token"} }

func answerMetadata(w http.ResponseWriter, v any) {
	w.Header().Set("Cache-Control", "public, max-age=60")
	answerJSON(w, http.StatusOK, v)
}
