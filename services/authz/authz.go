// Package authz is the service that Envoy asks about every MCP request (ext_authz): it finds the
// person, decides by the policy, writes the decision down, and puts the person's own Atlassian
// token in place of the assistant's.
package authz

import (
	"context"
	"fmt"
	"strings"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/authz/redact"
	"sallyport/services/internal/assistant"
	"sallyport/services/internal/process"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// Config is the service's configuration.
type Config struct {
	process.Common
	Listen string `help:"Address for Envoy's ext_authz. Keep it private: answers carry Atlassian tokens." default:"127.0.0.1:9001" env:"SALLYPORT_LISTEN"`
	Redis  string `help:"Address of Redis, host:port. Of Sentinels or nodes of a cluster several, with commas between them." default:"127.0.0.1:6379" env:"SALLYPORT_REDIS"`
	// RedisSignIn is for a Redis with a password or TLS, with Sentinels, or in a cluster.
	RedisSignIn    state.SignIn `embed:"" prefix:"redis-"`
	Identity       string       `help:"Address of identity's gRPC, host:port." default:"127.0.0.1:9003" env:"SALLYPORT_IDENTITY"`
	SealKeyFile    string       `help:"File with the keys that Atlassian tokens are sealed under, one a line: 32 bytes in base64. The same as identity's." required:"" type:"existingfile" env:"SALLYPORT_SEAL_KEY_FILE"`
	PublicURL      string       `help:"URL that assistants reach Sallyport at, without a path." required:"" env:"SALLYPORT_PUBLIC_URL"`
	Contact        string       `help:"Whom people should ask about a blocked call, as the end of: If you need this, ask ..." default:"your Atlassian admin" env:"SALLYPORT_CONTACT"`
	AllowedOrigins []string     `help:"Origins of web pages that may send requests, beside Sallyport's own and those of this machine." placeholder:"https://inspector.example.com" env:"SALLYPORT_ALLOWED_ORIGINS"`
	RedactKeys     []string     `help:"Keys of arguments whose values are cut out of the record, in place of these. A key is meant if it has the words of one, in any case and spelling: apiKey means X-API-Key too. One that begins with ! is an exception." default:"password,passwd,passphrase,pwd,secret,secrets,token,tokens,apiKey,apiKeys,accessKey,privateKey,authorization,credential,credentials,cookie,cookies,!pageToken,!maxTokens" env:"SALLYPORT_REDACT_KEYS"`
	StreamLimit    int64        `help:"Most entries that may wait to be indexed. Beyond it calls are refused, since they couldn't be written down." default:"2000000" env:"SALLYPORT_STREAM_LIMIT"`
}

// Validate refuses settings that can't work.
func (c Config) Validate() error {
	if c.StreamLimit < 1 {
		return fmt.Errorf("--stream-limit is %d: at least one entry must fit", c.StreamLimit)
	}
	_, err := c.origins()
	if err != nil {
		return fmt.Errorf("--public-url or --allowed-origins: %w", err)
	}
	_, err = redact.Parse(c.RedactKeys)
	if err != nil {
		return fmt.Errorf("--redact-keys: %w", err)
	}
	return c.RedisSignIn.Validate()
}

// Ledger is where sessions are found and decisions are written down (package state).
type Ledger interface {
	SessionGrant(ctx context.Context, tokenHash, resource string) (state.Grant, error)
	Decide(ctx context.Context, basis state.Basis, limit int64, entries []state.Entry) (state.Verdict, error)
	Upstream(ctx context.Context, accountID string) (*state.Upstream, error)
}

// Server answers Envoy.
type Server struct {
	authv3.UnsafeAuthorizationServer
	cfg Config
	// resource is what tokens have to be for.
	resource string
	ledger   Ledger
	box      *seal.Box
	identity identityv1.UpstreamServiceClient
	sessions *sessions
	rules    *rules
	// origins are those of web pages that may send requests, beside those of this machine.
	origins []string
	// redact are the keys whose values are cut out of records.
	redact *redact.Keys
	// assistants are those that are known, by what they call themselves.
	assistants *assistant.Table
	// refusals and tokens are what goes wrong with requests, for the log.
	refusals, tokens *trouble
	metrics          *metrics
}

// Start adds the service to a process.
func Start(_ context.Context, p *process.Process, cfg Config) error {
	box, err := seal.NewBox(cfg.SealKeyFile)
	if err != nil {
		return err
	}
	identity, err := grpc.NewClient(cfg.Identity, append(p.ClientTraces(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	remembered, err := newSessions()
	if err != nil {
		return err
	}
	origins, err := cfg.origins()
	if err != nil {
		return err
	}
	assistants, err := assistant.Load()
	if err != nil {
		return err
	}
	keys, err := redact.Parse(cfg.RedactKeys)
	if err != nil {
		return fmt.Errorf("--redact-keys: %w", err)
	}
	store, err := cfg.RedisSignIn.Open(cfg.Redis)
	if err == nil && p.Traced {
		err = store.Trace()
	}
	if err != nil {
		return err
	}
	rules := newRules(p.Log)
	server := &Server{
		cfg: cfg, resource: state.MCPResource(cfg.PublicURL), ledger: store, box: box, identity: identityv1.NewUpstreamServiceClient(identity),
		sessions: remembered, rules: rules, origins: origins, redact: keys, assistants: assistants, refusals: &trouble{log: p.Log}, tokens: &trouble{log: p.Log}, metrics: newMetrics(p.Metrics, rules, store),
	}
	p.CheckReady("redis", store.Ready)
	p.ShowSetting("redact-keys", strings.Join(cfg.RedactKeys, ","))
	return p.ServeGRPC(process.GRPC{Address: cfg.Listen, Register: func(s *grpc.Server) {
		authv3.RegisterAuthorizationServer(s, server)
	}})
}
