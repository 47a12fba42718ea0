package accesslog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/act"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/state"
)

const (
	// keepEvery is how often it is looked for what is past, and keepAgain how soon after an error.
	keepEvery = time.Hour
	keepAgain = time.Minute
	// keepMost is how long that may take.
	keepMost = 5 * time.Minute
	// asidePage is how many of the entries that are kept aside are read at a time.
	asidePage = 100
)

// openAndClosed are the indices that retention is about: closing one doesn't keep it.
const openAndClosed = "open,closed"

// Keeper deletes records that are past the retention, by whole days. Where Elasticsearch has index lifecycle
// management (ILM) it leaves that to it.
type Keeper struct {
	elastic esapi.Transport
	store   *state.Store
	acts    *act.Recorder
	keep    retention
	log     *slog.Logger
	metrics *metrics
}

// Run does so at once and then every hour, until ctx ends. Errors are logged once until it works again.
func (k *Keeper) Run(ctx context.Context) error {
	for failing := false; ; {
		next := keepEvery
		err := k.pass(ctx)
		if err != nil {
			next = keepAgain
		}
		if err != nil && !failing && ctx.Err() == nil {
			k.log.Error("records that are past the retention may still be there; trying again every minute", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(next):
		}
	}
}

// pass does it once, on one replica at a time.
func (k *Keeper) pass(ctx context.Context) error {
	unlock, err := k.store.Lock(ctx, "retention", keepMost)
	if err != nil {
		return err
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(ctx, keepMost)
	defer cancel()
	now, err := earliestNow(ctx, k.store)
	if err != nil {
		return err
	}
	lifecycles, err := k.hasLifecycles(ctx)
	switch {
	case err != nil:
	case lifecycles:
		err = k.putLifecycles(ctx)
	default:
		err = k.deletePast(ctx, now)
	}
	return errors.Join(err, k.forgetAside(ctx, now))
}

// hasLifecycles says whether Elasticsearch has ILM. A distribution without it knows no such path.
func (k *Keeper) hasLifecycles(ctx context.Context) (bool, error) {
	response, err := esapi.ILMGetStatusRequest{}.Do(ctx, k.elastic)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed:
		return false, nil
	}
	return true, elastic.Failure(response)
}

// deletePast deletes each index whose day is past. Each is an act, which is written down before.
func (k *Keeper) deletePast(ctx context.Context, now time.Time) error {
	var indices []struct {
		Index string
		// Docs is null for a closed index.
		Docs *string `json:"docs.count"`
	}
	err := elastic.Ask(ctx, k.elastic, esapi.CatIndicesRequest{
		Index: []string{activity.Actions, activity.Protocol}, Format: "json", H: []string{"index", "docs.count"}, ExpandWildcards: openAndClosed,
	}, &indices)
	if err != nil {
		return err
	}
	var problems []error
	for _, i := range indices {
		if !k.keep.past(i.Index, now) {
			continue
		}
		records, counted := "not known, it was closed", 0
		if i.Docs != nil {
			records = *i.Docs
			counted, _ = strconv.Atoi(records)
		}
		err := k.record(ctx, i.Index, records, func() error {
			return elastic.Ask(ctx, k.elastic, esapi.IndicesDeleteRequest{Index: []string{i.Index}}, nil)
		})
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", i.Index, err))
			continue
		}
		k.metrics.deleted.Add(float64(counted))
		k.log.Info("a day's records were past the retention and are deleted", "index", i.Index, "records", records)
	}
	return errors.Join(problems...)
}

// forgetAside deletes what has been kept aside for as long as records are kept.
func (k *Keeper) forgetAside(ctx context.Context, now time.Time) error {
	shortest := k.keep.shortest()
	if shortest == 0 {
		return nil
	}
	var past []string
	until := fmt.Sprintf("%d-0", now.AddDate(0, 0, -shortest).UnixMilli())
	for after := ""; ; {
		entries, err := k.store.Aside(ctx, after, asidePage)
		if err != nil {
			return err
		}
		for _, e := range entries {
			after = e.Position
			// An entry is kept aside on its day, or later.
			if k.keep.past(e.Index, now) {
				past = append(past, e.Position)
			}
		}
		if len(entries) < asidePage || state.Sequence(after) > state.Sequence(until) {
			break
		}
	}
	if len(past) == 0 {
		return nil
	}
	err := k.record(ctx, "kept aside", strconv.Itoa(len(past)), func() error { return k.store.ForgetAside(ctx, past) })
	if err != nil {
		return err
	}
	k.log.Info("entries that were kept aside were past the retention and are deleted", "entries", len(past))
	return nil
}

// record does something as an act of Sallyport's own.
func (k *Keeper) record(ctx context.Context, target, records string, do func() error) error {
	begun, err := k.acts.Begin(ctx, act.Act{
		Action: "records.expire", Category: "configuration", Type: "deletion",
		By: activity.User{Name: "retention"}, Caller: act.Service, Targets: []string{target}, Details: map[string]string{"records": records},
	})
	if err != nil {
		return err
	}
	err = do()
	outcome := act.Outcome{}
	if err != nil {
		outcome = act.Outcome{Code: "Unknown", Message: err.Error()}
	}
	begun.End(ctx, outcome)
	return err
}
