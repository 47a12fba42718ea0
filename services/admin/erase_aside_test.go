package admin_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/state"
)

// TestErasedPersonDoesNotComeBackFromAside erases somebody who is in what is kept aside, too.
func TestErasedPersonDoesNotComeBackFromAside(t *testing.T) {
	cfg := redisOnly(t)
	cfg.Elasticsearch = elastictest.Empty(t)
	hers := call("hers", time.Now(), "getJiraIssue")
	index(t, cfg.Elasticsearch, hers)
	bos := call("bo's", time.Now(), "getJiraIssue")
	bos.User = &activity.User{ID: "712020:bo", Name: "Bo", Email: "bo@acme.test"}
	client := redis.NewClient(&redis.Options{Addr: cfg.Redis})
	defer client.Close()
	for id, r := range map[string]activity.Record{
		"hers": hers, "bo's": bos, "on her": actOn("on her", "bo@acme.test", "person.forget", "ana@acme.test", ""),
		"outcome": {Event: activity.Event{Outcome: "success"}},
	} {
		document, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		reason := "document_parsing_exception: no reason"
		if id == "hers" {
			reason = "document_parsing_exception: Preview of field's value: 'ana@acme.test'"
		}
		err = client.XAdd(t.Context(), &redis.XAddArgs{Stream: "{sallyport}:rejected", Values: []any{"kind", "decision", "id", id, "index", "i", "doc", document, "reason", reason}}).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	conn := start(t, cfg)
	store := state.Open(cfg.Redis)
	_, _, err := store.AcknowledgeAside(t.Context(), "", state.Acknowledgement{By: "ana@acme.test", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var taking sync.WaitGroup
	taking.Go(func() { (&acts{}).take(t, store) })
	t.Cleanup(func() { taking.Wait(); _ = store.Close() })
	stream, err := adminv1.NewErasureServiceClient(conn).ErasePerson(asAdmin(t), &adminv1.ErasePersonRequest{User: "ana@acme.test"})
	var last *adminv1.ErasePersonResponse
	for err == nil {
		var answer *adminv1.ErasePersonResponse
		answer, err = stream.Recv()
		if err == nil {
			last = answer
		}
	}
	if !errors.Is(err, io.EOF) || !last.GetDone() || last.GetRecords() != 5 {
		t.Fatalf("erased with %v, error %v", last, err)
	}
	entries, err := store.Aside(t.Context(), "", 10)
	if err != nil || len(entries) != 4 {
		t.Fatalf("kept aside are %v, %v", entries, err)
	}
	for _, e := range entries {
		if e.Acknowledged.By != last.GetPseudonym() {
			t.Errorf("%s was acknowledged by %s", e.ID, e.Acknowledged.By)
		}
		all := string(e.Document) + e.Reason
		if strings.Contains(all, "ana") || strings.Contains(all, "Ana") {
			t.Errorf("%s still has her: %s", e.ID, all)
		}
		if hers := e.ID == "hers" || e.ID == "on her"; strings.Contains(all, last.GetPseudonym()) != hers {
			t.Errorf("%s is %s", e.ID, all)
		}
	}
}
