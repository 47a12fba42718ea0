package accesslog

import (
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// logged is an access log entry as Envoy 1.40 sends it for a call that took 30 ms, 20 of them
// Atlassian's.
func logged(status uint32, note *activity.Note) *accesslogv3.HTTPAccessLogEntry {
	entry := &accesslogv3.HTTPAccessLogEntry{
		CommonProperties: &accesslogv3.AccessLogCommon{
			TimeToFirstUpstreamTxByte: durationpb.New(5 * time.Millisecond),
			TimeToLastUpstreamRxByte:  durationpb.New(25 * time.Millisecond),
			Duration:                  durationpb.New(30 * time.Millisecond),
			Metadata:                  &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{}},
		},
		Response: &accesslogv3.HTTPResponseProperties{ResponseBodyBytes: 512},
	}
	if status > 0 {
		entry.Response.ResponseCode = wrapperspb.UInt32(status)
	}
	if note != nil {
		entry.CommonProperties.Metadata.FilterMetadata[decisionMetadata] = note.Struct()
	}
	return entry
}

// answering is an entry whose answer had these headers.
func answering(entry *accesslogv3.HTTPAccessLogEntry, headers map[string]string) *accesslogv3.HTTPAccessLogEntry {
	entry.Response.ResponseHeaders = headers
	return entry
}

func TestOutcomes(t *testing.T) {
	allowed := &activity.Note{IDs: []string{"r1"}, Index: "sallyport-activity-2026.11.23"}
	tests := []struct {
		name  string
		entry *accesslogv3.HTTPAccessLogEntry
		want  map[string]string
	}{
		{"without a decision there is no record to complete", logged(401, nil), map[string]string{}},
		{"answered", logged(200, allowed), map[string]string{
			"r1": `{"event":{"outcome":"success","duration":30000000},"http":{"response":{"status_code":200,"body":{"bytes":512}}},"sallyport":{"outcome":"ok","upstream_latency":20000000}}`}},
		{"refused by Atlassian", logged(500, allowed), map[string]string{
			"r1": `{"event":{"outcome":"failure","duration":30000000},"http":{"response":{"status_code":500,"body":{"bytes":512}}},"sallyport":{"outcome":"http_error","upstream_latency":20000000}}`}},
		{"cut off before an answer", logged(0, allowed), map[string]string{
			"r1": `{"event":{"outcome":"unknown","duration":30000000},"http":{"response":{"body":{"bytes":512}}},"sallyport":{"outcome":"unknown","outcome_reason":"cut_off","upstream_latency":20000000}}`}},
		{"as Atlassian calls it", answering(logged(200, allowed), map[string]string{"atl-traceid": "7c1f", "atl-request-id": "odd\xff" + strings.Repeat("x", 300), "mcp-session-id": "s"}), map[string]string{
			"r1": `{"event":{"outcome":"success","duration":30000000},"http":{"response":{"status_code":200,"body":{"bytes":512}}},"sallyport":{"outcome":"ok","upstream_latency":20000000,"upstream_trace":"7c1f","upstream_request":"odd�` + strings.Repeat("x", 252) + ` [48 more bytes were cut]"}}`}},
		{"the answer that begins a session names it", answering(logged(200, &activity.Note{IDs: []string{"r1"}, Holder: "ana"}), map[string]string{"mcp-session-id": "s"}), map[string]string{
			"r1": `{"event":{"outcome":"success","duration":30000000},"http":{"response":{"status_code":200,"body":{"bytes":512}}},"sallyport":{"outcome":"ok","upstream_latency":20000000,"mcp_session":"` + state.SessionHash("s") + `"}}`}},
		{"a blocked batch has an outcome for each message", logged(200, &activity.Note{IDs: []string{"r1-1", "r1-2"}, Blocked: true}), map[string]string{
			"r1-1": `{"event":{"outcome":"failure","duration":30000000},"http":{"response":{"status_code":200,"body":{"bytes":512}}}}`,
			"r1-2": `{"event":{"outcome":"failure","duration":30000000},"http":{"response":{"status_code":200,"body":{"bytes":512}}}}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries, err := outcomes(test.entry)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, e := range entries {
				got[e.ID] = string(e.Document)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
