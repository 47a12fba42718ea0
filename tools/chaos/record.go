package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	streamKey   = "{sallyport}:activity"
	rejectedKey = "{sallyport}:rejected"
	indices     = "/sallyport-activity-*,sallyport-protocol-*"
	page        = 5000
)

// record is what is kept of one call: in Elasticsearch, or aside in Redis.
type record struct {
	decision, outcome string
	aside             bool
}

// found is what is recorded.
type found struct {
	records map[string][]record
	// halves is how many documents have no decision, though they are of no act and no alert.
	halves int
}

// caughtUp waits until nothing waits to be indexed.
func (s *site) caughtUp(ctx context.Context, most time.Duration, say func(string, ...any)) error {
	started := time.Now()
	spoke := started
	for {
		length, err := s.redis.XLen(ctx, streamKey).Result()
		if err == nil && length == 0 {
			break
		}
		if time.Since(started) > most {
			if err != nil {
				return fmt.Errorf("Redis doesn't answer %s after the load has ended: %w", most, err)
			}
			return fmt.Errorf("%d entries still wait to be indexed %s after the load has ended: see the log of accesslog", length, most)
		}
		if time.Since(spoke) > 5*time.Second {
			spoke = time.Now()
			say("  %d entries wait to be indexed", length)
		}
		err = wait(ctx, 100*time.Millisecond)
		if err != nil {
			return err
		}
	}
	var refreshed struct{}
	return ask(ctx, http.MethodPost, s.ElasticsearchURL+indices+"/_refresh", "", &refreshed)
}

// count is how many documents have no decision, though they are of no act and no alert. It waits a while
// for indices that are being made or read.
func (s *site) count(ctx context.Context) (int, error) {
	const query = `{"query":{"bool":{"must_not":[{"exists":{"field":"sallyport.decision"}},{"exists":{"field":"sallyport.act.caller"}},{"exists":{"field":"sallyport.alert.record"}}]}}}`
	for started := time.Now(); ; {
		var got struct{ Count int }
		err := ask(ctx, http.MethodPost, s.ElasticsearchURL+indices+"/_count", query, &got)
		if err == nil || time.Since(started) > 30*time.Second {
			return got.Count, err
		}
		err = wait(ctx, 200*time.Millisecond)
		if err != nil {
			return 0, err
		}
	}
}

// hits is a page of an answer of Elasticsearch.
type hits struct {
	ScrollID string `json:"_scroll_id"`
	Hits     struct {
		Hits []struct {
			Source struct {
				Sallyport struct {
					Arguments struct{ Mark string }
					Decision  string
					Outcome   string
				}
			} `json:"_source"`
		}
	}
}

// find returns every record of a call with a mark, and those that were set aside.
func (s *site) find(ctx context.Context, since time.Time, mark string) (found, error) {
	all := found{records: map[string][]record{}}
	var err error
	all.halves, err = s.count(ctx)
	if err != nil {
		return found{}, err
	}
	query := fmt.Sprintf(`{"size":%d,"sort":["_doc"],"_source":["sallyport.arguments.mark","sallyport.decision","sallyport.outcome"],"query":{"range":{"@timestamp":{"gte":%q}}}}`,
		page, since.Add(-time.Minute).UTC().Format(time.RFC3339))
	url := s.ElasticsearchURL + indices + "/_search?scroll=1m"
	for {
		var got hits
		err := ask(ctx, http.MethodPost, url, query, &got)
		if err != nil {
			return found{}, fmt.Errorf("reading the records: %w", err)
		}
		for _, hit := range got.Hits.Hits {
			own := hit.Source.Sallyport
			if m := markIn(own.Arguments.Mark, mark); m != "" {
				all.records[m] = append(all.records[m], record{decision: own.Decision, outcome: own.Outcome})
			}
		}
		if len(got.Hits.Hits) == 0 {
			break
		}
		url, query = s.ElasticsearchURL+"/_search/scroll", fmt.Sprintf(`{"scroll":"1m","scroll_id":%q}`, got.ScrollID)
	}
	return all, s.findAside(ctx, mark, all.records)
}

// findAside adds the records that Elasticsearch has refused and Sallyport keeps.
func (s *site) findAside(ctx context.Context, mark string, records map[string][]record) error {
	entries, err := s.redis.XRange(ctx, rejectedKey, "-", "+").Result()
	if err != nil {
		return fmt.Errorf("reading what was set aside: %w", err)
	}
	for _, e := range entries {
		document, _ := e.Values["doc"].(string)
		if m := markIn(document, mark); m != "" {
			records[m] = append(records[m], record{decision: decisionIn(document), aside: true})
		}
	}
	return nil
}
