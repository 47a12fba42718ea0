package accesslog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/state"
)

// ask sends Elasticsearch a request that has to succeed.
func (s *sink) ask(request esapi.Request) {
	s.t.Helper()
	response, err := request.Do(s.t.Context(), s.elastic)
	must(s.t, err)
	defer response.Body.Close()
	must(s.t, elastic.Failure(response))
}

// keptAside waits until so many entries are kept aside and none waits.
func (s *sink) keptAside(want int64) []state.Aside {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		now, err := s.store.Backlog(s.t.Context())
		must(s.t, err)
		if now.Waiting == 0 && now.Aside == want {
			entries, err := s.store.Aside(s.t.Context(), "", 100)
			must(s.t, err)
			return entries
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d entries wait and %d are kept aside, want %d", now.Waiting, now.Aside, want)
		}
	}
}

// retry sends everything again that is kept aside, so many entries.
func (s *sink) retry(want int64) {
	s.t.Helper()
	moved, err := s.store.RetryAside(s.t.Context(), 1000, state.Retry{})
	must(s.t, err)
	if moved != want {
		s.t.Errorf("%d entries were sent again, want %d", moved, want)
	}
}

// TestWhatAMappingRefusesIsIndexedOnceItIsMended has a field that the index doesn't have in one half of
// two records: the other halves and the rest are indexed, and the refused ones join them later.
func TestWhatAMappingRefusesIsIndexedOnceItIsMended(t *testing.T) {
	s := open(t, elastictest.Empty(t))
	s.decided("whole", decision("whole"))
	s.ended("whole", 200)
	s.indexed(1)
	for _, id := range []string{"refused-1", "refused-2"} {
		s.append(id, `{"@timestamp":"2026-11-23T09:30:00Z","event":{"id":"`+id+`","action":"getJiraIssue"},"sallyport":{"decision":"allowed","mood":"good"}}`)
		s.ended(id, 200)
	}
	s.decided("after", decision("after"))
	s.indexed(4)
	entries := s.keptAside(2)
	for i, e := range entries {
		if e.ID != []string{"refused-1", "refused-2"}[i] || e.Kind != "decision" || !strings.Contains(e.Reason, "mood") {
			t.Errorf("kept aside is %+v", e)
		}
	}
	before := entries[0].Position

	// Elasticsearch still refuses them: they come back, each once.
	s.retry(2)
	entries = s.keptAside(2)
	if entries[0].ID == entries[1].ID || entries[0].Position == before {
		t.Errorf("kept aside are %+v", entries)
	}

	s.ask(esapi.IndicesPutMappingRequest{Index: []string{index}, Body: strings.NewReader(`{"properties":{"sallyport":{"properties":{"mood":{"type":"keyword"}}}}}`)})
	s.retry(2)
	s.keptAside(0)
	records := s.indexed(4)
	for _, id := range []string{"refused-1", "refused-2", "whole"} {
		r := records[id]
		if r.Event.Action != "getJiraIssue" || r.HTTP == nil || r.HTTP.Response == nil || r.HTTP.Response.StatusCode != 200 {
			t.Errorf("%s lacks a half: %+v", id, r)
		}
	}
	s.retry(0)
}

// TestNoCallIsHiddenByItsArguments has calls with arguments that no index takes: each is found by its name and by
// the arguments' text, and only the arguments are kept aside. Sent again and refused again, they are there once.
func TestNoCallIsHiddenByItsArguments(t *testing.T) {
	s := open(t, elastictest.Empty(t))
	for id, arguments := range map[string]string{
		"nul": `{"no\u0000index":"a giraffe"}`, "digits": `{"word":"giraffe","n":` + strings.Repeat("7", 5000) + `}`, "fine": `{"word":"giraffe"}`,
	} {
		r := decision(id)
		r.Sallyport.Arguments = []byte(arguments)
		s.decided(id, r)
		s.ended(id, 200)
	}
	for range 2 {
		for _, e := range s.keptAside(2) {
			if e.Kind != "arguments" || e.ID == "fine" || !strings.Contains(string(e.Document), `"arguments":{`) {
				t.Errorf("kept aside is %s %+v", e.Document, e)
			}
		}
		records := s.indexed(3)
		for id, r := range records {
			if r.Sallyport.Decision != activity.Allowed || r.Sallyport.Outcome != activity.OutcomeOK || (r.Sallyport.Arguments != nil) != (id == "fine") {
				t.Errorf("%s is %+v", id, r.Sallyport)
			}
		}
		if got := s.found("sallyport.arguments_text:giraffe AND event.action:getJiraIssue AND _exists_:sallyport.sequence"); len(got) != 3 {
			t.Errorf("found are %q", got)
		}
		s.retry(2)
	}
	s.keptAside(2)
}
