// Package act writes down what admins do: first that it is about to be done, so that nothing is done
// that wasn't written down, and then what came of it. Both are halves of one record (package activity).
package act

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// What came of an act (ECS event.outcome). Unknown is one that was done and could still be lost.
const (
	Success = "success"
	Failure = "failure"
	Unknown = "unknown"
)

const (
	// maxText is how many bytes of a text are recorded, and maxTargets how many targets of an act.
	maxText    = 4 << 10
	maxTargets = 100
	// outcomeTimeout bounds writing an outcome down, which goes on where the caller has gone away.
	outcomeTimeout = 5 * time.Second
)

// The callers' kinds, by what they are known. Service is a service of Sallyport that acts by itself.
const (
	TokenFile = "token_file"
	APIToken  = "api_token"
	Person    = "person"
	Service   = "service"
)

// Recorder writes acts down.
type Recorder struct {
	Store *state.Store
	// Limit is the greatest length of the activity stream; at it nothing may be done.
	Limit int64
	Log   *slog.Logger
}

// Act is something that is about to be done.
type Act struct {
	// Action is what, such as "policy.save"; Category and Type are ECS event.category and event.type.
	Action, Category, Type string
	// By is whoever does it, and Caller by what they are known: TokenFile, APIToken, Person or Service.
	By     activity.User
	Caller string
	// SourceIP and UserAgent are where it comes from; empty where that isn't known.
	SourceIP, UserAgent string
	// Targets, Reason and Details are as in activity.Act. Long ones are cut.
	Targets []string
	Reason  string
	Details map[string]string
}

// Outcome is what came of an act.
type Outcome struct {
	// Code and Message are of an error: its gRPC code, and the sentence that was answered. Both are empty
	// where the act was done.
	Code, Message string
	// Unsure says of an error that the act was done, and that Redis could still lose it.
	Unsure bool
	// Details are what is known only now.
	Details map[string]string
}

// Begun is an act that is written down, and may be done.
type Begun struct {
	recorder *Recorder
	id       string
	index    string
	at       time.Time
}

// Begin writes an act down. With an error, which is state.ErrStreamFull or that Redis doesn't answer, it
// isn't certain to be written down, and must not be done.
func (r *Recorder) Begin(ctx context.Context, a Act) (*Begun, error) {
	at := time.Now().UTC()
	begun := &Begun{recorder: r, id: seal.Random(18), index: activity.IndexOf(at, true), at: at}
	record := activity.Record{
		Timestamp: at,
		Event: activity.Event{
			ID: begun.id, Kind: "event", Category: []string{a.Category}, Type: []string{a.Type}, Action: a.Action,
		},
		User: &a.By,
		Sallyport: activity.Sallyport{Act: &activity.Act{
			Caller: a.Caller, Targets: shortened(a.Targets), Reason: short(a.Reason), Details: shortDetails(a.Details),
		}},
	}
	if a.SourceIP != "" {
		record.Source = &activity.Source{IP: a.SourceIP}
	}
	if a.UserAgent != "" {
		record.UserAgent = &activity.UserAgent{Original: short(a.UserAgent)}
	}
	document, err := record.JSON()
	if err != nil {
		return nil, fmt.Errorf("writing an act down: %w", err)
	}
	err = r.Store.AppendAct(ctx, r.Limit, state.Entry{ID: begun.id, Index: begun.index, Document: document})
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// End writes down what came of the act. Where that fails it is logged, and the outcome stays unknown: the
// act is done by then. It doesn't wait for ctx, which may be over because the caller has gone away.
func (b *Begun) End(ctx context.Context, o Outcome) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeTimeout)
	defer cancel()
	record := activity.Record{Event: activity.Event{Outcome: Success, Duration: time.Since(b.at).Nanoseconds()}}
	if o.Code != "" {
		record.Event.Outcome = Failure
		record.Error = &activity.Error{Code: o.Code, Message: short(o.Message)}
	}
	if o.Unsure {
		record.Event.Outcome = Unknown
	}
	if len(o.Details) > 0 {
		record.Sallyport.Act = &activity.Act{Details: shortDetails(o.Details)}
	}
	document, err := record.JSON()
	if err == nil {
		err = b.recorder.Store.AppendOutcomes(ctx, []state.Entry{{ID: b.id, Index: b.index, Document: document}})
	}
	if err != nil {
		b.recorder.Log.Error("the outcome of an act wasn't written down and reads unknown", "event.id", b.id, "outcome", record.Event.Outcome, "error", err)
	}
}

func short(text string) string { return activity.CutTo([]byte(text), maxText) }

func shortened(texts []string) []string {
	list := make([]string, 0, min(len(texts), maxTargets+1))
	for i, text := range texts {
		if i == maxTargets {
			return append(list, fmt.Sprintf("%d more", len(texts)-maxTargets))
		}
		list = append(list, short(text))
	}
	return list
}

func shortDetails(details map[string]string) map[string]string {
	cut := make(map[string]string, len(details))
	for name, text := range details {
		cut[name] = short(text)
	}
	return cut
}
