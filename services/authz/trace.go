package authz

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"sallyport/services/internal/activity"
)

// traceID returns the trace id of a W3C traceparent header (Trace Context, section 3.2), or "".
func traceID(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) < 4 || len(parts[1]) != 32 || strings.Trim(parts[1], "0123456789abcdef") != "" {
		return ""
	}
	return parts[1]
}

// traceOf returns the id of the trace that Envoy has begun for a request, or "" where it begins none.
func traceOf(ctx context.Context) string {
	span := trace.SpanContextFromContext(ctx)
	if !span.HasTraceID() {
		return ""
	}
	return span.TraceID().String()
}

// tellTrace says in the span of a decision what was decided, by the names that the record has for it. Who asked, and
// for what, is in the record alone.
func tellTrace(ctx context.Context, q question, p plan) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	decision := activity.Allowed
	if p.note.Blocked {
		decision = activity.Blocked
	}
	span.SetAttributes(attribute.String("event.id", q.id), attribute.String("sallyport.decision", decision))
}
