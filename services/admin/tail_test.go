package admin_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// written is an activity stream and indexers of it, which do as those of accesslog do.
type written struct {
	t         *testing.T
	redis     *redis.Client
	store     *state.Store
	transport esapi.Transport
}

func newWritten(t *testing.T, redisAddress, elasticAddress string) *written {
	t.Helper()
	transport, err := elastic.Open(elasticAddress)
	if err != nil {
		t.Fatal(err)
	}
	w := &written{t: t, redis: redis.NewClient(&redis.Options{Addr: redisAddress}), store: state.Open(redisAddress), transport: transport}
	t.Cleanup(func() { _, _ = w.redis.Close(), w.store.Close() })
	return w
}

// decide appends a record to the stream, as authz does, and its outcome, as accesslog does.
func (w *written) decide(r activity.Record) {
	w.t.Helper()
	outcome := activity.Record{Sallyport: activity.Sallyport{Outcome: r.Sallyport.Outcome}}
	r.Sallyport.Outcome = ""
	for kind, half := range map[string]activity.Record{"decision": r, "outcome": outcome} {
		w.half(kind, r, half)
	}
}

// half appends one half of a record to the stream.
func (w *written) half(kind string, r, half activity.Record) {
	w.t.Helper()
	document, err := half.JSON()
	if err == nil {
		err = w.redis.XAdd(w.t.Context(), &redis.XAddArgs{Stream: "{sallyport}:activity", Values: []any{
			"kind", kind, "id", r.Event.ID, "index", activity.IndexOf(r.Timestamp, true), "doc", document,
		}}).Err()
	}
	if err != nil {
		w.t.Error(err)
	}
}

// index moves entries into Elasticsearch until the context ends, each batch after a while of its own and some
// twice, so that several of them finish in any order.
func (w *written) index(ctx context.Context, name string) {
	for ctx.Err() == nil {
		entries, err := w.store.ReadWaiting(ctx, name, int64(1+rand.IntN(40)), 100*time.Millisecond, false)
		if err != nil || len(entries) == 0 {
			continue
		}
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		for range 1 + rand.IntN(2) {
			w.bulk(entries)
		}
		err = w.store.Indexed(w.t.Context(), entries)
		if err != nil {
			w.t.Error(err)
		}
	}
}

func (w *written) bulk(entries []state.Waiting) {
	var body bytes.Buffer
	for _, e := range entries {
		place := map[string]string{"decision": "sequence", "outcome": "completed"}[e.Kind]
		document := fmt.Sprintf(`{"sallyport.%s":%q,%s`, place, state.Sequence(e.Position), e.Document[1:])
		fmt.Fprintf(&body, `{"update":{"_index":%q,"_id":%q,"retry_on_conflict":5}}`+"\n"+`{"doc":%s,"doc_as_upsert":true}`+"\n", e.Index, e.ID, document)
	}
	response, err := esapi.BulkRequest{Body: &body}.Do(w.t.Context(), w.transport)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(response.Body)
	if err != nil || !strings.Contains(answer.String(), `"errors":false`) {
		w.t.Errorf("indexing: %v %s", err, answer.String())
	}
}

// indexers runs three of them until stop is called, which waits for them.
func (w *written) indexers() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	for i := range 3 {
		running.Go(func() { w.index(ctx, fmt.Sprint("indexer", i)) })
	}
	return func() { cancel(); running.Wait() }
}

// indexed waits until nothing waits to be indexed.
func (w *written) indexed() {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		length, _, err := w.store.StreamLength(w.t.Context())
		if err == nil && length == 0 {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%d entries still wait, %v", length, err)
		}
	}
}

// TestTailUnderLoad writes 1,000 calls of two people while three indexers finish in any order and a tail of
// one person's calls ends and goes on at random moments: they come in the order in which they were written,
// each once.
func TestTailUnderLoad(t *testing.T) {
	const calls = 1000
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	w := newWritten(t, cfg.Redis, cfg.Elasticsearch)
	stop := w.indexers()
	defer stop()
	request := &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{User: "ana@acme.test"}}
	stream, err := client.TailActivity(asAdmin(t), request)
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil || len(first.GetRecords()) != 0 || first.GetCursor() == "" {
		t.Fatalf("the first message is %v, %v", first, err)
	}
	var want, got []string
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range calls {
			// Some are decided shortly before others that are written down earlier, and on the day before.
			r := call(fmt.Sprintf("call %04d", i), time.Now().Add(-time.Duration(rand.IntN(2000))*time.Millisecond-time.Duration(i%3*12)*time.Hour), "getJiraIssue")
			if i%2 == 1 {
				r.User.Email = "bo@acme.test"
			}
			w.decide(r)
		}
	})
	for i := 0; i < calls; i += 2 {
		want = append(want, fmt.Sprintf("call %04d", i))
	}
	request.Cursor = first.GetCursor()
	tails := 0
	for deadline := time.Now().Add(2 * time.Minute); len(got) < len(want) && time.Now().Before(deadline); tails++ {
		ctx, cancel := context.WithCancel(asAdmin(t))
		stream, err := client.TailActivity(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 + rand.IntN(4) {
			if len(got) >= len(want) {
				break
			}
			message, err := stream.Recv()
			if err != nil {
				t.Fatalf("after %d records: %v", len(got), err)
			}
			for _, r := range message.GetRecords() {
				got = append(got, r.GetId())
			}
			request.Cursor = message.GetCursor()
		}
		cancel()
	}
	writer.Wait()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in %d tails: %s", tails, diff)
	}
	if tails < 2 {
		t.Error("the tail never went on from a cursor")
	}
}

// TestTailIsCut has a tail fall behind: by records, and by a reader that takes nothing.
func TestTailIsCut(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t), TailLimit: 50, TailPatience: 500 * time.Millisecond}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	w := newWritten(t, cfg.Redis, cfg.Elasticsearch)
	stop := w.indexers()
	defer stop()
	stream, err := client.TailActivity(asAdmin(t), &adminv1.TailActivityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	w.decide(call("before", time.Now(), "getJiraIssue"))
	for len(first.GetRecords()) == 0 {
		first, err = stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
	}
	large := strings.Repeat("x", 900<<10)
	for i := range 10 {
		r := call(fmt.Sprint("large", i), time.Now(), "createConfluencePage")
		r.Sallyport.Arguments = fmt.Appendf(nil, `{"body":%q}`, large)
		w.decide(r)
	}
	w.indexed()
	for err == nil {
		// A message as large as these waits until it is taken, which is too late.
		time.Sleep(2 * time.Second)
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.OutOfRange || !strings.Contains(err.Error(), "nothing was taken from it for 500ms") {
		t.Errorf("a reader that takes nothing got %v", err)
	}
	for i := range 60 {
		w.decide(call(fmt.Sprint("many", i), time.Now(), "getJiraIssue"))
	}
	w.indexed()
	stream, err = client.TailActivity(asAdmin(t), &adminv1.TailActivityRequest{Cursor: first.GetCursor()})
	for err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.OutOfRange || !strings.Contains(err.Error(), "more than 50 records behind") {
		t.Errorf("a tail that is far behind got %v", err)
	}
}

func TestTailRefuses(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	ask := func(token string, request *adminv1.TailActivityRequest) (*adminv1.TailActivityResponse, error) {
		stream, err := client.TailActivity(with(t, token), request)
		if err != nil {
			return nil, err
		}
		return stream.Recv()
	}
	search := &adminv1.SearchActivityRequest{Query: "ana"}
	began, err := ask(viewerToken, &adminv1.TailActivityRequest{Search: search})
	if err != nil || !began.GetArgumentsWithheld() {
		t.Fatalf("a viewer got %v, %v", began, err)
	}
	for name, test := range map[string]struct {
		token   string
		request *adminv1.TailActivityRequest
		says    string
	}{
		"in flight":      {token, &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{Outcome: "in_flight"}}, "nobody tells when it comes"},
		"unknown":        {token, &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{Outcome: "unknown"}}, "nobody tells when it comes"},
		"no outcome":     {token, &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{Outcome: "great"}}, "outcome is"},
		"a page":         {token, &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{PageSize: 1}}, "page_size"},
		"another filter": {token, &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{Family: "fly*"}}, "family"},
		"no cursor":      {token, &adminv1.TailActivityRequest{Cursor: "x"}, "cursor is none"},
		"another search": {viewerToken, &adminv1.TailActivityRequest{Cursor: began.GetCursor()}, "cursor is of another tail"},
		"another role":   {token, &adminv1.TailActivityRequest{Search: search, Cursor: began.GetCursor()}, "cursor is of another tail"},
	} {
		_, err := ask(test.token, test.request)
		if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err = ask(viewerToken, &adminv1.TailActivityRequest{Search: search, Cursor: began.GetCursor()})
	if err != nil {
		t.Errorf("the same tail: %v", err)
	}
}

// TestTailWithholdsArguments tails as an auditor and as a viewer, all and by a word that is only in the arguments
// of one call, and in the name of who made another.
func TestTailWithholdsArguments(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	w := newWritten(t, cfg.Redis, cfg.Elasticsearch)
	stop := w.indexers()
	defer stop()
	type reader struct{ token, query string }
	tails := map[reader]grpc.ServerStreamingClient[adminv1.TailActivityResponse]{}
	for _, as := range []string{auditorToken, viewerToken} {
		for _, query := range []string{"", "okapi"} {
			stream, err := client.TailActivity(with(t, as), &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{Query: query}})
			if err == nil {
				_, err = stream.Recv()
			}
			if err != nil {
				t.Fatal(err)
			}
			tails[reader{as, query}] = stream
		}
	}
	secret := call("secret", time.Now(), "createConfluencePage")
	secret.Sallyport.Arguments, secret.Sallyport.ArgumentsText = []byte(`{"title":"Okapi"}`), `{"title":"Okapi"}`
	open := secret
	open.Event.ID, open.User = "open", &activity.User{ID: "712020:okapi", Name: "Okapi"}
	w.decide(secret)
	w.decide(open)
	for as, stream := range tails {
		want := "secret open"
		if as.token == viewerToken && as.query != "" {
			want = "open"
		}
		var got []string
		for !slices.Contains(got, "open") {
			message, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if message.GetArgumentsWithheld() != (as.token == viewerToken) {
				t.Errorf("%v got %v", as, message)
			}
			for _, r := range message.GetRecords() {
				got = append(got, r.GetId())
				if (r.GetArguments() == nil) != (as.token == viewerToken) {
					t.Errorf("%v got %v", as, r)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v got %q, want %q", as, got, want)
		}
	}
}

// TestTailSaysThatItIsAlive waits for the message that comes every 15 seconds where nothing is recorded.
func TestTailSaysThatItIsAlive(t *testing.T) {
	cfg := redisOnly(t)
	cfg.Elasticsearch = elastictest.Empty(t)
	stream, err := adminv1.NewActivityServiceClient(start(t, cfg)).TailActivity(with(t, viewerToken), &adminv1.TailActivityRequest{})
	for i := range 2 {
		if i == 1 {
			t.Parallel() // It takes a while, and has no use for Elasticsearch any more.
		}
		var message *adminv1.TailActivityResponse
		if err == nil {
			message, err = stream.Recv()
		}
		if err != nil || len(message.GetRecords()) != 0 || message.GetCursor() == "" || !message.GetArgumentsWithheld() {
			t.Fatalf("got %v, %v", message, err)
		}
	}
}

// TestTailEndsWithItsCallersRole revokes a token, and takes a person's role away, while they have a tail.
func TestTailEndsWithItsCallersRole(t *testing.T) {
	cfg := redisOnly(t)
	cfg.ConsoleURL, cfg.Elasticsearch = consoleURL, elastictest.Empty(t)
	conn := start(t, cfg)
	store := state.Open(cfg.Redis)
	defer store.Close()
	access := adminv1.NewAccessServiceClient(conn)
	made, err := access.CreateToken(asAdmin(t), &adminv1.CreateTokenRequest{Name: "wall", Role: asViewer})
	if err != nil {
		t.Fatal(err)
	}
	signInAdmin(t, store, "anas-token", consoleURL)
	version, err := store.SaveRoles(t.Context(), 0, []state.RoleBinding{{Role: "auditor", Email: "ana@acme.test"}}, state.Save{})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		token string
		end   func() error
		code  codes.Code
	}{
		"a token is revoked": {made.GetToken(), func() error {
			_, err := access.RevokeToken(asAdmin(t), &adminv1.RevokeTokenRequest{Name: "wall"})
			return err
		}, codes.Unauthenticated},
		"an auditor becomes a viewer": {"anas-token", func() error {
			_, err := store.SaveRoles(t.Context(), version, []state.RoleBinding{{Role: "viewer", Email: "ana@acme.test"}}, state.Save{})
			return err
		}, codes.PermissionDenied},
	}
	tails := map[string]grpc.ServerStreamingClient[adminv1.TailActivityResponse]{}
	for name, test := range tests {
		stream, err := adminv1.NewActivityServiceClient(conn).TailActivity(with(t, test.token), &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{}})
		if err == nil {
			_, err = stream.Recv()
		}
		if err == nil {
			err = test.end()
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		tails[name] = stream
	}
	t.Parallel() // From here on it waits, and has no use for Elasticsearch.
	for name, test := range tests {
		err = nil
		for err == nil { // It is looked at every few seconds.
			_, err = tails[name].Recv()
		}
		if status.Code(err) != test.code {
			t.Errorf("%s: the tail ended with %v, want %v", name, err, test.code)
		}
	}
}

// TestTailAndSearchLeaveNoGap has a tail begin the moment after calls were indexed, when Elasticsearch doesn't find
// them yet: a search after the tail's first message finds what the tail won't send.
func TestTailAndSearchLeaveNoGap(t *testing.T) {
	const rounds = 5
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	w := newWritten(t, cfg.Redis, cfg.Elasticsearch)
	for i := range rounds {
		w.decide(call(fmt.Sprintf("call %d", i), time.Now(), "getJiraIssue"))
		entries, err := w.store.ReadWaiting(t.Context(), "indexer", 10, time.Second, false)
		if err != nil || len(entries) != 2 {
			t.Fatalf("%d entries wait, %v", len(entries), err)
		}
		w.bulk(entries)
		err = w.store.Indexed(t.Context(), entries)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(asAdmin(t))
		stream, err := client.TailActivity(ctx, &adminv1.TailActivityRequest{})
		if err == nil {
			_, err = stream.Recv()
		}
		if err != nil {
			t.Fatal(err)
		}
		page, err := client.SearchActivity(asAdmin(t), &adminv1.SearchActivityRequest{})
		cancel()
		if err != nil || len(page.GetRecords()) != i+1 {
			t.Fatalf("after the tail's beginning a search finds %d of %d, %v", len(page.GetRecords()), i+1, err)
		}
	}
}
