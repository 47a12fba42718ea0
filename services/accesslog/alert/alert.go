// Package alert looks at each decision that is indexed, in the order in which they were made, and raises alerts: the
// first block of a person by a rule, a new assistant, and an unusual share of blocked calls. An alert is a
// record of its own (activity.Alert), written to the activity stream in one step with remembering it.
package alert

import (
	"cmp"
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"sallyport/services/accesslog/follow"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// Everybody is whom the share of blocked calls is about.
const everybody = "everybody"

// Rules raise alerts.
type Rules struct {
	config Config
	store  *state.Store
	reader follow.Reader
	raised *prometheus.CounterVec

	window window
	// high says that the share of blocked calls is above what is alerted of, and was.
	high bool
}

// New returns rules by a configuration.
func New(c Config, store *state.Store, reader follow.Reader, registry prometheus.Registerer) *Rules {
	r := &Rules{config: c, store: store, reader: reader, raised: promauto.With(registry).NewCounterVec(prometheus.CounterOpts{
		Namespace: "sallyport", Subsystem: "accesslog", Name: "alerts_total", Help: "Alerts that were raised, by which: first_block, new_client or block_rate (docs/siem.md).",
	}, []string{"alert"})}
	for _, name := range []string{"first_block", "new_client", "block_rate"} {
		r.raised.WithLabelValues(name)
	}
	return r
}

// Order is the order in which records are looked at: that of the decisions.
func Order() follow.Order {
	return follow.Order{
		Name: "decided", Field: "sallyport.sequence", Records: 1000,
		Filters: func(string) []follow.Object { return []follow.Object{governed()} },
		Source: []string{
			"@timestamp", "event.id", "event.action", "user.id", "user.name", "user.email",
			"sallyport.client", "sallyport.operation", "sallyport.decision", "sallyport.refusal", "sallyport.rule",
		},
	}
}

// governed are the calls: what rules decide on, or was refused before.
func governed() follow.Object {
	return follow.Object{"bool": follow.Object{
		"filter":   follow.Exists("sallyport.decision"),
		"must_not": follow.Object{"term": follow.Object{"sallyport.ungoverned": true}},
	}}
}

// Resume begins with what is known: at the first time all that is recorded, so that it isn't taken for new; and always
// the calls of the last ten minutes.
func (r *Rules) Resume(ctx context.Context, d *state.Delivery, first bool) error {
	if first {
		err := r.learn(ctx, d.At[Order().Name])
		if err != nil {
			return err
		}
	}
	high, err := r.store.Known(ctx, activity.AlertBlockRate, everybody)
	if err != nil {
		return err
	}
	r.high, r.window = high, window{}
	to := d.At[Order().Name]
	after := state.SequenceAt(state.SequenceTime(to).Add(-windowLength))
	for {
		found, more, err := r.reader.Page(ctx, Order(), after, to)
		if err != nil {
			return err
		}
		for _, f := range found {
			record, err := activity.Parse(f.Source)
			if err == nil {
				r.window.add(state.SequenceTime(f.Place), record.Sallyport.Decision == activity.Blocked)
			}
			after = f.Place
		}
		if !more {
			return nil
		}
	}
}

// Deliver looks at records, and raises alerts.
func (r *Rules) Deliver(ctx context.Context, found []follow.Found) ([]follow.Refused, error) {
	before, high := r.window.copy(), r.high
	refused, err := r.look(ctx, found)
	if err != nil {
		// The calls of these records are counted again.
		r.window, r.high = before, high
	}
	return refused, err
}

func (r *Rules) look(ctx context.Context, found []follow.Found) ([]follow.Refused, error) {
	var refused []follow.Refused
	// What was seen in these records needn't be asked for again.
	seen := map[string]bool{}
	for _, f := range found {
		record, err := activity.Parse(f.Source)
		if err != nil {
			refused = append(refused, follow.Refused{ID: f.ID, Reason: err.Error(), Count: 1})
			continue
		}
		record.Event.ID = f.ID
		if about := clientOf(record); r.config.NewClient && about != "" && !seen[about] {
			seen[about] = true
			err = r.raise(ctx, activity.AlertNewClient, about, alertOf(record))
		}
		if about := blockOf(record); r.config.FirstBlock && err == nil && about != "" && !seen[about] {
			seen[about] = true
			err = r.raise(ctx, activity.AlertFirstBlock, about, blockAlertOf(record))
		}
		if r.config.BlockRate > 0 && err == nil {
			err = r.rate(ctx, f, record)
		}
		if err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// rate counts a call, and alerts once of a share that is too high, until it has fallen.
func (r *Rules) rate(ctx context.Context, f follow.Found, record activity.Record) error {
	at := state.SequenceTime(f.Place)
	r.window.forget(at)
	if r.high && r.window.calm(r.config.BlockRate, r.config.BlockRateCalls) {
		err := r.store.Forget(ctx, activity.AlertBlockRate, everybody)
		if err != nil {
			return err
		}
		r.high = false
	}
	r.window.add(at, record.Sallyport.Decision == activity.Blocked)
	if r.high || record.Sallyport.Decision != activity.Blocked || !r.window.above(r.config.BlockRate, r.config.BlockRateCalls) {
		return nil
	}
	alert := blockAlertOf(record)
	alert.Sallyport.Alert.Blocked, alert.Sallyport.Alert.Calls = r.window.blocked, r.window.calls
	alert.Sallyport.Alert.Since = r.window.buckets[0].at
	err := r.raise(ctx, activity.AlertBlockRate, everybody, alert)
	r.high = err == nil
	return err
}

// raise writes an alert down, unless it is known. Its id is that of what it is about, so that one raised twice is
// one record.
func (r *Rules) raise(ctx context.Context, action, about string, alert activity.Record) error {
	alert.Event.Action = action
	alert.Event.ID = "alert-" + state.TokenHash(action + " " + about + " " + alert.Sallyport.Alert.Record)[:24]
	document, err := alert.JSON()
	if err != nil {
		return fmt.Errorf("writing an alert: %w", err)
	}
	raised, err := r.store.Raise(ctx, action, about, state.Entry{ID: alert.Event.ID, Index: activity.IndexOf(alert.Timestamp, true), Document: document})
	if err != nil {
		return err
	}
	if raised {
		r.raised.WithLabelValues(action[len("alert."):]).Inc()
	}
	return nil
}

// alertOf is an alert with what it has in common with the record that raises it.
func alertOf(r activity.Record) activity.Record {
	alert := activity.Record{
		Timestamp: r.Timestamp, Event: activity.Event{Kind: activity.AlertKind}, User: r.User,
		Sallyport: activity.Sallyport{Operation: r.Sallyport.Operation, Alert: &activity.Alert{Record: r.Event.ID}},
	}
	if c := r.Sallyport.Client; c != nil {
		// What searches look for among calls stays out.
		alert.Sallyport.Client = &activity.Client{Key: c.Key, Name: c.Name, Class: c.Class}
	}
	return alert
}

// blockAlertOf is one of a record that was blocked, with why.
func blockAlertOf(r activity.Record) activity.Record {
	alert := alertOf(r)
	alert.Sallyport.Rule, alert.Sallyport.Alert.Refusal = r.Sallyport.Rule, r.Sallyport.Refusal
	return alert
}

// clientOf is which assistant made a call, and how sure that is; empty where it isn't known.
func clientOf(r activity.Record) string {
	if r.Sallyport.Client == nil || r.Sallyport.Client.Key == "" {
		return ""
	}
	return clientAbout(r.Sallyport.Client.Key, r.Sallyport.Client.Class)
}

func clientAbout(key, class string) string { return "client " + key + " " + class }

// blockOf is whom which rule blocked; empty of what wasn't blocked.
func blockOf(r activity.Record) string {
	if r.Sallyport.Decision != activity.Blocked || r.User == nil || r.User.ID == "" {
		return ""
	}
	rule := ""
	if r.Sallyport.Rule != nil {
		rule = r.Sallyport.Rule.ID
	}
	return blockAbout(r.User.ID, rule, r.Sallyport.Refusal)
}

func blockAbout(person, rule, refusal string) string {
	return "block " + person + " " + cmp.Or(rule, refusal, "default")
}
