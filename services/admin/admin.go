// Package admin is the service behind the console and the CLI: it reads and saves the policy,
// searches what assistants did, and tells how Sallyport itself is. Who may do what, and how it is recorded,
// is said by options of the methods in the proto and enforced in one place, guard.
package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/act"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/process"
	"sallyport/services/internal/state"
)

// Config is the service's configuration.
type Config struct {
	process.Common
	Listen string `help:"Address for the admin API, gRPC." default:"127.0.0.1:9010" env:"SALLYPORT_LISTEN"`
	Redis  string `help:"Address of Redis, host:port. Of Sentinels or nodes of a cluster several, with commas between them." default:"127.0.0.1:6379" env:"SALLYPORT_REDIS"`
	// RedisSignIn is for a Redis with a password or TLS, with Sentinels, or in a cluster.
	RedisSignIn   state.SignIn `embed:"" prefix:"redis-"`
	Elasticsearch string       `help:"URL of Elasticsearch." default:"http://127.0.0.1:9200" env:"SALLYPORT_ELASTICSEARCH"`
	// SignIn is for an Elasticsearch with security.
	SignIn      elastic.SignIn `embed:"" prefix:"elasticsearch-"`
	TokenFile   string         `help:"File with the admin token, 32 characters at least, or with a line NAME TOKEN for each admin. Whoever has one can change the policy and read the log; as NAME ROLE TOKEN, what that role may: admin, auditor or viewer." required:"" type:"existingfile" env:"SALLYPORT_TOKEN_FILE"`
	Identity    string         `help:"Address of identity's gRPC, host:port, which knows the groups." default:"127.0.0.1:8806" env:"SALLYPORT_IDENTITY"`
	StreamLimit int64          `help:"Most entries that may wait to be indexed. Beyond it nothing can be changed, since it couldn't be written down." default:"2000000" env:"SALLYPORT_STREAM_LIMIT"`
	TailLimit   int64          `help:"Most records that a live tail may be behind what is indexed before it is cut." default:"100000" env:"SALLYPORT_TAIL_LIMIT"`
	// TailPatience is how long a tail waits for its reader.
	TailPatience time.Duration `help:"How long a live tail waits for a reader that takes nothing before it is cut." default:"30s" env:"SALLYPORT_TAIL_PATIENCE"`
	PublicURL    string        `help:"URL that assistants reach Sallyport at, without a path." required:"" env:"SALLYPORT_PUBLIC_URL"`
	ConsoleURL   string        `name:"console-url" help:"URL that admins reach the console and this API at, without a path. Without it nobody can sign in to them." env:"SALLYPORT_CONSOLE_URL"`
	EnvoyAdmin   string        `help:"URL of Envoy's admin interface." default:"http://127.0.0.1:9901" env:"SALLYPORT_ENVOY_ADMIN"`
	AuthzOps     string        `help:"URL of authz's health." default:"http://127.0.0.1:9091" env:"SALLYPORT_AUTHZ_OPS"`
	IdentityOps  string        `help:"URL of identity's health." default:"http://127.0.0.1:9092" env:"SALLYPORT_IDENTITY_OPS"`
	AccesslogOps string        `help:"URL of accesslog's health." default:"http://127.0.0.1:9093" env:"SALLYPORT_ACCESSLOG_OPS"`
}

// Validate refuses settings that can't work.
func (c Config) Validate() error {
	if c.StreamLimit < 1 {
		return fmt.Errorf("--stream-limit is %d: at least one entry must fit", c.StreamLimit)
	}
	if c.TailLimit < 1 || c.TailPatience <= 0 {
		return errors.New("--tail-limit and --tail-patience must be more than 0")
	}
	for _, setting := range []struct{ flag, value string }{
		{"public-url", c.PublicURL}, {"console-url", cmp.Or(c.ConsoleURL, c.PublicURL)}, {"envoy-admin", c.EnvoyAdmin}, {"authz-ops", c.AuthzOps},
		{"identity-ops", c.IdentityOps}, {"accesslog-ops", c.AccesslogOps},
	} {
		u, err := url.Parse(setting.value)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			return fmt.Errorf("--%s is %q: it must be http:// or https:// and a host, without a path", setting.flag, setting.value)
		}
	}
	return errors.Join(c.SignIn.Validate(), c.RedisSignIn.Validate())
}

// Start adds the service to a process.
func Start(_ context.Context, p *process.Process, cfg Config) error {
	tokens, err := readTokens(cfg.TokenFile)
	if err != nil {
		return err
	}
	search, err := cfg.SignIn.Open(cfg.Elasticsearch)
	if err != nil {
		return err
	}
	identity, err := grpc.NewClient(cfg.Identity, append(p.ClientTraces(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	store, err := cfg.RedisSignIn.Open(cfg.Redis)
	if err == nil && p.Traced {
		err = store.Trace()
	}
	if err != nil {
		return err
	}
	first := &seed{store: store, log: p.Log}
	p.Go("seed", first.run)
	dashboards := &DashboardServer{elastic: search}
	p.Go("dashboards", warmer{dashboards, p.Log}.run)
	p.CheckReady("redis", store.Ready)
	p.CheckReady("policy", first.ready)
	saved, known := policies{store}, catalogue{store, search}
	people := people{store, identityv1.NewDirectoryServiceClient(identity)}
	operations := &OperationServer{policies: saved, catalogue: known, log: p.Log}
	gate := guard{
		callers: callers{file: tokens, store: store, people: people, console: state.AdminResource(cfg.ConsoleURL)},
		acts:    &act.Recorder{Store: store, Limit: cfg.StreamLimit, Log: p.Log},
	}
	return p.ServeGRPC(process.GRPC{
		Address:    cfg.Listen,
		Unary:      gate.unary,
		Stream:     gate.stream,
		Reflection: true,
		Register: func(s *grpc.Server) {
			adminv1.RegisterPolicyServiceServer(s, &PolicyServer{policies: saved, log: p.Log})
			adminv1.RegisterTrialServiceServer(s, &TrialServer{policies: saved, people: people, catalogue: known, replay: replay{search}})
			adminv1.RegisterOperationServiceServer(s, operations)
			adminv1.RegisterDirectoryServiceServer(s, &DirectoryServer{people: people})
			adminv1.RegisterConnectionServiceServer(s, &ConnectionServer{
				people: people, identity: identityv1.NewConnectionServiceClient(identity), log: p.Log,
			})
			adminv1.RegisterAccessServiceServer(s, &AccessServer{
				store: store, people: people, file: tokens, console: state.AdminResource(cfg.ConsoleURL), log: p.Log,
			})
			adminv1.RegisterSessionServiceServer(s, SessionServer{})
			adminv1.RegisterErasureServiceServer(s, &ErasureServer{people: people, elastic: search, log: p.Log})
			adminv1.RegisterActivityServiceServer(s, &ActivityServer{
				elastic: search, store: store, policies: saved, callers: gate.callers, stopping: p.Stopping(), tailLimit: cfg.TailLimit, tailPatience: cfg.TailPatience,
			})
			adminv1.RegisterRejectedServiceServer(s, &RejectedServer{store: store, streamLimit: cfg.StreamLimit})
			adminv1.RegisterDashboardServiceServer(s, dashboards)
			adminv1.RegisterAlertServiceServer(s, &AlertServer{elastic: search})
			adminv1.RegisterStatusServiceServer(s, newStatusServer(cfg, store, search, operations, identity))
		},
	})
}
