package accesslog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/state"
)

const (
	// batchEntries and batchBytes bound one bulk request; Elasticsearch takes up to 100 MB, and is
	// quickest with a few.
	batchEntries = 1000
	batchBytes   = 8 << 20
	// gather is how long entries are gathered where there are few. A bulk request costs Elasticsearch nearly
	// the same for one as for a hundred, and halves that come together are one operation.
	gather = 400 * time.Millisecond
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
	Clock
}

// Indexer moves the activity stream into Elasticsearch. An entry leaves the stream only when
// Elasticsearch has it; both halves of a record are merged under its id, in any order and however
// often they come.
type Indexer struct {
	stream   Stream
	elastic  esapi.Transport
	template template
	consumer string
	keep     retention
	log      *slog.Logger
	metrics  *metrics
}

// Run indexes until ctx ends. Errors of Redis and Elasticsearch are logged and waited out.
func (x *Indexer) Run(ctx context.Context) error {
	x.persist(ctx, "index template", func() error { return x.template.put(ctx) })
	lastTakeOver := time.Time{}
	again := true
	for ctx.Err() == nil {
		var entries []state.Waiting
		began := time.Now()
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
		x.persist(ctx, "retention", func() (err error) {
			entries, err = x.withoutPast(ctx, entries)
			return err
		})
		for _, batch := range batches(entries) {
			x.persist(ctx, "indexing", func() (err error) {
				batch, err = x.index(ctx, batch)
				return err
			})
		}
		if len(entries) > 0 && len(entries) < batchEntries {
			pause(ctx, time.Until(began.Add(gather)))
		}
	}
	return nil
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
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
		pause(ctx, wait)
		wait = min(2*wait, retryMost)
	}
}

// withoutPast takes entries out of the stream whose day is past the retention, such as late ones of a record
// that was deleted: the index would be made for them, and deleted again.
func (x *Indexer) withoutPast(ctx context.Context, entries []state.Waiting) ([]state.Waiting, error) {
	var rest, past []state.Waiting
	now := time.Now()
	if slices.ContainsFunc(entries, func(e state.Waiting) bool { return x.keep.past(e.Index, now) }) {
		var err error
		now, err = earliestNow(ctx, x.stream)
		if err != nil {
			return entries, err
		}
	}
	for _, e := range entries {
		if x.keep.past(e.Index, now) {
			past = append(past, e)
			continue
		}
		rest = append(rest, e)
	}
	if len(past) == 0 {
		return entries, nil
	}
	err := x.stream.Indexed(ctx, past)
	if err != nil {
		return entries, err
	}
	x.metrics.expired.Add(float64(len(past)))
	x.log.Warn("entries weren't indexed: their day is past the retention", "entries", len(past), "first", past[0].Index)
	return rest, nil
}

// index sends one bulk request and removes from the stream what Elasticsearch took. What it refuses for
// good is set aside. It returns what has to be tried again, with the reason.
func (x *Indexer) index(ctx context.Context, entries []state.Waiting) ([]state.Waiting, error) {
	operations := writes(entries)
	results, err := x.bulk(ctx, operations)
	refused, ok := errors.AsType[*refusedError](err)
	switch {
	case ok && len(entries) == 1:
		return x.settle(ctx, operations, []bulkResult{refused.result})
	case ok:
		// One of them makes the request unreadable, and mustn't hold up the others.
		return x.indexInParts(ctx, entries[:len(entries)/2], entries[len(entries)/2:])
	case err != nil:
		return entries, err
	}
	return x.settle(ctx, operations, results)
}

// indexInParts does that by several requests.
func (x *Indexer) indexInParts(ctx context.Context, parts ...[]state.Waiting) (again []state.Waiting, err error) {
	for _, part := range parts {
		rest, partErr := x.index(ctx, part)
		again, err = append(again, rest...), errors.Join(err, partErr)
	}
	return again, err
}

// settle does with each operation what Elasticsearch's answer asks for, and returns the entries to try again.
func (x *Indexer) settle(ctx context.Context, operations []write, results []bulkResult) ([]state.Waiting, error) {
	var done, again []state.Waiting
	var later error
	for i, r := range results {
		entries := operations[i].entries
		switch {
		case r.Status < 300:
			done = append(done, entries...)
		case !r.final():
			again = append(again, entries...)
			later = r.err()
		case len(entries) > 1:
			// One half is refused; the others may not be.
			rest, err := x.indexInParts(ctx, slices.Collect(slices.Chunk(entries, 1))...)
			again, later = append(again, rest...), errors.Join(later, err)
		default:
			err := x.setAside(ctx, entries[0], r)
			if err != nil {
				again, later = append(again, entries...), errors.Join(later, err)
			}
		}
	}
	if len(done) == 0 {
		return again, later
	}
	err := x.stream.Indexed(ctx, done)
	if err != nil {
		return append(again, done...), errors.Join(later, err)
	}
	x.metrics.indexed.Add(float64(len(done)))
	return again, later
}

// bulk merges what each operation writes into the document of its record's id. Merging partial documents makes it
// indifferent which half comes first, and how often.
func (x *Indexer) bulk(ctx context.Context, operations []write) ([]bulkResult, error) {
	var body bytes.Buffer
	for _, w := range operations {
		e := w.entries[0]
		id, err := json.Marshal(e.ID)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&body, `{"update":{"_index":%q,"_id":%s,"retry_on_conflict":5}}`+"\n", e.Index, id)
		fmt.Fprintf(&body, `{"doc":%s,"doc_as_upsert":true}`+"\n", w.document)
	}
	response, err := esapi.BulkRequest{Body: &body, FilterPath: bulkAnswer}.Do(ctx, x.elastic)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	err = refusal(response)
	if err != nil {
		return nil, err
	}
	return resultsIn(response.Body, len(operations))
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
