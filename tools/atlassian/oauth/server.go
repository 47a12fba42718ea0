// Package oauth is auth.atlassian.com: the authorization server in front of Atlassian's MCP server, with
// its anonymous registration, login and consent pages, and rotating refresh tokens.
package oauth

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"sallyport/tools/atlassian/site"
	"sallyport/tools/atlassian/switches"
)

// Config says what a Server needs.
type Config struct {
	// Public is the origin at which clients and browsers reach the server, without a trailing slash.
	Public   string
	Site     *site.Site
	Switches *switches.Switches
	Now      func() time.Time
}

// Server is the authorization server. All it knows is in memory.
type Server struct {
	public   string
	site     *site.Site
	switches *switches.Switches
	now      func() time.Time
	signer   *signer

	// mu guards the maps, and the fields of what they hold.
	mu      sync.Mutex
	clients map[string]*client
	pending map[string]*transaction
	codes   map[string]*code
	access  map[string]*accessToken
	refresh map[string]*refreshToken
	// issued are all codes and tokens that were ever given.
	issued []string
	// refreshes is how often a refresh token of an account was presented.
	refreshes map[string]int
}

// New returns a server without any client. It makes a new key for signing tokens.
func New(c Config) (*Server, error) {
	signer, err := newSigner()
	if err != nil {
		return nil, fmt.Errorf("making the signing key: %w", err)
	}
	return &Server{
		public: c.Public, site: c.Site, switches: c.Switches, now: c.Now, signer: signer,
		clients: map[string]*client{}, pending: map[string]*transaction{}, codes: map[string]*code{},
		access: map[string]*accessToken{}, refresh: map[string]*refreshToken{}, refreshes: map[string]int{},
	}, nil
}

// Register adds the server's routes.
func (s *Server) Register(mux *http.ServeMux) {
	for path, scopes := range map[string][]string{V2: v2Scopes, V1Auth: v1Scopes, V1: v1Scopes} {
		mux.HandleFunc("GET /.well-known/oauth-protected-resource"+path, s.serveResourceMetadata(path, scopes))
	}
	mux.HandleFunc("GET /.well-known/oauth-authorization-server/"+Tenant, s.serveServerMetadata(true))
	mux.HandleFunc("GET /"+Tenant+"/.well-known/oauth-authorization-server", s.serveServerMetadata(true))
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.serveServerMetadata(false))
	mux.HandleFunc("GET /.well-known/jwks.json", s.signer.serveKeys)
	mux.HandleFunc("POST /"+Tenant+"/dcr/register", s.serveRegister)
	mux.HandleFunc("GET /authorize", s.serveAuthorize)
	mux.HandleFunc("POST /login", s.serveLogin)
	mux.HandleFunc("GET /consent", s.serveConsent)
	mux.HandleFunc("POST /consent", s.serveDecision)
	mux.HandleFunc("GET /error", serveErrorPage)
	mux.HandleFunc("POST /oauth/token", s.serveToken)
	mux.HandleFunc("POST /oauth/revoke", s.serveRevoke)
}

// ChallengeURL is the address of the protected resource metadata that a 401 of the MCP path names.
func (s *Server) ChallengeURL(path string) string {
	return s.public + "/.well-known/oauth-protected-resource" + path
}
