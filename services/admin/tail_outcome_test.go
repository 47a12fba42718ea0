package admin_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
)

// TestTailByOutcome decides calls, and tells what came of them in another order, while three indexers finish in any
// order: a tail of errors has each when its outcome came, and goes on from a cursor.
func TestTailByOutcome(t *testing.T) {
	const calls = 200
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	w := newWritten(t, cfg.Redis, cfg.Elasticsearch)
	stop := w.indexers()
	defer stop()
	decided := make([]activity.Record, calls)
	decide := func(i int) {
		decided[i] = call(fmt.Sprintf("call %03d", i), time.Now(), "getJiraIssue")
		decided[i].Sallyport.Outcome = ""
		w.half("decision", decided[i], decided[i])
	}
	for i := range calls / 2 {
		decide(i)
	}
	w.indexed()
	request := &adminv1.TailActivityRequest{Search: &adminv1.SearchActivityRequest{Outcome: "error"}}
	stream, err := client.TailActivity(asAdmin(t), request)
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for i := calls / 2; i < calls; i++ {
		decide(i)
	}
	var want, got []string
	outcomes := []string{activity.OutcomeOK, activity.OutcomeToolError, activity.OutcomeHTTPError, activity.OutcomeUnknown}
	for _, i := range rand.Perm(calls - 10) { // What comes of the last ten isn't told.
		outcome := outcomes[i%len(outcomes)]
		if outcome == activity.OutcomeToolError || outcome == activity.OutcomeHTTPError {
			want = append(want, decided[i].Event.ID)
		}
		w.half("outcome", decided[i], activity.Record{Sallyport: activity.Sallyport{Outcome: outcome}})
	}
	w.indexed()
	// The second tail begins in the middle of what the first has.
	for tails, message := 0, first; len(got) < len(want) && tails < 20; message, err = stream.Recv() {
		if err != nil {
			t.Fatalf("after %d of %d records: %v", len(got), len(want), err)
		}
		for _, r := range message.GetRecords() {
			got = append(got, r.GetId())
		}
		request.Cursor = message.GetCursor()
		if len(message.GetRecords()) > 0 {
			tails++
			stream, err = client.TailActivity(asAdmin(t), request)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
