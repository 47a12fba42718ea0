package accesslog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"sallyport/services/accesslog"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
)

// otherTemplate is the index template of another version, with a field of sallyport.* more, or without one.
func otherTemplate(t *testing.T, version int, with, without string) []byte {
	t.Helper()
	var template map[string]any
	must(t, json.Unmarshal(activity.Template, &template))
	template["version"] = version
	in := func(o any, name string) map[string]any {
		inner, _ := o.(map[string]any)[name].(map[string]any)
		return inner
	}
	own := in(in(in(in(in(template, "template"), "mappings"), "properties"), "sallyport"), "properties")
	if with != "" {
		own[with] = map[string]string{"type": "keyword"}
	}
	delete(own, without)
	text, err := json.Marshal(template)
	must(t, err)
	return text
}

// elasticsearch is one without an accesslog.
func elasticsearch(t *testing.T) (string, *sink) {
	t.Helper()
	address := elastictest.Empty(t)
	transport, err := elastic.Open(address)
	must(t, err)
	return address, &sink{t: t, elastic: transport}
}

// putTemplate puts a template, as accesslog does.
func (s *sink) putTemplate(text []byte) {
	s.t.Helper()
	s.ask(esapi.IndicesPutIndexTemplateRequest{Name: activity.TemplateName, Body: bytes.NewReader(text)})
}

// found are the ids of the records that a query finds, in order.
func (s *sink) found(query string) []string {
	s.t.Helper()
	s.ask(esapi.IndicesRefreshRequest{Index: []string{activity.Actions}})
	response, err := esapi.SearchRequest{Index: []string{activity.Actions}, Query: query, Sort: []string{"event.id"}}.Do(s.t.Context(), s.elastic)
	must(s.t, err)
	defer response.Body.Close()
	must(s.t, elastic.Failure(response))
	var answer struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	must(s.t, json.NewDecoder(response.Body).Decode(&answer))
	var ids []string
	for _, hit := range answer.Hits.Hits {
		ids = append(ids, hit.ID)
	}
	return ids
}

// appendTo appends a decision's half of a record to the stream.
func (s *sink) appendTo(index, id, document string) {
	s.t.Helper()
	must(s.t, s.redis.XAdd(s.t.Context(), decisionEntry(index, id, document)).Err())
}

const (
	monday  = "sallyport-activity-2026.11.23"
	tuesday = "sallyport-activity-2026.11.24"
	sunday  = "sallyport-activity-2026.11.22"
)

// TestAFieldIsAddedWithoutReindexing has indices of two days from a version that didn't have the site, and
// records in them.
func TestAFieldIsAddedWithoutReindexing(t *testing.T) {
	address, before := elasticsearch(t)
	before.putTemplate(otherTemplate(t, 0, "", "site"))
	for id, index := range map[string]string{"old-1": sunday, "old-2": monday} {
		before.ask(esapi.IndexRequest{Index: index, DocumentID: id, Body: strings.NewReader(`{"event":{"id":"` + id + `"},"sallyport":{"decision":"allowed"}}`)})
	}
	s := open(t, address)
	for id, index := range map[string]string{"new-1": sunday, "new-2": monday, "new-3": tuesday} {
		s.appendTo(index, id, `{"event":{"id":"`+id+`"},"sallyport":{"decision":"allowed","site":"acme.atlassian.net"}}`)
	}
	s.keptAside(0)
	for query, want := range map[string][]string{
		"sallyport.site:acme.atlassian.net": {"new-1", "new-2", "new-3"},
		"NOT sallyport.site:*":              {"old-1", "old-2"},
		"sallyport.decision:allowed":        {"new-1", "new-2", "new-3", "old-1", "old-2"},
	} {
		if diff := cmp.Diff(want, s.found(query)); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

// TestAnOlderVersionLeavesTheTemplate starts an accesslog where a newer one has put its template: what the newer
// one writes is taken by the index of the next day.
func TestAnOlderVersionLeavesTheTemplate(t *testing.T) {
	address, newer := elasticsearch(t)
	newer.putTemplate(otherTemplate(t, 1_000_000, "mood", ""))
	s := open(t, address)
	s.appendTo(tuesday, "a", `{"event":{"id":"a"},"sallyport":{"mood":"good"}}`)
	s.keptAside(0)
	if got := s.found("sallyport.mood:good"); len(got) != 1 {
		t.Errorf("found are %q", got)
	}
}

// TestAMissingFieldIsMadeUpFor has an authz that is newer than all else: what it writes is refused, and indexed
// once an accesslog of its version has started. What is refused for something else stays aside.
func TestAMissingFieldIsMadeUpFor(t *testing.T) {
	address, newer := elasticsearch(t)
	redisAddress := redistest.Start(t)
	s := openWith(t, accesslog.Config{Redis: redisAddress, Elasticsearch: address})
	s.appendTo(monday, "a", `{"event":{"id":"a"},"sallyport":{"mood":"good"}}`)
	s.appendTo(monday, "b", `{"event":{"id":"b"},"@timestamp":"no time"}`)
	aside := s.keptAside(2)
	s.end()

	newer.putTemplate(otherTemplate(t, 1_000_000, "mood", ""))
	newer.ask(esapi.IndicesPutMappingRequest{Index: []string{monday}, Body: strings.NewReader(`{"properties":{"sallyport":{"properties":{"mood":{"type":"keyword"}}}}}`)})
	s = openWith(t, accesslog.Config{Redis: redisAddress, Elasticsearch: address})
	left := s.keptAside(1)
	if left[0].ID != "b" || left[0].Position != aside[1].Position {
		t.Errorf("kept aside is %+v, of %+v", left, aside)
	}
	if got := s.found("sallyport.mood:good"); len(got) != 1 {
		t.Errorf("found are %q", got)
	}
}

// TestADayThatTakesNoFieldsHoldsUpNothing has a day whose mapping can't become that of this version.
func TestADayThatTakesNoFieldsHoldsUpNothing(t *testing.T) {
	address, before := elasticsearch(t)
	before.ask(esapi.IndicesDeleteIndexTemplateRequest{Name: activity.TemplateName})
	before.ask(esapi.IndicesCreateRequest{Index: sunday, Body: strings.NewReader(`{"mappings":{"dynamic":"strict","properties":{"event":{"properties":{"id":{"type":"long"}}}}}}`)})
	before.ask(esapi.IndicesCreateRequest{Index: monday, Body: strings.NewReader(`{"mappings":{"dynamic":"strict","properties":{"event":{"properties":{"id":{"type":"keyword"}}}}}}`)})
	s := open(t, address)
	for id, index := range map[string]string{"a": sunday, "b": monday, "c": tuesday} {
		s.appendTo(index, id, `{"event":{"id":"`+id+`","action":"getJiraIssue"}}`)
	}
	if left := s.keptAside(1); left[0].ID != "a" {
		t.Errorf("kept aside is %+v", left)
	}
	if diff := cmp.Diff([]string{"b", "c"}, s.found("event.action:getJiraIssue")); diff != "" {
		t.Error(diff)
	}
}

// TestTheStreamsFillingIsCounted shows the gauges that an alert is computed from, before calls are refused.
func TestTheStreamsFillingIsCounted(t *testing.T) {
	s := openWith(t, accesslog.Config{Redis: redistest.Start(t), Elasticsearch: "http://127.0.0.1:1", StreamLimit: 4})
	for _, id := range []string{"a", "b", "c"} {
		s.decided(id, decision(id))
	}
	must(t, s.redis.XAdd(t.Context(), &redis.XAddArgs{Stream: "{sallyport}:rejected", Values: []string{"id", "d"}}).Err())
	for name, want := range map[string]float64{"waiting": 3, "waiting_limit": 4, "aside": 1} {
		if got := s.metric("sallyport_accesslog_" + name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	// Written down in the first seconds of 2020, as it were.
	must(t, s.redis.Del(t.Context(), "{sallyport}:activity").Err())
	if got := s.metric("sallyport_accesslog_waiting_oldest_seconds"); got != 0 {
		t.Errorf("nothing waits, and the oldest does for %v s", got)
	}
	began := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	must(t, s.redis.XAdd(t.Context(), &redis.XAddArgs{Stream: "{sallyport}:activity", ID: fmt.Sprintf("%d-0", began.UnixMilli()), Values: []string{"id", "a"}}).Err())
	if got, want := s.metric("sallyport_accesslog_waiting_oldest_seconds"), time.Since(began).Seconds(); got < want-60 || got > want+60 {
		t.Errorf("the oldest waits for %v s, want %v", got, want)
	}
}
