package e2e_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"sallyport/services/internal/activity"
)

// collector takes spans as an OpenTelemetry collector does.
type collector struct {
	collectorv1.UnimplementedTraceServiceServer
	address string

	mu    sync.Mutex
	spans []span
}

// span is one, with the service that it is of.
type span struct {
	*tracev1.Span
	service string
}

func startCollector() (*collector, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &collector{address: listener.Addr().String()}
	server := grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	return c, nil
}

// Export is called by Envoy and the services.
func (c *collector) Export(_ context.Context, request *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.GetResourceSpans() {
		service := attributeOf(resource.GetResource().GetAttributes(), "service.name")
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, span{s, service})
			}
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

func attributeOf(all []*commonv1.KeyValue, name string) string {
	for _, one := range all {
		if one.GetKey() == name {
			return one.GetValue().GetStringValue()
		}
	}
	return ""
}

// of are the spans of a trace, by the service and the name.
func (c *collector) of(trace string) map[string]span {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]span{}
	for _, s := range c.spans {
		if hex.EncodeToString(s.GetTraceId()) == trace {
			found[s.service+" "+s.GetName()] = s
		}
	}
	return found
}

// text is all that was told, to be searched for secrets.
func (c *collector) text() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text strings.Builder
	for _, s := range c.spans {
		fmt.Fprintln(&text, s.service, protojson.Format(s.Span))
	}
	return []byte(text.String())
}

// TestTrace follows a call through Envoy, the decision and Redis by the trace that its record names, with and without
// one that the assistant has begun.
func TestTrace(t *testing.T) {
	applyPolicy(t, blockDeletes)
	// An admin's question that is refused in words which name somebody.
	expect(t, 1, []string{"712020:nobody"}, "people", "forget", "712020:nobody")
	token := connect(t, "ana@acme.test", "Claude Code (spans)").token(t)
	const theirs = "4bf92f3577b34da6a3ce929d0e0e4736"
	for tool, headers := range map[string]map[string]string{
		"getJiraIssue":    nil,
		"deleteJiraIssue": {"traceparent": "00-" + theirs + "-00f067aa0ba902b7-01"},
	} {
		id := post(t, token, []byte(marked(tool, "spans")), headers).Header.Get("X-Request-Id")
		trace, decision := waitForRecords(t, activity.Actions, map[string]any{"term": map[string]any{"event.id": id}}, 1)[0].Trace.ID, "allowed"
		if headers != nil {
			decision = "blocked"
			if trace != theirs {
				t.Errorf("the record has the trace %s, and the assistant began %s", trace, theirs)
			}
		}
		eventually(t, 20*time.Second, func() error {
			spans := traces.of(trace)
			request, decided, asked := spans["envoy ingress"], spans["authz envoy.service.auth.v3.Authorization/Check"], spans["authz fcall"]
			if request.Span == nil || decided.Span == nil || asked.Span == nil {
				return fmt.Errorf("the trace %q of %s has %v", trace, tool, spans)
			}
			if got := attributeOf(decided.GetAttributes(), "event.id"); got != id {
				return fmt.Errorf("the decision's span names the record %q, want %q", got, id)
			}
			if got := attributeOf(decided.GetAttributes(), "sallyport.decision"); got != decision {
				return fmt.Errorf("the decision's span says %q, want %q", got, decision)
			}
			if string(asked.GetParentSpanId()) != string(decided.GetSpanId()) {
				return fmt.Errorf("the span of Redis isn't within that of the decision: %v", spans)
			}
			return nil
		})
	}
	told := string(traces.text())
	for _, private := range []string{"ana@acme.test", "712020:", "OPS-1"} {
		if before, after, ok := strings.Cut(told, private); ok {
			t.Errorf("the spans have %s: ...%s%s%.200s...", private, before[max(0, len(before)-1000):], private, after)
		}
	}
}
