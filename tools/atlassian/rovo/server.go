// Package rovo is mcp.atlassian.com: Atlassian's MCP server with its endpoints of both generations, over
// the official Go SDK.
package rovo

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sallyport/tools/atlassian/journal"
	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/site"
	"sallyport/tools/atlassian/switches"
)

// statelessVersion is the first protocol version without sessions.
const statelessVersion = "2026-07-28"

const grantKey = "grant"

// Config says what a Server needs.
type Config struct {
	Site     *site.Site
	OAuth    *oauth.Server
	Switches *switches.Switches
	Journal  *journal.Journal
	Log      *slog.Logger
}

// Server is the MCP server.
type Server struct {
	site      *site.Site
	oauth     *oauth.Server
	switches  *switches.Switches
	journal   *journal.Journal
	catalogue *catalogue
	// By form of the answers, "sse" and "json". A session stays with the handlers it began with.
	sessions, stateless map[string]http.Handler
	tools               *toolLists
}

// New returns a server. Its error means that the catalogue in the program is wrong.
func New(c Config) (*Server, error) {
	catalogue, err := loadCatalogue()
	if err != nil {
		return nil, err
	}
	s := &Server{
		site: c.Site, oauth: c.OAuth, switches: c.Switches, journal: c.Journal, catalogue: catalogue,
		sessions: map[string]http.Handler{}, stateless: map[string]http.Handler{},
	}
	s.tools = newToolLists(s.offers)
	for _, form := range []string{"sse", "json"} {
		servers := map[listing]*mcp.Server{}
		for _, l := range []listing{v1, v2, v2All} {
			servers[l] = s.newServer(l, form, c.Log)
		}
		pick := func(r *http.Request) *mcp.Server { return servers[listingOf(r)] }
		options := mcp.StreamableHTTPOptions{
			JSONResponse: form == "json", SessionTimeout: time.Hour, PropagateRequestCancellation: true, Logger: c.Log,
			// A gateway in front may keep the Host header of Atlassian.
			DisableLocalhostProtection: true,
		}
		s.sessions[form] = mcp.NewStreamableHTTPHandler(pick, &options)
		options.Stateless = true
		s.stateless[form] = mcp.NewStreamableHTTPHandler(pick, &options)
	}
	return s, nil
}

func (s *Server) newServer(l listing, form string, log *slog.Logger) *mcp.Server {
	options := &mcp.ServerOptions{
		Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{ListChanged: true}},
		GetSessionID: func() string { return form + "-" + rand.Text() },
		Logger:       log,
	}
	if l == v2All {
		options.PageSize = flatPage
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "atlassian-mcp-server", Version: "1.0.0"}, options)
	s.tools.serve(l, server)
	server.AddReceivingMiddleware(s.refuseTools)
	return server
}

func listingOf(r *http.Request) listing {
	switch {
	case r.URL.Path != oauth.V2:
		return v1
	case r.URL.Query().Get("tools") == "all":
		return v2All
	}
	return v2
}

// Tools are the lists of tools, to be changed while they are served.
func (s *Server) Tools() switches.Tools { return s.tools }

// Register adds the MCP endpoints.
func (s *Server) Register(mux *http.ServeMux) {
	for _, path := range []string{oauth.V2, oauth.V1Auth, oauth.V1} {
		inner := auth.RequireBearerToken(s.verify(path), nil)(http.HandlerFunc(s.dispatch))
		mux.Handle(path, s.journal.Record(s.person, s.switched(s.challenge(path, inner))))
	}
}

// dispatch chooses by protocol version and by the form of answers. A session's id says how it began.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	values := s.switches.Values()
	form := values.Answers
	if values.Stateless && r.Header.Get("MCP-Protocol-Version") >= statelessVersion {
		s.stateless[form].ServeHTTP(w, r)
		return
	}
	if began, _, ok := strings.Cut(r.Header.Get("Mcp-Session-Id"), "-"); ok && s.sessions[began] != nil {
		form = began
	}
	s.sessions[form].ServeHTTP(w, r)
}

// switched applies the switches slow, fail and address, and answers what every request gets from Atlassian's edge.
func (s *Server) switched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Server", "AtlassianEdge")
		h.Set("Atl-Request-Id", rand.Text())
		h.Set("Atl-Traceid", rand.Text())
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "mcp-session-id")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Content-Type, mcp-session-id")
			h.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		select {
		case <-time.After(time.Duration(s.switches.Values().Slow) * time.Millisecond):
		case <-r.Context().Done():
			return
		}
		if status := s.switches.TakeFailure(); status != 0 {
			if status == http.StatusTooManyRequests {
				h.Set("Retry-After", "5")
			}
			http.Error(w, http.StatusText(status), status)
			return
		}
		if s.refuseAddress(w) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// challenge answers 401 to whoever brings no token for this endpoint.
func (s *Server) challenge(path string, next http.Handler) http.Handler {
	challenge := fmt.Sprintf("Bearer resource_metadata=%q", s.oauth.ChallengeURL(path))
	if path != oauth.V2 {
		challenge += `, error="invalid_token"`
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.verify(path)(r.Context(), bearer(r), r); err != nil {
			w.Header().Set("WWW-Authenticate", challenge)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			// The client may be gone; there is nobody left to tell.
			_, _ = w.Write([]byte(`{"error":"invalid_token","error_description":"Missing or invalid access token"}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// verify is for the SDK, which ties sessions to the user it returns.
func (s *Server) verify(path string) auth.TokenVerifier {
	return func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		grant, expires, err := s.oauth.Verify(token)
		if err != nil || !s.oauth.Accepts(grant, path) {
			return nil, auth.ErrInvalidToken
		}
		return &auth.TokenInfo{Scopes: grant.Scopes, Expiration: expires, UserID: grant.AccountID, Extra: map[string]any{grantKey: grant}}, nil
	}
}

// person names the holder of a request's token for the journal.
func (s *Server) person(r *http.Request) string {
	grant, _, err := s.oauth.Verify(bearer(r))
	if err != nil {
		return ""
	}
	person, _ := s.site.Person(grant.AccountID)
	return person.Email
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
