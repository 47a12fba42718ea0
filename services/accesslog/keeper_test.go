package accesslog_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/go-cmp/cmp"

	"sallyport/services/accesslog"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// daysAgo is the index of a day that was so many days ago.
func daysAgo(days int, governed bool) string {
	return activity.IndexOf(time.Now().AddDate(0, 0, -days), governed)
}

// TestWholeDaysAreDeleted has indices on both sides of the retention, some that look like Sallyport's, and two
// replicas that start at once. The retention is made shorter later.
func TestWholeDaysAreDeleted(t *testing.T) {
	elasticsearch := elastictest.Empty(t)
	transport, err := elastic.Open(elasticsearch)
	must(t, err)
	past := []string{daysAgo(12, true), daysAgo(5000, true), daysAgo(4, false)}
	shorter := []string{daysAgo(7, true)}
	kept := []string{
		daysAgo(5, true), daysAgo(0, true), daysAgo(-1, true), daysAgo(1, false),
		"sallyport-activity-2001.01.01-copy", "sallyport-activity-2001.1.1", "sallyport-activity-old",
	}
	for _, index := range slices.Concat(past, shorter, kept) {
		for i := range 2 {
			request := esapi.IndexRequest{Index: index, DocumentID: fmt.Sprint(i), Refresh: "true", Body: strings.NewReader(`{"event":{"id":"a"}}`)}
			response, err := request.Do(t.Context(), transport)
			must(t, err)
			must(t, elastic.Failure(response))
			must(t, response.Body.Close())
		}
	}
	cfg := accesslog.Config{Redis: redistest.Start(t), Elasticsearch: elasticsearch, RetentionDays: 10, ProtocolRetentionDays: 2}
	s, replica := openWith(t, cfg), openWith(t, cfg)
	s.ask(esapi.IndicesCloseRequest{Index: []string{daysAgo(5, true)}})
	s.indicesBecome(slices.Concat(shorter, kept))
	if got := s.metric("sallyport_accesslog_deleted_total") + replica.metric("sallyport_accesslog_deleted_total"); got != 6 {
		t.Errorf("%v records are counted as deleted, want 6", got)
	}

	// The halves of a record of a day that is past, such as those of a long outage, don't bring the day back.
	must(t, s.redis.XAdd(t.Context(), decisionEntry(past[0], "late", `{"event":{"id":"late"}}`)).Err())
	must(t, s.store.AppendOutcomes(t.Context(), []state.Entry{{ID: "late", Index: past[0], Document: []byte(`{"event":{"outcome":"success"}}`)}}))
	s.keptAside(0)
	s.indicesBecome(slices.Concat(shorter, kept))
	if got := s.metric("sallyport_accesslog_expired_total") + replica.metric("sallyport_accesslog_expired_total"); got != 2 {
		t.Errorf("%v entries are counted as expired, want 2", got)
	}

	s.end()
	replica.end()
	cfg.RetentionDays = 6
	s = openWith(t, cfg)
	s.indicesBecome(kept)
	s.keptAside(0)
	if diff := cmp.Diff(slices.Sorted(slices.Values(slices.Concat(past, shorter))), s.expired()); diff != "" {
		t.Errorf("the acts are of other days: %s", diff)
	}
}

// indicesBecome waits until there are exactly these indices.
func (s *sink) indicesBecome(want []string) {
	s.t.Helper()
	want = slices.Sorted(slices.Values(want))
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		response, err := esapi.CatIndicesRequest{Index: []string{"sallyport-*"}, H: []string{"index"}, ExpandWildcards: "all"}.Do(s.t.Context(), s.elastic)
		must(s.t, err)
		text, err := io.ReadAll(response.Body)
		must(s.t, err)
		must(s.t, response.Body.Close())
		got := slices.Sorted(slices.Values(strings.Fields(string(text))))
		diff := cmp.Diff(want, got)
		if diff == "" {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal(diff)
		}
	}
}

// expired are the indices that acts of the retention name, each of which has ended well and had two records.
func (s *sink) expired() []string {
	s.t.Helper()
	s.ask(esapi.IndicesRefreshRequest{Index: []string{daysAgo(0, true)}})
	response, err := esapi.SearchRequest{Index: []string{daysAgo(0, true)}, Query: "event.action:records.expire"}.Do(s.t.Context(), s.elastic)
	must(s.t, err)
	defer response.Body.Close()
	var answer struct {
		Hits struct {
			Hits []struct {
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	must(s.t, json.NewDecoder(response.Body).Decode(&answer))
	var targets []string
	for _, hit := range answer.Hits.Hits {
		r, err := activity.Parse(hit.Source)
		must(s.t, err)
		if r.User.Name != "retention" || r.Event.Outcome != "success" || r.Sallyport.Act.Details["records"] != "2" || r.Sallyport.Act.Caller != "service" {
			s.t.Errorf("the act is %s", hit.Source)
		}
		targets = append(targets, r.Sallyport.Act.Targets...)
	}
	return slices.Sorted(slices.Values(targets))
}

// TestWhatIsKeptAsideGoesWithItsDay has entries aside since long ago, and one since now.
func TestWhatIsKeptAsideGoesWithItsDay(t *testing.T) {
	cfg := accesslog.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t), RetentionDays: 10, ProtocolRetentionDays: 2}
	store := state.Open(cfg.Redis)
	defer store.Close()
	s := &sink{t: t, store: store}
	for i, index := range []string{daysAgo(12, true), daysAgo(9, true), daysAgo(4, false), "another", daysAgo(0, true)} {
		must(t, store.AppendOutcomes(t.Context(), []state.Entry{{ID: fmt.Sprint(i), Index: index, Document: []byte(`{}`)}}))
	}
	entries, err := store.ReadWaiting(t.Context(), "test", 10, -1, false)
	must(t, err)
	for _, e := range entries {
		must(t, store.SetAside(t.Context(), e, "x: y"))
	}
	s.keptAside(5)
	s = openWith(t, cfg)
	var left []string
	for _, e := range s.keptAside(3) {
		left = append(left, e.ID)
	}
	if diff := cmp.Diff([]string{"1", "3", "4"}, left); diff != "" {
		t.Error(diff)
	}
}

// official answers the requests of Elasticsearch's ILM as its reference has them, since the distribution of
// the tests has none: see "Index lifecycle management APIs" there, and "Update index settings".
type official struct {
	mu       sync.Mutex
	policies map[string]string
	settings map[string]string
	refused  []string
}

func (o *official) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	index, isSettings := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/_settings")
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/_ilm/status":
		_, _ = io.WriteString(w, `{"operation_mode":"RUNNING"}`)
		return
	case r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/_ilm/policy/"):
		o.policies[strings.TrimPrefix(r.URL.Path, "/_ilm/policy/")] = string(body)
	case r.Method == http.MethodGet && isSettings && index == "sallyport-activity-*,sallyport-protocol-*" && r.URL.Query().Get("flat_settings") == "true":
		_, _ = io.WriteString(w, `{
			"sallyport-activity-2026.11.23": {"settings":{"index.uuid":"a"}},
			"sallyport-protocol-2026.11.22": {"settings":{"index.uuid":"b"}},
			"sallyport-activity-2026.11.21": {"settings":{"index.uuid":"c","index.lifecycle.name":"ours"}},
			"sallyport-activity-2026.11.20-copy": {"settings":{"index.uuid":"d"}}}`)
		return
	case r.Method == http.MethodPut && isSettings:
		o.settings[index] = string(body)
	case r.Method == http.MethodGet && r.URL.Path == "/_index_template/sallyport":
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodPut && (r.URL.Path == "/_index_template/sallyport" || strings.HasSuffix(r.URL.Path, "/_mapping")):
	default:
		o.refused = append(o.refused, r.Method+" "+r.URL.String())
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = io.WriteString(w, `{"acknowledged":true}`)
}

// TestElasticsearchDeletesByItselfWhereItHasILM shows what it is told, once with an end and once without.
func TestElasticsearchDeletesByItselfWhereItHasILM(t *testing.T) {
	policy := func(phases string) string { return `{"policy":{"phases":{` + phases + `}}}` }
	for name, test := range map[string]struct {
		cfg      accesslog.Config
		policies map[string]string
	}{
		"the default": {accesslog.Config{RetentionDays: 400, ProtocolRetentionDays: 30}, map[string]string{
			"sallyport-activity": policy(`"hot":{"actions":{}},"delete":{"min_age":"401d","actions":{"delete":{}}}`),
			"sallyport-protocol": policy(`"hot":{"actions":{}},"delete":{"min_age":"31d","actions":{"delete":{}}}`),
		}},
		"for ever": {accesslog.Config{}, map[string]string{
			"sallyport-activity": policy(`"hot":{"actions":{}}`), "sallyport-protocol": policy(`"hot":{"actions":{}}`),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := &official{policies: map[string]string{}, settings: map[string]string{}}
			server := httptest.NewServer(o)
			t.Cleanup(server.Close)
			test.cfg.Redis, test.cfg.Elasticsearch = redistest.Start(t), server.URL
			s := openWith(t, test.cfg)
			for deadline := time.Now().Add(20 * time.Second); o.given() < 2; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the indices have no policy; refused were %q", o.refused)
				}
			}
			s.end()
			want := map[string]string{
				"sallyport-activity-2026.11.23": `{"index.lifecycle.name":"sallyport-activity","index.lifecycle.origination_date":1795392000000}`,
				"sallyport-protocol-2026.11.22": `{"index.lifecycle.name":"sallyport-protocol","index.lifecycle.origination_date":1795305600000}`,
			}
			if diff := cmp.Diff(want, o.settings) + cmp.Diff(test.policies, o.policies); diff != "" || len(o.refused) > 0 {
				t.Errorf("%s; refused were %q", diff, o.refused)
			}
		})
	}
}

// given is how many indices were given settings.
func (o *official) given() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.settings)
}
