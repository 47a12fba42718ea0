package accesslog_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"sallyport/services/accesslog"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// sink is a running accesslog with a Redis of its own.
type sink struct {
	t       *testing.T
	envoy   alsv3.AccessLogService_StreamAccessLogsClient
	store   *state.Store
	redis   *redis.Client
	elastic esapi.Transport
	metrics *prometheus.Registry
	// end ends the accesslog.
	end func()
}

// metric is a metric's value, added up over its labels.
func (s *sink) metric(name string) (value float64) {
	s.t.Helper()
	families, err := s.metrics.Gather()
	must(s.t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name {
				value += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return value
}

func open(t *testing.T, elasticsearch string) *sink {
	t.Helper()
	return openWith(t, accesslog.Config{Redis: redistest.Start(t), Elasticsearch: elasticsearch})
}

// openAt does that at a Redis that is there.
func openAt(t *testing.T, address, elasticsearch string) *sink {
	t.Helper()
	return openWith(t, accesslog.Config{Redis: address, Elasticsearch: elasticsearch})
}

// openWith opens one with a configuration, of which what isn't said is the tests' own.
func openWith(t *testing.T, cfg accesslog.Config) *sink {
	t.Helper()
	address, elasticsearch := cfg.Redis, cfg.Elasticsearch
	cfg.Listen, cfg.StreamLimit = nativetest.FreeAddress(t), cmp.Or(cfg.StreamLimit, 1000)
	var metrics *prometheus.Registry
	started := make(chan struct{})
	end := processtest.Run(t, &processtest.Log{}, func(ctx context.Context, p *process.Process) error {
		defer close(started)
		metrics = p.Metrics
		return accesslog.Start(ctx, p, cfg)
	})
	<-started
	stream, err := alsv3.NewAccessLogServiceClient(processtest.Dial(t, cfg.Listen)).StreamAccessLogs(t.Context())
	must(t, err)
	transport, err := elastic.Open(elasticsearch)
	must(t, err)
	s := &sink{t: t, end: end, metrics: metrics, envoy: stream, store: state.Open(address), redis: redis.NewClient(&redis.Options{Addr: address}), elastic: transport}
	t.Cleanup(func() { _, _ = s.store.Close(), s.redis.Close() })
	return s
}

// decided appends a decision's half of a record, as authz does.
func (s *sink) decided(id string, record activity.Record) {
	s.t.Helper()
	document, err := record.JSON()
	must(s.t, err)
	s.append(id, string(document))
}

func (s *sink) append(id, document string) {
	s.t.Helper()
	must(s.t, s.redis.XAdd(s.t.Context(), decisionEntry(index, id, document)).Err())
}

func decisionEntry(index, id, document string) *redis.XAddArgs {
	return &redis.XAddArgs{Stream: "{sallyport}:activity", Values: []any{"kind", "decision", "id", id, "index", index, "doc", document}}
}

// ended sends the end of an allowed request, as Envoy does.
func (s *sink) ended(id string, status uint32) {
	s.t.Helper()
	s.answered(activity.Note{IDs: []string{id}, Index: index}, status, "")
}

// answered does that for a request with any note, whose answer names an MCP session, or none.
func (s *sink) answered(note activity.Note, status uint32, session string) {
	s.t.Helper()
	response := &datav3.HTTPResponseProperties{ResponseCode: wrapperspb.UInt32(status), ResponseBodyBytes: 512}
	if session != "" {
		response.ResponseHeaders = map[string]string{"mcp-session-id": session}
	}
	must(s.t, s.envoy.Send(&alsv3.StreamAccessLogsMessage{LogEntries: &alsv3.StreamAccessLogsMessage_HttpLogs{HttpLogs: &alsv3.StreamAccessLogsMessage_HTTPAccessLogEntries{
		LogEntry: []*datav3.HTTPAccessLogEntry{{
			CommonProperties: &datav3.AccessLogCommon{
				Duration: durationpb.New(30 * time.Millisecond),
				Metadata: &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{"envoy.filters.http.ext_authz": note.Struct()}},
			},
			Response: response,
		}},
	}}}))
}

// indexed waits until this many records are in Elasticsearch and none in the stream, and returns
// them by id.
func (s *sink) indexed(want int) map[string]activity.Record {
	s.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		waiting, err := s.redis.XLen(s.t.Context(), "{sallyport}:activity").Result()
		must(s.t, err)
		var records map[string]activity.Record
		if waiting == 0 {
			records, err = s.search()
		}
		if waiting == 0 && err == nil && len(records) >= want {
			return records
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d entries wait and %d of %d records are indexed (%v)", waiting, len(records), want, err)
		}
	}
}

func (s *sink) search() (map[string]activity.Record, error) {
	refresh, err := esapi.IndicesRefreshRequest{Index: []string{index}}.Do(s.t.Context(), s.elastic)
	if err != nil {
		return nil, err
	}
	refresh.Body.Close()
	size := 1000
	response, err := esapi.SearchRequest{Index: []string{index}, Size: &size}.Do(s.t.Context(), s.elastic)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	err = elastic.Failure(response)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string          `json:"_id"`
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if err != nil {
		return nil, err
	}
	records := map[string]activity.Record{}
	for _, hit := range answer.Hits.Hits {
		records[hit.ID], err = activity.Parse(hit.Source)
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func decision(id string) activity.Record {
	return activity.Record{
		Timestamp: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), Event: activity.Event{ID: id, Action: "getJiraIssue"},
		HTTP:      &activity.HTTP{Request: &activity.Request{Method: "POST"}},
		Sallyport: activity.Sallyport{Decision: activity.Allowed, Operation: &activity.Operation{Name: "getJiraIssue"}},
	}
}

func (s *sink) aside() []redis.XMessage {
	s.t.Helper()
	entries, err := s.redis.XRange(s.t.Context(), "{sallyport}:rejected", "-", "+").Result()
	must(s.t, err)
	return entries
}

// block makes the index read-only, or takes that back.
func (s *sink) block(on bool) {
	s.t.Helper()
	body := strings.NewReader(fmt.Sprintf(`{"index.blocks.write":%t}`, on))
	response, err := esapi.IndicesPutSettingsRequest{Index: []string{index}, Body: body}.Do(s.t.Context(), s.elastic)
	must(s.t, err)
	must(s.t, elastic.Failure(response))
	must(s.t, response.Body.Close())
}
