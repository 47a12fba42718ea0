package identity

import (
	"context"
	"errors"
	"time"

	"sallyport/services/internal/state"
)

const (
	// resealPause is how long after a pass that found nothing to reseal the next one follows, while there are
	// several keys: a replica that hasn't been restarted yet may still seal under another key.
	resealPause = time.Minute
	// resealCheck is how long after a pass that resealed or failed the next one follows.
	resealCheck = 5 * time.Second
)

// sealing is how many people's Atlassian tokens a pass found sealed in which way.
type sealing struct {
	// first are under the first key, and former were under another one.
	first, former int
	// unreadable can't be opened by any key of the file.
	unreadable int
}

// keepSealed has all of people's Atlassian tokens sealed under the first key of the file, so that the others
// can be taken out of it, until ctx ends or there is nothing left that could change.
func (s *server) keepSealed(ctx context.Context) error {
	var told *sealing
	for {
		found, err := s.resealAll(ctx)
		wait := resealCheck
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.log.Error("people's Atlassian tokens can't be brought under the first seal key", "error", err)
		default:
			s.tellSealing(told, found)
			told = &found
			if found.former > 0 {
				break
			}
			if found.unreadable == 0 && s.box.Keys() == 1 {
				return nil
			}
			wait = resealPause
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// tellSealing logs what a pass found, where it isn't what was told last; nil at first.
func (s *server) tellSealing(told *sealing, found sealing) {
	if found.former > 0 {
		s.log.Info("people's Atlassian tokens resealed under the first seal key", "resealed", found.former, "under_first_before", found.first)
	}
	if found.unreadable > 0 && (told == nil || found.unreadable != told.unreadable) {
		s.log.Error("people's Atlassian tokens are sealed under a key that isn't in the seal key file: put it back there as another line and restart, "+
			"or forget these people if it is lost, so that they sign in again", "people", found.unreadable)
	}
	if found.former+found.unreadable == 0 && s.box.Keys() > 1 && (told == nil || told.former+told.unreadable > 0) {
		s.log.Info("all of people's Atlassian tokens are sealed under the first seal key: the other keys can be taken out of the seal key file, "+
			"ten minutes after the last replica was restarted with this file", "people", found.first)
	}
}

// resealAll is one pass over everybody's tokens. What it found is in the metrics.
func (s *server) resealAll(ctx context.Context) (sealing, error) {
	var found sealing
	err := s.store.PeopleWithUpstream(ctx, func(account string) error { return s.reseal(ctx, account, &found) })
	if err != nil {
		return found, err
	}
	s.metrics.sealed.WithLabelValues("first").Set(float64(found.first))
	s.metrics.sealed.WithLabelValues("former").Set(float64(found.former))
	s.metrics.sealed.WithLabelValues("unreadable").Set(float64(found.unreadable))
	return found, nil
}

// reseal seals a person's tokens under the first key unless they are, and counts them.
func (s *server) reseal(ctx context.Context, account string, found *sealing) error {
	for {
		known, err := s.store.Upstream(ctx, account)
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		tokens, err := s.opened(account, known)
		if err != nil {
			found.unreadable++
			return nil //nolint:nilerr // it is counted, and the others' tokens are looked at all the same
		}
		if s.box.Current(known.Access) && s.box.Current(known.Refresh) {
			found.first++
			return nil
		}
		anew := s.sealed(account, tokens)
		done, err := s.store.ResealUpstream(ctx, account, known, anew.Access, anew.Refresh)
		if err != nil {
			return err
		}
		if done {
			found.former++
			return nil
		}
		// They were refreshed meanwhile, or the person signed in anew.
	}
}
