package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
)

// elasticWay is the way to Elasticsearch. From a search on, counted from 1, it gets stuck or breaks.
type elasticWay struct {
	searches            atomic.Int64
	stuckFrom, failFrom atomic.Int64
	// stuck has something when a search is stuck, and gone when the one who asked has gone.
	stuck, gone chan struct{}
}

// before returns an address from which the way leads to Elasticsearch.
func (e *elasticWay) before(t *testing.T, address string) string {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	e.stuck, e.gone = make(chan struct{}, 100), make(chan struct{}, 100)
	proxy := httputil.NewSingleHostReverseProxy(target)
	way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/_search") {
			n := e.searches.Add(1)
			switch {
			case e.stuckFrom.Load() > 0 && n >= e.stuckFrom.Load():
				// Reading the body lets the server notice that the other side goes.
				_ = json.NewDecoder(r.Body).Decode(&struct{}{})
				e.stuck <- struct{}{}
				<-r.Context().Done()
				e.gone <- struct{}{}
				return
			case e.failFrom.Load() > 0 && n >= e.failFrom.Load():
				panic(http.ErrAbortHandler) //nolint:forbidigo // how net/http is told to break off
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(way.Close)
	return way.URL
}

// openViews is how many indices Elasticsearch keeps a point in time of.
func openViews(t *testing.T, address string) int {
	t.Helper()
	response, err := http.Get(address + "/_stats/search")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var stats struct {
		All struct {
			Total struct {
				Search struct {
					Open int `json:"open_contexts"`
				} `json:"search"`
			} `json:"total"`
		} `json:"_all"`
	}
	err = json.NewDecoder(response.Body).Decode(&stats)
	if err != nil {
		t.Fatal(err)
	}
	return stats.All.Total.Search.Open
}

// TestSimulateManyPages reads more records than a page has, of several days, and what becomes of it
// when the client goes or Elasticsearch does between two pages.
func TestSimulateManyPages(t *testing.T) {
	const calls = 5100
	address, way := elastictest.Empty(t), &elasticWay{}
	conn := start(t, admin.Config{Redis: redistest.Start(t), Elasticsearch: way.before(t, address)})
	seeded(asAdmin(t), t, adminv1.NewPolicyServiceClient(conn))
	client := adminv1.NewTrialServiceClient(conn)
	a := &acme{rand: rand.New(rand.NewPCG(1, 2))}
	var records []activity.Record
	for i := range calls {
		r, _ := a.record(t, fmt.Sprint(i), noon.Add(-time.Duration(i)*time.Minute), 40)
		records = append(records, r)
	}
	index(t, address, records...)
	request := &adminv1.SimulatePolicyRequest{Since: timestamppb.New(noon.AddDate(0, 0, -7)), Until: timestamppb.New(noon.Add(time.Minute))}
	result, _ := simulate(asAdmin(t), t, client, request)
	if result.GetCalls() != calls || result.GetNewlyAllowed() == 0 || way.searches.Load() < 3 {
		t.Errorf("%d calls in %d pages, %d newly allowed", result.GetCalls(), way.searches.Load(), result.GetNewlyAllowed())
	}

	way.stuckFrom.Store(way.searches.Load() + 2)
	ctx, cancel := context.WithCancel(asAdmin(t))
	defer cancel()
	stream, err := client.SimulatePolicy(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	<-way.stuck
	if openViews(t, address) == 0 {
		t.Error("records are read without a view of them")
	}
	cancel()
	for err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Canceled {
		t.Errorf("the client that went got %v", err)
	}
	<-way.gone
	stopped := way.searches.Load()
	for deadline := time.Now().Add(10 * time.Second); openViews(t, address) != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the view of the records stays open")
		}
	}
	if way.searches.Load() != stopped {
		t.Error("records are read for a client that has gone")
	}

	way.stuckFrom.Store(0)
	way.failFrom.Store(stopped + 2)
	unavailable(t, client, request)
}

func TestSimulateWithoutElasticsearch(t *testing.T) {
	conn := start(t, redisOnly(t))
	seeded(asAdmin(t), t, adminv1.NewPolicyServiceClient(conn))
	unavailable(t, adminv1.NewTrialServiceClient(conn), &adminv1.SimulatePolicyRequest{Since: timestamppb.New(noon)})
}

// unavailable checks that a simulation ends with a sentence and without a result.
func unavailable(t *testing.T, client adminv1.TrialServiceClient, request *adminv1.SimulatePolicyRequest) {
	t.Helper()
	stream, err := client.SimulatePolicy(asAdmin(t), request)
	for err == nil {
		var answer *adminv1.SimulatePolicyResponse
		answer, err = stream.Recv()
		if answer.GetResult() != nil {
			t.Error("half of the records came to a result")
		}
	}
	if status.Code(err) != codes.Unavailable || !strings.HasPrefix(status.Convert(err).Message(), "Elasticsearch can't be searched right now") {
		t.Errorf("without Elasticsearch: %v", err)
	}
}

func TestSimulateCountsRecordsWithoutGroupIDs(t *testing.T) {
	cfg, client := withEverything(t)
	old := call("old", noon, "editJiraIssue")
	index(t, cfg.Elasticsearch, old, by(call("new", noon, "editJiraIssue"), "ana@acme.test", "claude", "developers"), by(call("no groups", noon, "editJiraIssue"), "cy@acme.test", "claude"))
	result, _ := simulate(asAdmin(t), t, client, &adminv1.SimulatePolicyRequest{Since: timestamppb.New(noon)})
	if result.GetCalls() != 3 || result.GetWithoutGroupIds() != 1 {
		t.Errorf("%d of %d calls are without group ids, want 1 of 3", result.GetWithoutGroupIds(), result.GetCalls())
	}
}
