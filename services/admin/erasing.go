package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/state"
)

const (
	// erasePage is how many records are changed at a time; each can have a MiB of arguments.
	erasePage = 100
	// erasePasses is how often all records are gone through; two are usual, and the second finds nothing.
	erasePasses = 10
)

// erasing is one person's being replaced by a pseudonym.
type erasing struct {
	elastic   esapi.Transport
	store     *state.Store
	who       identity
	pseudonym string
	// records is how many were changed.
	records  int64
	progress func(records int64) error
}

// stored is a record as it is stored, with what tells whether it was changed meanwhile.
type stored struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	SeqNo  int64           `json:"_seq_no"`
	Term   int64           `json:"_primary_term"`
	Source json.RawMessage `json:"_source"`
	Sort   json.RawMessage `json:"sort"`
}

// run changes records until none has the person. Records that were changed meanwhile, as by an outcome that
// comes late, are found again in the next pass.
func (e *erasing) run(ctx context.Context) error {
	own := object{"term": object{"user.id": e.who.account}}
	for range erasePasses {
		// First, so that what is sent again meanwhile is found among the records, or here again.
		aside, err := e.aside(ctx)
		if err != nil {
			return err
		}
		found, err := e.pass(ctx, recordPatterns, own, func(document []byte) ([]byte, bool, error) {
			changed, err := e.who.own(document, e.pseudonym)
			return changed, true, err
		})
		if err != nil {
			return err
		}
		acts, err := e.pass(ctx, []string{activity.Actions}, object{"exists": object{"field": "sallyport.act.caller"}}, func(document []byte) ([]byte, bool, error) {
			changed, found := e.who.with(document, e.pseudonym)
			return changed, found, nil
		})
		if err != nil || aside+found+acts == 0 {
			return err
		}
	}
	return status.Errorf(codes.Unavailable, "Records of the person kept changing while they were replaced in %d of them. Try again in a minute.", e.records)
}

// pass changes all records that a query finds, and returns how many there were to change.
func (e *erasing) pass(ctx context.Context, patterns []string, query object, change func([]byte) ([]byte, bool, error)) (int, error) {
	matched := 0
	var after json.RawMessage
	for {
		body := object{"size": erasePage, "query": query, "seq_no_primary_term": true, "sort": []string{"event.id"}}
		if after != nil {
			body["search_after"] = after
		}
		var answer struct{ Hits struct{ Hits []stored } }
		err := find(ctx, e.elastic, esapi.SearchRequest{Index: patterns, IgnoreUnavailable: &yes}, body,
			func(r io.Reader) error { return json.NewDecoder(r).Decode(&answer) })
		if err != nil {
			return matched, err
		}
		hits := answer.Hits.Hits
		var changed []stored
		for _, hit := range hits {
			document, found, err := change(hit.Source)
			if err != nil {
				return matched, err
			}
			if found {
				hit.Source = document
				changed = append(changed, hit)
			}
		}
		matched += len(changed)
		err = e.write(ctx, changed)
		if err != nil || len(hits) < erasePage {
			return matched, err
		}
		after = hits[len(hits)-1].Sort
	}
}

// write writes records back that weren't changed meanwhile.
func (e *erasing) write(ctx context.Context, records []stored) error {
	if len(records) == 0 {
		return nil
	}
	var body bytes.Buffer
	for _, r := range records {
		fmt.Fprintf(&body, `{"index":{"_index":%q,"_id":%q,"if_seq_no":%d,"if_primary_term":%d}}`+"\n", r.Index, r.ID, r.SeqNo, r.Term)
		// A document of several lines would be several lines of the request.
		err := json.Compact(&body, r.Source)
		if err != nil {
			return fmt.Errorf("a record can't be written: %w", err)
		}
		body.WriteByte('\n')
	}
	response, err := esapi.BulkRequest{Body: &body, Refresh: "true"}.Do(ctx, e.elastic)
	if err != nil {
		return elasticAway(err)
	}
	defer response.Body.Close()
	err = elastic.Failure(response)
	if err != nil {
		return elasticRefused(response.StatusCode, err)
	}
	var answer struct {
		Items []map[string]struct {
			Status int
			Error  json.RawMessage
		}
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if err != nil {
		return elasticAway(fmt.Errorf("reading its answer: %w", err))
	}
	for _, item := range answer.Items {
		result := item["index"]
		switch {
		case result.Status == http.StatusConflict:
		case result.Status >= http.StatusMultipleChoices:
			return elasticRefused(result.Status, fmt.Errorf("a record can't be changed: %.300s", result.Error))
		default:
			e.records++
		}
	}
	return e.progress(e.records)
}
