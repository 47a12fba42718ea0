package activity_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
)

func TestMain(m *testing.M) { os.Exit(elastictest.Run(m)) }

// savedObject is one of Kibana's, as it exports them.
type savedObject struct {
	Type, ID   string
	Attributes struct {
		Title         string
		TimeFieldName string
		Columns       []string
		Sort          [][2]string
		VisState      string
		PanelsJSON    string
		Source        struct {
			SearchSourceJSON string
		} `json:"kibanaSavedObjectMeta"`
	}
	References []struct{ Name, Type, ID string }
}

// query is the Lucene query of a search or chart.
func (o savedObject) query(t *testing.T) string {
	t.Helper()
	var source struct {
		Query struct{ Query, Language string }
	}
	err := json.Unmarshal([]byte(o.Attributes.Source.SearchSourceJSON), &source)
	if err != nil || source.Query.Language != "lucene" {
		t.Fatalf("%s searches by %s, %v: this check understands Lucene's syntax", o.ID, o.Attributes.Source.SearchSourceJSON, err)
	}
	return source.Query.Query
}

// chartPart is one aggregation of a chart.
type chartPart struct {
	ID, Type string
	Params   struct {
		Field    string
		Size     int
		Percents []float64
	}
}

func readObjects(t *testing.T) []savedObject {
	t.Helper()
	text, err := os.ReadFile("../../../deploy/kibana/sallyport.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var all []savedObject
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		var o savedObject
		err = json.Unmarshal(lines.Bytes(), &o)
		if err != nil {
			t.Fatalf("line %d: %v", len(all)+1, err)
		}
		all = append(all, o)
	}
	return all
}

// kibanaRecords are such that each saved search and each chart has something to show.
func kibanaRecords() []activity.Record {
	now := time.Now().UTC()
	ana := &activity.User{ID: "712020:ana", Email: "ana@acme.test", Name: "Ana"}
	client := &activity.Client{Key: "claude", Name: "Claude", Class: "verified"}
	call := func(id string, s activity.Sallyport) activity.Record {
		s.Client = client
		return activity.Record{Timestamp: now, Event: activity.Event{ID: id, Duration: 12_000_000}, User: ana, Sallyport: s}
	}
	read := &activity.Operation{Name: "getJiraIssue", Product: "jira", Actions: []string{"read"}}
	other := *client
	other.Info, other.Mismatch = "Cursor 1.0", true
	claiming := call("claiming", activity.Sallyport{Decision: activity.Allowed, Operation: read, Outcome: activity.OutcomeOK})
	claiming.Sallyport.Client = &other
	return []activity.Record{
		call("read", activity.Sallyport{Decision: activity.Allowed, Operation: read, Outcome: activity.OutcomeOK, Monitor: &activity.Monitor{Rule: 2, Effect: "deny"}, GroupsUnknown: true}),
		call("failed", activity.Sallyport{Decision: activity.Allowed, Operation: read, Outcome: activity.OutcomeHTTPError}),
		call("deletion", activity.Sallyport{Decision: activity.Blocked, Operation: &activity.Operation{Name: "deleteJiraIssue", Product: "jira", Actions: []string{"delete"}}, Rule: &activity.Rule{Number: 1, Note: "AI may never delete anything"}}),
		call("refused", activity.Sallyport{Decision: activity.Blocked, Refusal: "duplicate_member"}),
		claiming,
		{
			Timestamp: now, User: &activity.User{Name: "admin", Roles: []string{"admin"}},
			Event:     activity.Event{ID: "act", Kind: "event", Category: []string{"configuration"}, Type: []string{"change"}, Action: "policy.save", Outcome: "success"},
			Sallyport: activity.Sallyport{Act: &activity.Act{Caller: "token_file"}},
		},
	}
}

// kibana is an Elasticsearch with those records.
type kibana struct {
	t       *testing.T
	address string
	fields  map[string]string
}

func openKibana(t *testing.T) kibana {
	t.Helper()
	k := kibana{t: t, address: elastictest.Empty(t)}
	for _, record := range kibanaRecords() {
		document, err := record.JSON()
		if err != nil {
			t.Fatal(err)
		}
		k.send(http.MethodPut, "/"+activity.IndexOf(record.Timestamp, true)+"/_doc/"+record.Event.ID+"?refresh=true", document)
	}
	var capabilities struct {
		Fields map[string]map[string]json.RawMessage
	}
	err := json.Unmarshal(k.send(http.MethodGet, "/"+activity.Actions+"/_field_caps?fields=*", nil), &capabilities)
	if err != nil {
		t.Fatal(err)
	}
	k.fields = map[string]string{}
	for field, types := range capabilities.Fields {
		k.fields[field] = slices.Collect(maps.Keys(types))[0]
	}
	return k
}

func (k kibana) send(method, path string, body []byte) []byte {
	k.t.Helper()
	request, err := http.NewRequestWithContext(k.t.Context(), method, k.address+path, bytes.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		k.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(response.Body)
	if err != nil || response.StatusCode >= http.StatusMultipleChoices {
		k.t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, &answer, err)
	}
	return answer.Bytes()
}

// search runs a search as Kibana does, and returns how much it found and what came of its aggregations.
func (k kibana) search(query string, aggregations map[string]any) (int, map[string]struct {
	Buckets []json.RawMessage
	Value   *float64
	Values  map[string]*float64
}) {
	k.t.Helper()
	body := map[string]any{"size": 0, "track_total_hits": true}
	if len(aggregations) > 0 {
		body["aggs"] = aggregations
	}
	if query != "" {
		body["query"] = map[string]any{"query_string": map[string]any{"query": query}}
	}
	text, err := json.Marshal(body)
	if err != nil {
		k.t.Fatal(err)
	}
	var answer struct {
		Hits         struct{ Total struct{ Value int } }
		Aggregations map[string]struct {
			Buckets []json.RawMessage
			Value   *float64
			Values  map[string]*float64
		}
	}
	err = json.Unmarshal(k.send(http.MethodPost, "/"+activity.Actions+"/_search", text), &answer)
	if err != nil {
		k.t.Fatal(err)
	}
	return answer.Hits.Total.Value, answer.Aggregations
}

// aggregation is a chart's part as Kibana asks Elasticsearch for it.
func (p chartPart) aggregation() (map[string]any, error) {
	field := map[string]any{"field": p.Params.Field}
	switch p.Type {
	case "count":
		return nil, nil
	case "terms":
		field["size"] = p.Params.Size
	case "percentiles":
		field["percents"] = p.Params.Percents
	case "date_histogram":
		field["fixed_interval"] = "1h"
	case "cardinality":
	default:
		return nil, fmt.Errorf("the check doesn't know the aggregation %q", p.Type)
	}
	return map[string]any{p.Type: field}, nil
}

// TestKibana runs the query of each saved search and each chart, and looks up every field and every
// reference: what is in deploy/kibana must fit the records.
func TestKibana(t *testing.T) {
	objects, k := readObjects(t), openKibana(t)
	known := map[string]bool{}
	for _, o := range objects {
		if known[o.Type+" "+o.ID] {
			t.Errorf("%s %s is there twice", o.Type, o.ID)
		}
		known[o.Type+" "+o.ID] = true
	}
	hasField := func(o savedObject, field string) {
		t.Helper()
		if k.fields[field] == "" {
			t.Errorf("%s shows %s, which no record has", o.ID, field)
		}
	}
	for _, o := range objects {
		references := map[string]bool{}
		for _, r := range o.References {
			references[r.Name] = true
			if !known[r.Type+" "+r.ID] {
				t.Errorf("%s refers to %s %s, which isn't there", o.ID, r.Type, r.ID)
			}
		}
		switch o.Type {
		case "index-pattern":
			if o.Attributes.Title != activity.Actions && o.Attributes.Title != activity.Protocol || o.Attributes.TimeFieldName != "@timestamp" {
				t.Errorf("%s is the data view of %s by %s", o.ID, o.Attributes.Title, o.Attributes.TimeFieldName)
			}
		case "search":
			for _, column := range o.Attributes.Columns {
				hasField(o, column)
			}
			for _, order := range o.Attributes.Sort {
				hasField(o, order[0])
			}
			if found, _ := k.search(o.query(t), nil); found == 0 || found == len(kibanaRecords()) {
				t.Errorf("%s finds %d of %d records by %s", o.ID, found, len(kibanaRecords()), o.query(t))
			}
		case "visualization":
			k.checkChart(o, hasField)
		case "dashboard":
			var panels []struct{ PanelIndex, PanelRefName string }
			err := json.Unmarshal([]byte(o.Attributes.PanelsJSON), &panels)
			if err != nil || len(panels) == 0 || len(panels) != len(o.References) {
				t.Errorf("%s has %d panels and %d references, %v", o.ID, len(panels), len(o.References), err)
			}
			for _, p := range panels {
				if !references[p.PanelIndex+":"+p.PanelRefName] {
					t.Errorf("panel %s of %s shows nothing", p.PanelIndex, o.ID)
				}
			}
		default:
			t.Errorf("%s is a %s, which isn't checked", o.ID, o.Type)
		}
		if !strings.HasPrefix(o.ID, "sallyport") {
			t.Errorf("%s could be somebody else's", o.ID)
		}
	}
}

func (k kibana) checkChart(o savedObject, hasField func(savedObject, string)) {
	k.t.Helper()
	var chart struct{ Aggs []chartPart }
	err := json.Unmarshal([]byte(o.Attributes.VisState), &chart)
	if err != nil || len(chart.Aggs) == 0 {
		k.t.Fatalf("%s shows nothing: %v", o.ID, err)
	}
	asked := map[string]any{}
	for _, part := range chart.Aggs {
		aggregation, err := part.aggregation()
		if err != nil {
			k.t.Fatalf("%s: %v", o.ID, err)
		}
		if aggregation != nil {
			hasField(o, part.Params.Field)
			asked[part.ID] = aggregation
		}
	}
	found, results := k.search(o.query(k.t), asked)
	if found == 0 {
		k.t.Errorf("%s finds nothing", o.ID)
	}
	for id, result := range results {
		if len(result.Buckets) == 0 && (result.Value == nil || *result.Value == 0) && len(result.Values) == 0 {
			k.t.Errorf("part %s of %s is empty", id, o.ID)
		}
	}
}
