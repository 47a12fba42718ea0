package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// seedRetryMost bounds the wait between attempts to reach Redis at start.
const seedRetryMost = time.Second

// firstPolicy is in force in a new installation, until an admin saves another.
func firstPolicy() *policy.Policy {
	p := &policy.Policy{
		Default: policy.Allow,
		Rules:   []policy.Rule{{Operation: "delete*", Effect: policy.Deny, Note: "AI may never delete anything"}},
	}
	fillIDs(p, nil)
	p.Normalize()
	return p
}

// seed puts the first policy in force where there is none: without one, nothing is allowed.
type seed struct {
	store *state.Store
	log   *slog.Logger
	done  atomic.Bool
}

// run tries until Redis takes it or ctx ends. Replicas may do so at the same time: the first wins.
func (s *seed) run(ctx context.Context) error {
	document, err := json.Marshal(firstPolicy())
	if err != nil {
		return err
	}
	wait := 50 * time.Millisecond
	for failed := false; ; failed = true {
		_, err = s.store.SavePolicy(ctx, 0, document, state.Save{At: time.Now().UTC(), By: "Sallyport", Message: "The first policy of a new installation."})
		if err == nil || errors.Is(err, state.ErrConflict) {
			s.done.Store(true)
			return nil
		}
		if !failed {
			s.log.Warn("waiting for Redis to take the first policy", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, seedRetryMost)
	}
}

func (s *seed) ready(context.Context) error {
	if !s.done.Load() {
		return errors.New("Redis doesn't have a policy yet")
	}
	return nil
}
