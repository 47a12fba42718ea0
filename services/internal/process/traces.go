package process

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
)

const (
	// tellTraces is how often it is logged that spans don't arrive.
	tellTraces = time.Minute
	// lastSpans is how long the last spans may take to leave.
	lastSpans = 5 * time.Second
)

// openTraces has what is done for a request leave as spans of OpenTelemetry, to a collector that takes OTLP over gRPC.
// Traces are begun by Envoy, which chooses those that are recorded; what a service does by itself isn't traced. What
// it returns sends the last spans.
func openTraces(ctx context.Context, log *slog.Logger, service, collector string) (end func(), err error) {
	_, _, err = net.SplitHostPort(collector)
	if err != nil {
		return nil, fmt.Errorf("--traces is %q: it must be a host and a port, such as otel-collector:4317", collector)
	}
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(collector), otlptracegrpc.WithInsecure())
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(wordless{exporter}),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.namespace", "sallyport"), attribute.String("service.name", service))),
		trace.WithSampler(trace.ParentBased(trace.NeverSample())),
	)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetErrorHandler(&lostSpans{log: log, collector: collector})
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		err := provider.Shutdown(ctx)
		if err != nil {
			log.Warn("the last spans didn't arrive at the collector", "collector", collector, "error", err)
		}
	}, nil
}

// wordless passes spans on without what went wrong in words: an error may name people, or quote them.
type wordless struct{ trace.SpanExporter }

// ExportSpans is called by OpenTelemetry.
func (w wordless) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	bare := make([]trace.ReadOnlySpan, len(spans))
	for i, span := range spans {
		bare[i] = bareSpan{span}
	}
	return w.SpanExporter.ExportSpans(ctx, bare)
}

// bareSpan is a span that says whether it failed, and not how.
type bareSpan struct{ trace.ReadOnlySpan }

func (s bareSpan) Status() trace.Status  { return trace.Status{Code: s.ReadOnlySpan.Status().Code} }
func (s bareSpan) Events() []trace.Event { return nil }

// lostSpans says that spans don't arrive, once in tellTraces.
type lostSpans struct {
	log       *slog.Logger
	collector string

	mu   sync.Mutex
	next time.Time
}

// Handle is called by OpenTelemetry.
func (l *lostSpans) Handle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.next) {
		return
	}
	l.next = time.Now().Add(tellTraces)
	l.log.Warn("spans don't arrive at the collector; calls don't wait for it", "collector", l.collector, "error", err)
}

// serverTraces has a gRPC server go on with its callers' traces.
func (p *Process) serverTraces() []grpc.ServerOption {
	if !p.Traced {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler())}
}

// ClientTraces has a gRPC client tell those that it calls of the trace.
func (p *Process) ClientTraces() []grpc.DialOption {
	if !p.Traced {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler())}
}
