package follow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
)

const (
	// wholeRecords is how many records Elasticsearch is asked for at a time: with 1 MiB of arguments each,
	// which is the most, they still fit into memory.
	wholeRecords = 100
	// searchTimeout bounds one search.
	searchTimeout = 20 * time.Second
)

// Object is a JSON object of Elasticsearch's query language.
type Object map[string]any

// Exists is the query for records that have a field.
func Exists(field string) Object { return Object{"exists": Object{"field": field}} }

// Found is a record as it was found.
type Found struct {
	// ID is the record's, and Place its sequence in the order that it was read in.
	ID, Place string
	Source    json.RawMessage
}

// Reader reads records from Elasticsearch.
type Reader struct{ Elastic esapi.Transport }

// refresh makes searchable what is indexed.
func (r Reader) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	yes := true
	return elastic.Ask(ctx, r.Elastic, esapi.IndicesRefreshRequest{Index: []string{activity.Actions}, AllowNoIndices: &yes, IgnoreUnavailable: &yes}, nil)
}

// Search asks for records, or counts of them.
func (r Reader) Search(ctx context.Context, query Object, into any) error {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	text, err := json.Marshal(query)
	if err != nil {
		return fmt.Errorf("writing a search: %w", err)
	}
	yes, no := true, false
	// Half of an answer would look like all of it.
	request := esapi.SearchRequest{
		Index: []string{activity.Actions}, Body: bytes.NewReader(text),
		AllowNoIndices: &yes, IgnoreUnavailable: &yes, AllowPartialSearchResults: &no,
	}
	return elastic.Ask(ctx, r.Elastic, request, into)
}

// Page reads the next records in an order, after a place and up to another, and says whether there may be more.
func (r Reader) Page(ctx context.Context, o Order, after, to string) (found []Found, more bool, err error) {
	size := cmp.Or(o.Records, wholeRecords)
	filters := append(o.Filters(after), Object{"range": Object{o.Field: Object{"gt": after, "lte": to}}})
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string          `json:"_id"`
				Source json.RawMessage `json:"_source"`
				Sort   []string        `json:"sort"`
			}
		}
	}
	err = r.Search(ctx, Object{
		"size": size, "track_total_hits": false, "_source": o.Source,
		"query": Object{"bool": Object{"filter": filters}},
		"sort":  []Object{{o.Field: Object{"order": "asc", "unmapped_type": "keyword"}}},
	}, &answer)
	if err != nil {
		return nil, false, err
	}
	found = make([]Found, len(answer.Hits.Hits))
	for i, h := range answer.Hits.Hits {
		if len(h.Sort) == 0 {
			return nil, false, fmt.Errorf("record %s came without its place in the stream", h.ID)
		}
		found[i] = Found{ID: h.ID, Place: h.Sort[0], Source: h.Source}
	}
	return found, len(found) == size, nil
}
