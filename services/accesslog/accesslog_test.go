package accesslog_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/state"
)

const index = "sallyport-activity-2026.11.23"

func TestMain(m *testing.M) { os.Exit(elastictest.Run(m)) }

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
	s.indexed(calls)
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
