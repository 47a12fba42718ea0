// Package accesslog is the service that learns from Envoy what became of each request, appends it
// to the activity stream, and indexes the stream into Elasticsearch.
package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/accesslog/alert"
	"sallyport/services/accesslog/sink"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/process"
	"sallyport/services/internal/state"
)

// Config is the service's configuration.
type Config struct {
	process.Common
	Listen        string `help:"Address for Envoy's gRPC access log. Keep it private: whoever reaches it can write outcomes." default:"127.0.0.1:9000" env:"SALLYPORT_LISTEN"`
	Redis         string `help:"Address of Redis, host:port." default:"127.0.0.1:6379" env:"SALLYPORT_REDIS"`
	Elasticsearch string `help:"URL of Elasticsearch." default:"http://127.0.0.1:9200" env:"SALLYPORT_ELASTICSEARCH"`
	// OTLP is where records go beside Elasticsearch.
	OTLP sink.Config `embed:"" prefix:"otlp-"`
	// Alerts are raised by what is decided.
	Alerts alert.Config `embed:"" prefix:"alert-"`
}

// Validate refuses settings that can't work.
func (c Config) Validate() error { return errors.Join(c.OTLP.Validate(), c.Alerts.Validate()) }

type metrics struct {
	indexed, aside, retries, outcomes prometheus.Counter
	unrecorded                        *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return promauto.With(registry).NewCounter(prometheus.CounterOpts{Namespace: "sallyport", Subsystem: "accesslog", Name: name, Help: help})
	}
	return &metrics{
		indexed:  counter("indexed_total", "Entries of the activity stream that Elasticsearch has taken."),
		aside:    counter("set_aside_total", "Entries that Elasticsearch refused for good, kept aside in Redis."),
		retries:  counter("retries_total", "Attempts at Redis or Elasticsearch that failed and were made again."),
		outcomes: counter("outcomes_total", "Outcomes of requests that Envoy has reported."),
		unrecorded: promauto.With(registry).NewCounterVec(prometheus.CounterOpts{
			Namespace: "sallyport", Subsystem: "accesslog", Name: "unrecorded_total",
			Help: "Requests to the MCP endpoint that have no record, by why: unauthenticated, undecided, incomplete, malformed or not_mcp (docs/record.md).",
		}, []string{"reason"}),
	}
}

// Start adds the service to a process.
func Start(_ context.Context, p *process.Process, cfg Config) error {
	store := state.Open(cfg.Redis)
	search, err := elastic.Open(cfg.Elasticsearch)
	if err != nil {
		return err
	}
	consumer, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("naming this indexer: %w", err)
	}
	m := newMetrics(p.Metrics)
	p.Metrics.MustRegister(backlog{store})
	indexer := &Indexer{stream: store, elastic: search, consumer: consumer, log: p.Log, metrics: m}
	p.Go("indexer", indexer.Run)
	p.CheckReady("redis", store.Ready)
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

// StreamAccessLogs receives entries until Envoy or the service stops. Envoy neither waits for an
// answer nor sends again, so an entry that can't be appended is lost, and its record's outcome
// stays unknown (design section 7). Ending the stream with an error makes Envoy open a new one.
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
			err = s.bindSession(stream.Context(), logged)
			if err != nil {
				return status.Error(codes.Unavailable, err.Error())
			}
		}
		if len(entries) == 0 {
			continue
		}
		err = s.ledger.AppendOutcomes(stream.Context(), entries)
		if err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
		s.metrics.outcomes.Add(float64(len(entries)))
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
