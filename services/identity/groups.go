package identity

import (
	"context"
	"time"

	"sallyport/services/internal/state"
)

const (
	// groupsTimeout bounds the lookup of groups while an assistant waits for its tokens.
	groupsTimeout = 5 * time.Second
	// groupsUsable is how old groups may get while Jira doesn't answer (design section 5).
	groupsUsable = time.Hour
)

// learnGroups asks Jira for a person's groups and stores them. While Jira doesn't answer, those
// learned within the hour are kept; then they are unknown.
func (s *server) learnGroups(ctx context.Context, account string) error {
	learned := state.Groups{LearnedAt: time.Now()}
	if s.directory == nil {
		return s.store.SaveGroups(ctx, account, learned)
	}
	askCtx, cancel := context.WithTimeout(ctx, groupsTimeout)
	defer cancel()
	groups, err := s.directory.Groups(askCtx, account)
	if err != nil {
		s.log.Warn("groups not learned", "account_id", account, "error", err)
		return s.keepGroups(ctx, account)
	}
	learned.Known = true
	for _, g := range groups {
		learned.List = append(learned.List, state.Group{ID: g.ID, Name: g.Name})
	}
	return s.store.SaveGroups(ctx, account, learned)
}

// keepGroups makes a person's groups unknown once they are too old.
func (s *server) keepGroups(ctx context.Context, account string) error {
	known, err := s.store.Groups(ctx, account)
	if err != nil {
		return err
	}
	if known.Known && time.Since(known.LearnedAt) < groupsUsable {
		return nil
	}
	return s.store.SaveGroups(ctx, account, state.Groups{LearnedAt: time.Now()})
}
