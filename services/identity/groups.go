package identity

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/state"
)

const (
	// groupsTimeout bounds one lookup, for which an assistant may be waiting.
	groupsTimeout = 5 * time.Second
	// lookupsAtOnce bounds the lookups of one replica that are under way at a time.
	lookupsAtOnce = 4
	// groupsPoll is how often a replica looks whose groups are due.
	groupsPoll = time.Second
)

// keepGroupsFresh learns the groups of people whose assistants can call now, before they are stale,
// until ctx ends. No call waits for it.
func (s *server) keepGroupsFresh(ctx context.Context) error {
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		claimed, err := s.learnDue(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.Error("groups can't be kept fresh", "error", err)
			wait = state.GroupsRetry
		case claimed < lookupsAtOnce:
			wait = groupsPoll
		default:
			wait = 0
		}
	}
}

// learnDue learns the groups of a few people who are due, and says of how many.
func (s *server) learnDue(ctx context.Context) (int, error) {
	due, err := s.store.ClaimGroups(ctx, lookupsAtOnce)
	if err != nil {
		return 0, err
	}
	var lookups errgroup.Group
	for _, account := range due {
		lookups.Go(func() error {
			_, err := s.learnGroups(ctx, account)
			return err
		})
	}
	return len(due), lookups.Wait()
}

// groupsForSignIn learns the groups of a person who signs in. While Jira doesn't answer, they are
// what they were, and unknown once that is too long ago.
func (s *server) groupsForSignIn(ctx context.Context, account string, life time.Duration) error {
	_, err := s.watchGroups(ctx, account, life)
	if err != nil {
		return err
	}
	_, err = s.learnGroups(ctx, account)
	return err
}

// groupsForRefresh has groups known for an assistant that comes back. It waits for Jira only where
// they weren't kept fresh: an admin's invalidation passed by who wasn't on the list.
func (s *server) groupsForRefresh(ctx context.Context, account string) error {
	already, err := s.watchGroups(ctx, account, state.AccessLife)
	if err != nil {
		return err
	}
	known, err := s.store.Groups(ctx, account)
	if err != nil || already && known.Known && time.Since(known.LearnedAt) < state.GroupsAhead {
		return err
	}
	_, err = s.learnGroups(ctx, account)
	return err
}

// watchGroups has a person's groups kept fresh for life, which is that of an access token, and says
// whether they were already.
func (s *server) watchGroups(ctx context.Context, account string, life time.Duration) (already bool, err error) {
	if s.directory == nil {
		return false, nil
	}
	return s.store.WatchGroups(ctx, account, life)
}

// learnGroups asks Jira for a person's groups and stores them. It says whether Jira answered; an
// error means that Redis didn't.
func (s *server) learnGroups(ctx context.Context, account string) (learned bool, err error) {
	if s.directory == nil {
		return false, nil
	}
	asked, err := s.store.Now(ctx)
	if err != nil {
		return false, err
	}
	groups, err := s.lookUpGroups(ctx, account)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		s.notLearned(account, err)
		return false, nil
	}
	fresh := state.Groups{Known: true, LearnedAt: asked}
	names := make([]string, len(groups))
	for i, g := range groups {
		fresh.List = append(fresh.List, state.Group{ID: g.ID, Name: g.Name})
		names[i] = g.Name
	}
	changed, err := s.store.SaveGroups(ctx, account, fresh)
	if err != nil {
		return false, err
	}
	result := "unchanged"
	if changed {
		result = "learned"
		s.log.Info("groups learned", "account_id", account, "groups", names)
	}
	s.metrics.lookups.WithLabelValues(result).Inc()
	return true, nil
}

// notLearned counts and logs a lookup that came to nothing. A pause is logged once, by ask, and not
// for everybody who is due in it.
func (s *server) notLearned(account string, err error) {
	_, throttled := errors.AsType[*atlassian.Throttled](err)
	if throttled {
		s.metrics.lookups.WithLabelValues("throttled").Inc()
		return
	}
	s.metrics.lookups.WithLabelValues("failed").Inc()
	s.log.Warn("groups not learned", "account_id", account, "error", err)
}

// lookUpGroups asks Jira for a person's groups.
func (s *server) lookUpGroups(ctx context.Context, account string) ([]atlassian.Group, error) {
	ctx, cancel := context.WithTimeout(ctx, groupsTimeout)
	defer cancel()
	var groups []atlassian.Group
	err := s.ask(ctx, func() (err error) {
		groups, err = s.directory.Groups(ctx, account)
		return err
	})
	return groups, err
}

// ask asks Jira something, unless Jira wants a pause: what it said to one replica binds all.
func (s *server) ask(ctx context.Context, question func() error) error {
	wait, err := s.store.GroupsPause(ctx)
	if err != nil {
		return err
	}
	if wait > 0 {
		return &atlassian.Throttled{Wait: wait}
	}
	err = question()
	s.noteAnswer(err)
	throttled, ok := errors.AsType[*atlassian.Throttled](err)
	if ok {
		s.log.Warn("no lookups of groups for a while", "error", err)
		return errors.Join(err, s.store.PauseGroups(ctx, throttled.Wait))
	}
	return err
}

// noteAnswer keeps when Jira last told groups, for CheckDirectory. That it knows no such person says
// nothing about the credential.
func (s *server) noteAnswer(err error) {
	switch {
	case err == nil:
		now := time.Now()
		s.jiraAnswered.Store(&now)
	case !errors.Is(err, atlassian.ErrNotFound):
		s.jiraAnswered.Store(nil)
	}
}
