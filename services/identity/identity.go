// Package identity is the authorization server that assistants meet, and the OAuth client that
// meets Atlassian. A person who connects an assistant consents here, signs in at Atlassian, and the
// assistant gets tokens of Sallyport's own; Atlassian's stay here, sealed.
//
// The rules are those of MCP's authorization (revision 2025-11-25): OAuth 2.1 with PKCE, RFC 7591
// registration, RFC 8414 and RFC 9728 metadata, RFC 8707 resource indicators, RFC 9207 issuer
// identification, RFC 7009 revocation.
package identity

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	"google.golang.org/grpc"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/identity/atlassian"
	"sallyport/services/identity/document"
	"sallyport/services/internal/act"
	"sallyport/services/internal/assistant"
	"sallyport/services/internal/process"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// scope is the only one: an assistant may do on Atlassian what the policy lets its person do.
const scope = "mcp"

// server holds what the endpoints share.
type server struct {
	identityv1.UnsafeUpstreamServiceServer
	identityv1.UnsafeDirectoryServiceServer
	identityv1.UnsafeConnectionServiceServer

	// issuer is the public URL; it never ends in a slash, since clients compare it byte for byte.
	issuer   string
	resource string
	// console is the resource of the admin API; empty where nobody can sign in to it.
	console  string
	callback string
	contact  string
	// sites are those whose accounts may sign in.
	sites sites

	store *state.Store
	// acts writes down who signs in to the admin API.
	acts      *act.Recorder
	box       *seal.Box
	atlassian *atlassian.Client
	// directory is nil where groups can't be learned.
	directory *atlassian.Directory
	// jiraAnswered is when it last told groups; nil where its last answer was none.
	jiraAnswered atomic.Pointer[time.Time]
	assistants   *assistant.Table
	// documents is nil where assistants can't describe themselves at a URL.
	documents *document.Fetcher
	// fetches makes one of several fetches of a document.
	fetches singleflight.Group
	// registrationsPerAddress and registrationsInAll bound what anybody can do, within limitWindow.
	registrationsPerAddress, registrationsInAll int

	pages   *pages
	metrics *metrics
	log     *slog.Logger
	// refreshes makes one of several refreshes of a person that arrive at this replica at once.
	refreshes singleflight.Group
	// occasions are handed to the one worker that asks for tools; it needs no more than one waiting.
	occasions chan occasion
}

// Start starts the service.
func Start(p *process.Process, cfg Config) error {
	s, err := newServer(p, cfg)
	if err != nil {
		return err
	}
	p.CheckReady("redis", s.store.Ready)
	p.Go("tools", s.askForTools)
	p.Go("registration", s.beRegistered)
	p.Go("reseal", s.keepSealed)
	p.ShowSetting("sites", strings.Join(s.sites, ","))
	if len(s.sites) > 0 {
		p.Go("sites", s.keepSites)
	}
	err = p.ServeHTTP("oauth", cfg.Listen, s.routes())
	if err != nil {
		return err
	}
	if s.directory != nil {
		p.Go("groups", s.keepGroupsFresh)
	}
	return p.ServeGRPC(process.GRPC{
		Address: cfg.GRPCListen,
		Register: func(g *grpc.Server) {
			identityv1.RegisterUpstreamServiceServer(g, s)
			identityv1.RegisterDirectoryServiceServer(g, s)
			identityv1.RegisterConnectionServiceServer(g, s)
		},
	})
}

func newServer(p *process.Process, cfg Config) (*server, error) {
	err := cfg.Validate()
	if err != nil {
		return nil, err
	}
	store, err := cfg.RedisSignIn.Open(cfg.Redis)
	if err == nil && p.Traced {
		err = store.Trace()
	}
	if err != nil {
		return nil, err
	}
	issuer := strings.TrimRight(cfg.PublicURL, "/")
	s := &server{
		issuer: issuer, resource: state.MCPResource(issuer), console: state.AdminResource(cfg.ConsoleURL), callback: issuer + "/mcp/callback", contact: cfg.Contact,
		store: store, metrics: newMetrics(p.Metrics), log: p.Log,
		occasions:               make(chan occasion, 1),
		registrationsPerAddress: cfg.RegistrationsPerAddress, registrationsInAll: cfg.RegistrationsInAll,
	}
	s.acts = &act.Recorder{Store: s.store, Limit: cfg.StreamLimit, Log: p.Log}
	s.box, err = seal.NewBox(cfg.SealKeyFile)
	if err != nil {
		return nil, err
	}
	s.atlassian, err = atlassian.New(atlassian.Config{
		MCPURL: cfg.AtlassianMCPURL, APIURL: cfg.AtlassianAPIURL, Callback: s.callback,
		IssuerTolerance: cfg.IssuerTolerance, Scopes: cfg.AtlassianScopes, Called: s.observeCall,
	})
	if err != nil {
		return nil, err
	}
	s.directory, err = cfg.openDirectory()
	if err != nil {
		return nil, err
	}
	s.sites, err = readSites(cfg.Sites)
	if err != nil {
		return nil, err
	}
	if len(s.sites) == 0 {
		s.log.Warn("accounts of any Atlassian site may sign in: name those of your company by --sites (SALLYPORT_SITES), such as acme.atlassian.net")
	}
	if s.directory == nil {
		s.log.Warn("no Jira service credential: people's groups are unknown, so deny rules for groups match everybody and allow rules nobody")
	}
	s.assistants, err = assistant.Load()
	if err != nil {
		return nil, err
	}
	s.documents, err = cfg.openDocuments()
	if err != nil {
		return nil, err
	}
	s.pages, err = loadPages()
	return s, err
}

// routes are the endpoints. Those that browser clients call from their own origin allow it; they
// use no cookies, so that gives no other origin anything.
func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	open := func(method, path string, handle http.HandlerFunc) {
		mux.Handle(method+" "+path, anyOrigin(method, handle))
		mux.Handle("OPTIONS "+path, anyOrigin(method, nil))
	}
	open("GET", "/.well-known/oauth-protected-resource/mcp", s.protectedResource)
	open("GET", "/.well-known/oauth-protected-resource", s.protectedResource)
	open("GET", "/.well-known/oauth-authorization-server", s.authorizationServer)
	open("POST", "/oauth/register", s.register)
	open("POST", "/oauth/token", s.token)
	open("POST", "/oauth/revoke", s.revoke)
	mux.HandleFunc("GET /oauth/authorize", s.authorize)
	mux.HandleFunc("POST /oauth/authorize", s.consent)
	mux.HandleFunc("GET /mcp/callback", s.callbackFromAtlassian)
	if s.console != "" {
		s.consoleRoutes(mux)
	}
	return s.strict(mux)
}

// strict sets the headers that every answer has.
func (s *server) strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if s.secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// anyOrigin allows browser clients of any origin; handle is nil for their preflight requests.
func anyOrigin(method string, handle http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
		if handle != nil {
			handle(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", method)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	})
}

// redirectBack sends the browser to an assistant's redirect URI with an answer, which carries the
// issuer (RFC 9207) in both good and bad cases.
func (s *server) redirectBack(w http.ResponseWriter, r *http.Request, a authorization, answer url.Values) {
	u, err := url.Parse(a.RedirectURI)
	if err != nil {
		s.refusePage(w, r, fmt.Sprintf("The address %q, where the answer should go, can't be read.", a.RedirectURI))
		return
	}
	query := u.Query()
	maps.Copy(query, answer)
	if a.State != "" {
		query.Set("state", a.State)
	}
	query.Set("iss", s.issuer)
	u.RawQuery = query.Encode()
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", u.String())
	w.WriteHeader(http.StatusSeeOther)
}
