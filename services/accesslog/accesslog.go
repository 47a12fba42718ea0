// Package accesslog is the service that learns from Envoy what became of each request, appends it
// to the activity stream, and indexes the stream into Elasticsearch.
package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/accesslog/alert"
	"sallyport/services/accesslog/sink"
	"sallyport/services/internal/act"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/process"
	"sallyport/services/internal/state"
)

// Config is the service's configuration.
type Config struct {
	process.Common
	Listen string `help:"Address for Envoy's gRPC access log. Keep it private: whoever reaches it can write outcomes." default:"127.0.0.1:9000" env:"SALLYPORT_LISTEN"`
	Redis  string `help:"Address of Redis, host:port. Of Sentinels or nodes of a cluster several, with commas between them." default:"127.0.0.1:6379" env:"SALLYPORT_REDIS"`
	// RedisSignIn is for a Redis with a password or TLS, with Sentinels, or in a cluster.
	RedisSignIn   state.SignIn `embed:"" prefix:"redis-"`
	Elasticsearch string       `help:"URL of Elasticsearch." default:"http://127.0.0.1:9200" env:"SALLYPORT_ELASTICSEARCH"`
	// SignIn is for an Elasticsearch with security.
	SignIn      elastic.SignIn `embed:"" prefix:"elasticsearch-"`
	StreamLimit int64          `help:"Most entries that may wait to be indexed, the same as authz and admin have. Metrics tell it; at it no past day is deleted, since that couldn't be written down." default:"2000000" env:"SALLYPORT_STREAM_LIMIT"`

	RetentionDays         int `help:"For how many days records of what assistants and admins did are kept; 0 for ever." default:"400" env:"SALLYPORT_RETENTION_DAYS"`
	ProtocolRetentionDays int `help:"For how many days records of protocol traffic that no rule governs are kept; 0 for ever." default:"30" env:"SALLYPORT_PROTOCOL_RETENTION_DAYS"`
	// OTLP is where records go beside Elasticsearch.
	OTLP sink.Config `embed:"" prefix:"otlp-"`
	// Alerts are raised by what is decided.
	Alerts alert.Config `embed:"" prefix:"alert-"`
}

// Validate refuses settings that can't work.
func (c Config) Validate() error {
	if c.StreamLimit < 1 {
		return fmt.Errorf("--stream-limit is %d: at least one entry must fit", c.StreamLimit)
	}
	for flag, days := range map[string]int{"retention-days": c.RetentionDays, "protocol-retention-days": c.ProtocolRetentionDays} {
		if days < 0 || days > maxRetention {
			return fmt.Errorf("--%s is %d: say 1 to %d days, or 0 to keep records for ever", flag, days, maxRetention)
		}
	}
	return errors.Join(c.SignIn.Validate(), c.RedisSignIn.Validate(), c.OTLP.Validate(), c.Alerts.Validate())
}

// maxRetention is 100 years.
const maxRetention = 36_500

type metrics struct {
	indexed, aside, expired, deleted, retries, outcomes prometheus.Counter
	unrecorded                                          *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return promauto.With(registry).NewCounter(prometheus.CounterOpts{Namespace: "sallyport", Subsystem: "accesslog", Name: name, Help: help})
	}
	m := &metrics{
		indexed:  counter("indexed_total", "Entries of the activity stream that Elasticsearch has taken."),
		aside:    counter("set_aside_total", "Entries that Elasticsearch refused for good, kept aside in Redis."),
		expired:  counter("expired_total", "Entries that weren't indexed, since their day was past the retention already."),
		deleted:  counter("deleted_total", "Records that were deleted with their day's index, since they were past the retention. What Elasticsearch's ILM deletes isn't counted."),
		retries:  counter("retries_total", "Attempts at Redis or Elasticsearch that failed and were made again."),
		outcomes: counter("outcomes_total", "Outcomes of requests that Envoy has reported."),
		unrecorded: promauto.With(registry).NewCounterVec(prometheus.CounterOpts{
			Namespace: "sallyport", Subsystem: "accesslog", Name: "unrecorded_total",
			Help: "Requests to the MCP endpoint that have no record, by why: unauthenticated, undecided, incomplete, malformed or not_mcp (docs/record.md).",
		}, []string{"reason"}),
	}
	for _, reason := range []string{"unauthenticated", "undecided", "incomplete", "malformed", "not_mcp"} {
		m.unrecorded.WithLabelValues(reason)
	}
	return m
}

// Start adds the service to a process.
func Start(_ context.Context, p *process.Process, cfg Config) error {
	store, err := cfg.RedisSignIn.Open(cfg.Redis)
	if err != nil {
		return err
	}
	search, err := cfg.SignIn.Open(cfg.Elasticsearch)
	if err != nil {
		return err
	}
	consumer, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("naming this indexer: %w", err)
	}
	m := newMetrics(p.Metrics)
	p.Metrics.MustRegister(backlog{store, cfg.StreamLimit})
	promauto.With(p.Metrics).NewCounterFunc(prometheus.CounterOpts{
		Namespace: "sallyport", Subsystem: "accesslog", Name: "restored_total",
		Help: "Outcomes that Redis had answered and lost when it was killed, and that were written again.",
	}, func() float64 { return float64(store.Restored()) })
	keep := retention{cfg.RetentionDays, cfg.ProtocolRetentionDays}
	indexer := &Indexer{
		stream: store, elastic: search, template: template{search, store, cfg.StreamLimit, p.Log}, consumer: consumer, keep: keep, log: p.Log, metrics: m,
	}
	p.Go("indexer", indexer.Run)
	keeper := &Keeper{elastic: search, store: store, keep: keep, log: p.Log, metrics: m, acts: &act.Recorder{Store: store, Limit: cfg.StreamLimit, Log: p.Log}}
	p.Go("retention", keeper.Run)
	p.CheckReady("redis", store.Ready)
	p.ShowSetting("retention-days", strconv.Itoa(cfg.RetentionDays))
	p.ShowSetting("protocol-retention-days", strconv.Itoa(cfg.ProtocolRetentionDays))
	err = deliver(p, cfg, store, search)
	if err != nil {
		return err
	}
	return p.ServeGRPC(process.GRPC{Address: cfg.Listen, Register: func(s *grpc.Server) {
		alsv3.RegisterAccessLogServiceServer(s, &Server{ledger: store, stopping: p.Stopping(), metrics: m})
	}})
}

// Ledger is where outcomes are appended, and where it is kept whose MCP sessions are (package state).
type Ledger interface {
	AppendOutcomes(ctx context.Context, entries []state.Entry) error
	BindSession(ctx context.Context, hash, holder string) error
}

// Server is Envoy's gRPC access log sink.
type Server struct {
	alsv3.UnsafeAccessLogServiceServer
	ledger Ledger
	// stopping is closed when the service is told to stop: Envoy never ends the stream by itself.
	stopping <-chan struct{}
	metrics  *metrics
}

// appendFor is how long Redis may be away before outcomes are given up. What Envoy reports meanwhile waits
// in the connection, which is more than can have been under way: without Redis nothing new is allowed.
const appendFor = 30 * time.Second

// StreamAccessLogs receives entries until Envoy or the service stops. Envoy neither waits for an
// answer nor sends again, so an entry that can't be appended for appendFor is lost, and its record's
// outcome stays unknown (design section 7). Ending the stream with an error makes Envoy open a new one.
func (s *Server) StreamAccessLogs(stream alsv3.AccessLogService_StreamAccessLogsServer) error {
	received := make(chan error, 1)
	go func() { received <- s.receive(stream) }()
	select {
	case err := <-received:
		return err
	case <-s.stopping:
		return status.Error(codes.Unavailable, "stopping")
	}
}

func (s *Server) receive(stream alsv3.AccessLogService_StreamAccessLogsServer) error {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&alsv3.StreamAccessLogsResponse{})
		}
		if err != nil {
			return err
		}
		var entries []state.Entry
		for _, logged := range message.GetHttpLogs().GetLogEntry() {
			of, err := outcomes(logged)
			if err != nil {
				return status.Error(codes.InvalidArgument, err.Error())
			}
			entries = append(entries, of...)
			if why := unrecorded(logged); why != "" {
				s.metrics.unrecorded.WithLabelValues(why).Inc()
			}
			err = s.persist(stream.Context(), func() error { return s.bindSession(stream.Context(), logged) })
			if err != nil {
				return status.Error(codes.Unavailable, err.Error())
			}
		}
		if len(entries) == 0 {
			continue
		}
		err = s.persist(stream.Context(), func() error { return s.ledger.AppendOutcomes(stream.Context(), entries) })
		if err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
		s.metrics.outcomes.Add(float64(len(entries)))
	}
}

// persist does something until it succeeds, for appendFor at most.
func (s *Server) persist(ctx context.Context, do func() error) error {
	for began := time.Now(); ; {
		err := do()
		if err == nil || ctx.Err() != nil || time.Since(began) > appendFor {
			return err
		}
		s.metrics.retries.Inc()
		select {
		case <-s.stopping:
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// bindSession makes an MCP session that Atlassian has just begun that of whom it was begun for, in case
// that somebody else is quicker with their first request (docs/adr/024). Only this service sees answers.
func (s *Server) bindSession(ctx context.Context, logged *accesslogv3.HTTPAccessLogEntry) error {
	holder := noteOf(logged).Holder
	session := logged.GetResponse().GetResponseHeaders()[sessionHeader]
	if holder == "" || session == "" || noteOf(logged).Blocked {
		return nil
	}
	return s.ledger.BindSession(ctx, state.SessionHash(session), holder)
}
