package accesslog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/state"
)

const (
	// batchEntries and batchBytes bound one bulk request; Elasticsearch takes up to 100 MB, and is
	// quickest with a few.
	batchEntries = 500
	batchBytes   = 8 << 20
	// takeOverAfter is how long another replica may hold entries before it is taken for dead.
	takeOverAfter = 30 * time.Second
	// retryMost bounds the wait between attempts, and so how late the log is once Elasticsearch is back.
	retryMost = time.Second
)

// Stream is the activity stream as the indexer reads it (package state).
type Stream interface {
	ReadWaiting(ctx context.Context, consumer string, count int64, block time.Duration, again bool) ([]state.Waiting, error)
	TakeOver(ctx context.Context, consumer string, count int64, idle time.Duration) ([]state.Waiting, error)
	Indexed(ctx context.Context, entries []state.Waiting) error
	SetAside(ctx context.Context, e state.Waiting, reason string) error
}

// Indexer moves the activity stream into Elasticsearch. An entry leaves the stream only when
// Elasticsearch has it; both halves of a record are merged under its id, in any order and however
// often they come.
type Indexer struct {
	stream   Stream
	elastic  esapi.Transport
	consumer string
	log      *slog.Logger
	metrics  *metrics
}

// Run indexes until ctx ends. Errors of Redis and Elasticsearch are logged and waited out.
func (x *Indexer) Run(ctx context.Context) error {
	x.persist(ctx, "index template", func() error { return x.putTemplate(ctx) })
	lastTakeOver := time.Time{}
	again := true
	for ctx.Err() == nil {
		var entries []state.Waiting
		x.persist(ctx, "activity stream", func() (err error) {
			if time.Since(lastTakeOver) > takeOverAfter {
				lastTakeOver = time.Now()
				entries, err = x.stream.TakeOver(ctx, x.consumer, batchEntries, takeOverAfter)
				if err != nil || len(entries) > 0 {
					return err
				}
			}
			entries, err = x.stream.ReadWaiting(ctx, x.consumer, batchEntries, time.Second, again)
			// After an error it isn't known whether entries were handed out: ask for them again.
			again = err != nil || again && len(entries) > 0
			return err
		})
		for _, batch := range batches(entries) {
			x.persist(ctx, "indexing", func() (err error) {
				batch, err = x.index(ctx, batch)
				return err
			})
		}
	}
	return nil
}

// persist does something until it succeeds or ctx ends, and says so once when it begins to fail
// and once when it succeeds again.
func (x *Indexer) persist(ctx context.Context, what string, do func() error) {
	wait := 50 * time.Millisecond
	failing := false
	for {
		err := do()
		if err == nil || ctx.Err() != nil {
			if failing {
				x.log.Info("works again", "what", what)
			}
			return
		}
		if !failing {
			x.log.Error("retrying; nothing is lost, the stream holds it", "what", what, "error", err)
			failing = true
		}
		x.metrics.retries.Inc()
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, retryMost)
	}
}

// putTemplate puts the template that new indices are made by, and its fields into those there are:
// a record of this version could be refused by the index of the day of an upgrade otherwise.
func (x *Indexer) putTemplate(ctx context.Context) error {
	mappings, err := activity.Mappings()
	if err != nil {
		return err
	}
	yes := true
	for _, request := range []esapi.Request{
		esapi.IndicesPutIndexTemplateRequest{Name: activity.TemplateName, Body: bytes.NewReader(activity.Template)},
		esapi.IndicesPutMappingRequest{
			Index: []string{activity.Actions, activity.Protocol}, Body: bytes.NewReader(mappings),
			AllowNoIndices: &yes, IgnoreUnavailable: &yes,
		},
	} {
		response, err := request.Do(ctx, x.elastic)
		if err != nil {
			return err
		}
		err = elastic.Failure(response)
		_ = response.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// index sends one bulk request and removes from the stream what Elasticsearch took. What it refuses for
// good is set aside. It returns what has to be tried again, with the reason.
func (x *Indexer) index(ctx context.Context, entries []state.Waiting) ([]state.Waiting, error) {
	results, err := x.bulk(ctx, entries)
	refused, ok := errors.AsType[*refusedError](err)
	switch {
	case ok && len(entries) == 1:
		return x.settle(ctx, entries, []bulkResult{refused.result})
	case ok:
		// One of them makes the request unreadable, and mustn't hold up the others.
		first, err := x.index(ctx, entries[:len(entries)/2])
		second, secondErr := x.index(ctx, entries[len(entries)/2:])
		return slices.Concat(first, second), errors.Join(err, secondErr)
	case err != nil:
		return entries, err
	}
	return x.settle(ctx, entries, results)
}

// settle does with each entry what Elasticsearch's answer asks for, and returns those to try again.
func (x *Indexer) settle(ctx context.Context, entries []state.Waiting, results []bulkResult) ([]state.Waiting, error) {
	var done, again []state.Waiting
	var later error
	for i, r := range results {
		e := entries[i]
		if r.Status < 300 {
			done = append(done, e)
			continue
		}
		later = fmt.Errorf("Elasticsearch answered %d: %s: %s", r.Status, r.Error.Type, r.Error.Reason)
		if !r.final() {
			again = append(again, e)
			continue
		}
		x.log.Error("record set aside: Elasticsearch refuses it", "event.id", e.ID, "type", r.Error.Type, "reason", r.Error.Reason)
		err := x.stream.SetAside(ctx, e, r.Error.Type+": "+r.Error.Reason)
		if err != nil {
			return entries, err
		}
		x.metrics.aside.Inc()
	}
	if len(again) == 0 {
		later = nil
	}
	if len(done) == 0 {
		return again, later
	}
	err := x.stream.Indexed(ctx, done)
	if err != nil {
		return entries, errors.Join(later, err)
	}
	x.metrics.indexed.Add(float64(len(done)))
	return again, later
}

// bulkResult is what the bulk API says of one entry.
type bulkResult struct {
	Status int
	Error  struct{ Type, Reason string }
}

// passing are the types of errors with status 400 that are about the index or the cluster, and pass.
var passing = []string{"index_closed_exception", "validation_exception"}

// final says that the entry is refused for what it is: it would be for ever. Where Elasticsearch may not
// be written to, such as 403 for a read-only index, it isn't the entry's fault.
func (r bulkResult) final() bool {
	return (r.Status == http.StatusBadRequest || r.Status == http.StatusRequestEntityTooLarge) && !slices.Contains(passing, r.Error.Type)
}

// refusedError is a bulk request that Elasticsearch refuses as a whole, because of what is in it.
type refusedError struct{ result bulkResult }

func (e *refusedError) Error() string {
	return fmt.Sprintf("Elasticsearch answered %d: %s: %s", e.result.Status, e.result.Error.Type, e.result.Error.Reason)
}

// refusal is Elasticsearch's error as one, a *refusedError where the request's content is the reason.
func refusal(response *esapi.Response) error {
	refused := bulkResult{Status: response.StatusCode}
	if !refused.final() {
		return elastic.Failure(response)
	}
	err := json.NewDecoder(response.Body).Decode(&refused)
	// A 400 that doesn't say of what kind isn't Elasticsearch's.
	if err == nil && refused.Error.Type != "" && refused.final() || response.StatusCode == http.StatusRequestEntityTooLarge {
		return &refusedError{refused}
	}
	return fmt.Errorf("Elasticsearch answered %s", response.Status())
}

// bulk merges each entry into the document of its id. Merging partial documents makes it
// indifferent which half comes first, and how often.
func (x *Indexer) bulk(ctx context.Context, entries []state.Waiting) ([]bulkResult, error) {
	var body bytes.Buffer
	for _, e := range entries {
		id, err := json.Marshal(e.ID)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&body, `{"update":{"_index":%q,"_id":%s,"retry_on_conflict":5}}`+"\n", e.Index, id)
		fmt.Fprintf(&body, `{"doc":%s,"doc_as_upsert":true}`+"\n", numbered(e))
	}
	response, err := esapi.BulkRequest{Body: &body}.Do(ctx, x.elastic)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	err = refusal(response)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Items []map[string]bulkResult
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if err != nil {
		return nil, fmt.Errorf("reading Elasticsearch's answer: %w", err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	if len(answer.Items) != len(entries) {
		return nil, fmt.Errorf("Elasticsearch answered for %d of %d entries", len(answer.Items), len(entries))
	}
	results := make([]bulkResult, len(entries))
	for i, item := range answer.Items {
		results[i] = item["update"]
	}
	return results, nil
}

// numbered is an entry's document with its place in the stream, which is the same however often it is indexed.
// The live tail reads by that of a record's first half (sequence), the sink by that of its last (completed).
func numbered(e state.Waiting) []byte {
	rest, ok := bytes.CutPrefix(e.Document, []byte("{"))
	if !ok || bytes.HasPrefix(rest, []byte("}")) {
		return e.Document
	}
	place := state.Sequence(e.Position)
	var fields string
	switch e.Kind {
	case "decision", "act":
		fields = fmt.Sprintf(`{"sallyport.sequence":%q,`, place)
	case "outcome":
		fields = fmt.Sprintf(`{"sallyport.completed":%q,`, place)
	case "alert":
		fields = fmt.Sprintf(`{"sallyport.sequence":%q,"sallyport.completed":%q,`, place, place)
	default:
		return e.Document
	}
	return append([]byte(fields), rest...)
}

// batches splits entries so that each part fits into one bulk request.
func batches(entries []state.Waiting) [][]state.Waiting {
	var parts [][]state.Waiting
	size, start := 0, 0
	for i, e := range entries {
		if i > start && size+len(e.Document) > batchBytes {
			parts = append(parts, entries[start:i])
			start, size = i, 0
		}
		size += len(e.Document)
	}
	if start < len(entries) {
		parts = append(parts, entries[start:])
	}
	return parts
}
