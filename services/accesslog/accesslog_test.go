package accesslog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"sallyport/services/accesslog"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

const index = "sallyport-activity-2026.11.23"

func TestMain(m *testing.M) { os.Exit(elastictest.Run(m)) }

// sink is a running accesslog with a Redis of its own.
type sink struct {
	t       *testing.T
	envoy   alsv3.AccessLogService_StreamAccessLogsClient
	store   *state.Store
	redis   *redis.Client
	elastic esapi.Transport
}

func open(t *testing.T, elasticsearch string) *sink {
	t.Helper()
	return openAt(t, redistest.Start(t), elasticsearch)
}

// openAt does that at a Redis that is there.
func openAt(t *testing.T, address, elasticsearch string) *sink {
	t.Helper()
	cfg := accesslog.Config{Listen: nativetest.FreeAddress(t), Redis: address, Elasticsearch: elasticsearch}
	processtest.Run(t, &processtest.Log{}, func(ctx context.Context, p *process.Process) error { return accesslog.Start(ctx, p, cfg) })
	stream, err := alsv3.NewAccessLogServiceClient(processtest.Dial(t, cfg.Listen)).StreamAccessLogs(t.Context())
	must(t, err)
	transport, err := elastic.Open(elasticsearch)
	must(t, err)
	s := &sink{t: t, envoy: stream, store: state.Open(address), redis: redis.NewClient(&redis.Options{Addr: address}), elastic: transport}
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

func must(t *testing.T, err error) {
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

func TestHalvesBecomeOneRecord(t *testing.T) {
	s := open(t, elastictest.Empty(t))
	s.decided("decided-first", decision("decided-first"))
	s.indexed(1)
	s.ended("decided-first", 200)
	s.ended("ended-first", 500)
	s.indexed(2)
	s.decided("ended-first", decision("ended-first"))
	// A stream that is read again after a crash brings entries twice.
	s.decided("ended-first", decision("ended-first"))
	s.ended("decided-first", 200)

	records := s.indexed(2)
	if len(records) != 2 {
		t.Fatalf("%d records, want two", len(records))
	}
	for id, want := range map[string]struct {
		status  int
		outcome string
	}{"decided-first": {200, activity.OutcomeOK}, "ended-first": {500, activity.OutcomeHTTPError}} {
		r := records[id]
		if r.Event.Action != "getJiraIssue" || r.Sallyport.Decision != activity.Allowed || r.HTTP == nil || r.HTTP.Request == nil || r.HTTP.Response == nil {
			t.Errorf("%s lacks a half: %+v", id, r)
			continue
		}
		if r.HTTP.Response.StatusCode != want.status || r.Sallyport.Outcome != want.outcome || r.Event.Duration != (30*time.Millisecond).Nanoseconds() {
			t.Errorf("%s ended as %+v %+v", id, r.HTTP.Response, r.Sallyport)
		}
	}
}

func TestWhatElasticsearchRefusesIsSetAside(t *testing.T) {
	s := open(t, elastictest.Empty(t))
	s.append("refused", `{"no_such_field":true}`)
	s.decided("taken", decision("taken"))
	s.indexed(1)
	aside, err := s.redis.XRange(t.Context(), "{sallyport}:rejected", "-", "+").Result()
	must(t, err)
	if len(aside) != 1 || aside[0].Values["id"] != "refused" || aside[0].Values["doc"] != `{"no_such_field":true}` || aside[0].Values["reason"] == "" {
		t.Errorf("set aside is %+v", aside)
	}
}

// TestAnIndexOfAnOlderVersionIsGivenNewFields shows that records are taken by the index of the day of
// an upgrade, which was made before it.
func TestAnIndexOfAnOlderVersionIsGivenNewFields(t *testing.T) {
	elasticsearch := elastictest.Empty(t)
	transport, err := elastic.Open(elasticsearch)
	must(t, err)
	for _, request := range []esapi.Request{
		esapi.IndicesDeleteIndexTemplateRequest{Name: activity.TemplateName},
		esapi.IndicesCreateRequest{Index: index, Body: strings.NewReader(`{"mappings":{"dynamic":"strict","properties":{"@timestamp":{"type":"date_nanos"}}}}`)},
	} {
		response, err := request.Do(t.Context(), transport)
		must(t, err)
		must(t, elastic.Failure(response))
		must(t, response.Body.Close())
	}
	s := open(t, elasticsearch)
	s.decided("r1", decision("r1"))
	s.ended("r1", 200)
	if got := s.indexed(1)["r1"]; got.Sallyport.Operation == nil {
		t.Errorf("got %+v", got)
	}
}

// TestOneUnreadableEntryHoldsUpNothing shows that a legal argument which makes Elasticsearch refuse a whole
// request is set aside alone.
func TestOneUnreadableEntryHoldsUpNothing(t *testing.T) {
	s := open(t, elastictest.Empty(t))
	const calls = 20
	for i := range calls {
		id := fmt.Sprintf("call %d", i)
		r := decision(id)
		if i == 7 {
			r.Sallyport.Arguments = []byte(`{"digits":` + strings.Repeat("7", 5000) + `}`)
		}
		s.decided(id, r)
	}
	s.indexed(calls - 1)
	aside := s.aside()
	if len(aside) != 1 || aside[0].Values["id"] != "call 7" || !strings.Contains(fmt.Sprint(aside[0].Values["reason"]), "x_content_parse_exception") {
		t.Errorf("set aside is %+v", aside)
	}
}

// TestAReadOnlyIndexIsWaitedFor shows that what is refused for the state of an index isn't set aside, and
// that what is set aside beside it is so once, however often the rest is tried.
func TestAReadOnlyIndexIsWaitedFor(t *testing.T) {
	s := open(t, elastictest.Empty(t))
	s.decided("first", decision("first"))
	s.indexed(1)
	s.block(true)
	document, err := decision("waits").JSON()
	must(t, err)
	// In one step, so that both are in one request to Elasticsearch.
	_, err = s.redis.TxPipelined(t.Context(), func(pipe redis.Pipeliner) error {
		pipe.XAdd(t.Context(), decisionEntry("sallyport-activity-2026.11.24", "refused", `{"no_such_field":true}`))
		pipe.XAdd(t.Context(), decisionEntry(index, "waits", string(document)))
		return nil
	})
	must(t, err)
	for deadline := time.Now().Add(20 * time.Second); len(s.aside()) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is set aside")
		}
	}
	s.block(false)
	records := s.indexed(2)
	if aside := s.aside(); len(records) != 2 || len(aside) != 1 || aside[0].Values["id"] != "refused" {
		t.Errorf("%d records, and set aside is %+v", len(records), aside)
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

func TestNothingIsLostWhileElasticsearchIsAway(t *testing.T) {
	server := elastictest.Start(t)
	t.Cleanup(server.Stop)
	s := open(t, server.URL)
	const calls = 300
	for i := range calls {
		switch i {
		case 50:
			server.Halt()
		case 250:
			server.Resume(t)
		}
		id := fmt.Sprintf("call %d", i)
		s.decided(id, decision(id))
		s.ended(id, 200)
	}
	records := s.indexed(calls)
	for id, r := range records {
		if r.Sallyport.Decision == "" || r.HTTP.Response == nil {
			t.Errorf("%s lacks a half: %+v", id, r)
		}
	}
	if len(records) != calls {
		t.Errorf("%d records of %d calls", len(records), calls)
	}
}

// TestSessionIsBoundFromTheAnswerThatBeginsIt shows that a session is its holder's as soon as its first
// answer is reported, and that no other answer gives one away.
func TestSessionIsBoundFromTheAnswerThatBeginsIt(t *testing.T) {
	s := open(t, "http://127.0.0.1:1")
	holder := func(session string) string {
		return s.redis.Get(t.Context(), "{sallyport}:bound:"+state.SessionHash(session)).Val()
	}
	s.answered(activity.Note{IDs: []string{"1"}, Index: index, Holder: "ana"}, 200, "s-1")
	s.answered(activity.Note{IDs: []string{"2"}, Index: index, Holder: "bo"}, 200, "s-1")
	s.answered(activity.Note{IDs: []string{"3"}, Index: index}, 200, "s-2")
	s.answered(activity.Note{IDs: []string{"4"}, Index: index, Holder: "bo", Blocked: true}, 404, "s-3")
	s.answered(activity.Note{IDs: []string{"5"}, Index: index, Holder: "ana"}, 200, "s-4")
	for deadline := time.Now().Add(10 * time.Second); holder("s-4") == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the last session isn't bound")
		}
	}
	if holder("s-1") != "ana" || holder("s-2") != "" || holder("s-3") != "" || holder("s-4") != "ana" {
		t.Errorf("bound to %q, %q, %q and %q", holder("s-1"), holder("s-2"), holder("s-3"), holder("s-4"))
	}
}

// TestRecordsHaveTheirPlaceInTheStream indexes both halves of records, and one twice: each record has the
// place at which its first half was written down.
func TestRecordsHaveTheirPlaceInTheStream(t *testing.T) {
	s := open(t, elastictest.Empty(t))
	var want []string
	for i := range 5 {
		id := fmt.Sprint("r", i)
		position, err := s.redis.XAdd(t.Context(), &redis.XAddArgs{Stream: "{sallyport}:activity", Values: []any{
			"kind", []string{"decision", "act"}[i%2], "id", id, "index", index, "doc", `{"event":{"id":"` + id + `"}}`,
		}}).Result()
		must(t, err)
		s.ended(id, 200)
		want = append(want, id+" "+state.Sequence(position))
	}
	s.indexed(5)
	response, err := esapi.SearchRequest{Index: []string{index}, Sort: []string{"sallyport.sequence"}}.Do(t.Context(), s.elastic)
	must(t, err)
	defer response.Body.Close()
	var answer struct {
		Hits struct {
			Hits []struct {
				ID   string `json:"_id"`
				Sort []string
			}
		}
	}
	must(t, json.NewDecoder(response.Body).Decode(&answer))
	var got []string
	for _, h := range answer.Hits.Hits {
		got = append(got, h.ID+" "+strings.Join(h.Sort, " "))
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("got %q, want %q", got, want)
	}
}
