package process

import (
	"errors"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestSpansDontSayWhatWentWrong ends a span with an error that names somebody.
func TestSpansDontSayWhatWentWrong(t *testing.T) {
	sent := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(wordless{sent}))
	_, span := provider.Tracer("test").Start(t.Context(), "call")
	span.RecordError(errors.New("ana@acme.test isn't connected"))
	span.SetStatus(codes.Error, "ana@acme.test isn't connected")
	span.End()
	got := sent.GetSpans()
	if len(got) != 1 || got[0].Status.Code != codes.Error || got[0].Status.Description != "" || len(got[0].Events) > 0 {
		t.Errorf("sent %+v", got)
	}
}
