package admin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

const (
	// replayPage is how many records are read at a time, at about 600 bytes each.
	replayPage = 2500
	// replayPageTimeout bounds reading one page.
	replayPageTimeout = 30 * time.Second
	// replayKeep is how long Elasticsearch keeps the view of its records between two pages.
	replayKeep = "1m"
)

// replay reads what was recorded of calls, in no particular order and all of it as it was when it
// began (Elasticsearch's point in time).
type replay struct{ elastic esapi.Transport }

// recorded is what a decision is made of, as it was recorded. Lists are as Elasticsearch returns
// values of documents: always lists.
type recorded struct {
	Time          []time.Time `json:"@timestamp"`
	ID            []string    `json:"event.id"`
	User          []string    `json:"user.id"`
	Email         []string    `json:"user.email"`
	GroupIDs      []string    `json:"user.group.id"`
	GroupNames    []string    `json:"user.group.name"`
	GroupsUnknown []bool      `json:"sallyport.groups_unknown"`
	ClientKey     []string    `json:"sallyport.client.key"`
	ClientName    []string    `json:"sallyport.client.name"`
	ClientClass   []string    `json:"sallyport.client.class"`
	Operation     []string    `json:"sallyport.operation.name"`
	Outer         []string    `json:"sallyport.operation.outer"`
	Product       []string    `json:"sallyport.operation.product"`
	Decision      []string    `json:"sallyport.decision"`
	Refusal       []string    `json:"sallyport.refusal"`
	Ungoverned    []bool      `json:"sallyport.ungoverned"`
}

// recordedFields are the names of recorded's fields. They come from doc values, so that the
// arguments of calls, which can be large, aren't read.
var recordedFields = []any{
	object{"field": "@timestamp", "format": "strict_date_optional_time_nanos"}, "event.id", "user.id", "user.email", "user.group.id",
	"user.group.name", "sallyport.groups_unknown", "sallyport.client.key", "sallyport.client.name", "sallyport.client.class",
	"sallyport.operation.name", "sallyport.operation.outer", "sallyport.operation.product", "sallyport.decision", "sallyport.refusal", "sallyport.ungoverned",
}

func first[T any](list []T) T {
	var zero T
	if len(list) == 0 {
		return zero
	}
	return list[0]
}

// decided reports whether a policy decided: what couldn't be read, or was a part of a blocked batch,
// was blocked whatever the policy said, and what isn't governed was allowed.
func (r *recorded) decided() bool {
	refusal := first(r.Refusal)
	return (refusal == "" || refusal == "no_policy") && !first(r.Ungoverned) && first(r.Operation) != ""
}

func (r *recorded) client() policy.Client {
	return policy.Client{Key: first(r.ClientKey), Name: first(r.ClientName), Class: policy.Class(first(r.ClientClass))}
}

func (r *recorded) subject() policy.Subject {
	s := policy.Subject{AccountID: first(r.User), Email: first(r.Email), GroupsKnown: !first(r.GroupsUnknown)}
	// Which name belongs to which id isn't told, and no rule asks for both.
	for _, id := range r.GroupIDs {
		s.Groups = append(s.Groups, policy.Group{ID: id})
	}
	for _, name := range r.GroupNames {
		s.Groups = append(s.Groups, policy.Group{Name: name})
	}
	return s
}

func (r *recorded) call() policy.Call {
	op := operation.Parse(first(r.Operation), "")
	if op.Product == "" {
		// Of a fetch, only its arguments told.
		op.Product = first(r.Product)
	}
	return policy.Call{Operation: op, Outer: first(r.Outer)}
}

// page is a part of what was recorded; Total is how many there are in all.
type page struct {
	Total   int64
	Records []recorded
}

// read calls each with page after page of the records of a time range, until there are no more or
// it returns an error. Errors are statuses.
func (r replay) read(ctx context.Context, since, until time.Time, each func(page) error) error {
	view, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer func() { r.close(view) }()
	var after jsontext.Value
	for {
		body := object{
			"size": replayPage, "pit": object{"id": view, "keep_alive": replayKeep},
			"query": object{"bool": object{"filter": []object{
				{"range": object{"@timestamp": object{"gte": since.Format(time.RFC3339Nano), "lt": until.Format(time.RFC3339Nano)}}},
				{"exists": object{"field": "sallyport.decision"}},
			}}},
			"sort":             []string{"_shard_doc"},
			"track_total_hits": after == nil,
			"stored_fields":    "_none_",
			"docvalue_fields":  recordedFields,
		}
		if after != nil {
			body["search_after"] = after
		}
		answer, err := r.search(ctx, body)
		if err != nil {
			return err
		}
		view = answer.View
		hits := answer.Hits.Hits
		p := page{Total: answer.Hits.Total.Value, Records: make([]recorded, len(hits))}
		for i := range hits {
			p.Records[i] = hits[i].Fields
		}
		err = each(p)
		if err != nil || len(hits) < replayPage {
			return err
		}
		after = hits[len(hits)-1].Sort
	}
}

// replayed is the part of Elasticsearch's answer that is read.
type replayed struct {
	View string `json:"pit_id"`
	Hits struct {
		Total struct {
			Value int64 `json:"value"`
		} `json:"total"`
		Hits []struct {
			Fields recorded       `json:"fields"`
			Sort   jsontext.Value `json:"sort"`
		} `json:"hits"`
	} `json:"hits"`
}

func (r replay) search(ctx context.Context, body object) (*replayed, error) {
	ctx, cancel := context.WithTimeout(ctx, replayPageTimeout)
	defer cancel()
	answer := &replayed{}
	err := find(ctx, r.elastic, esapi.SearchRequest{}, body, func(body io.Reader) error { return json.UnmarshalRead(body, answer) })
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// open begins a view of all records, with a status as the error.
func (r replay) open(ctx context.Context) (string, error) {
	yes := true
	response, err := esapi.OpenPointInTimeRequest{Index: []string{activity.Actions}, KeepAlive: replayKeep, IgnoreUnavailable: &yes}.Do(ctx, r.elastic)
	if err != nil {
		return "", elasticAway(err)
	}
	defer response.Body.Close()
	err = elastic.Failure(response)
	if err != nil {
		return "", elasticRefused(response.StatusCode, err)
	}
	var answer struct {
		ID string `json:"id"`
	}
	err = json.UnmarshalRead(response.Body, &answer)
	if err != nil {
		return "", elasticAway(fmt.Errorf("reading its answer: %w", err))
	}
	return answer.ID, nil
}

// close ends a view. One that stays open ends by itself after replayKeep.
func (r replay) close(view string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	body, err := json.Marshal(object{"id": view})
	if err != nil {
		return
	}
	response, err := esapi.ClosePointInTimeRequest{Body: bytes.NewReader(body)}.Do(ctx, r.elastic)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}
