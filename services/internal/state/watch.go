package state

import (
	"context"
	"fmt"
	"time"
)

// WatchGroups has a person's groups kept fresh for life, which is how long an access token works that
// they get now, and says whether they were kept so already. If not, the caller has GroupsRetry to learn the
// groups itself. Who isn't signed in isn't watched.
func (s *Store) WatchGroups(ctx context.Context, accountID string, life time.Duration) (already bool, err error) {
	reply, err := s.call(ctx, "sallyport_watch_groups", []string{groupsDueKey, groupsWatchedKey, upstreamKey(accountID), grantsKey(accountID)},
		accountID, life.Milliseconds(), GroupsRetry.Milliseconds(), grantKey(""))
	if err != nil {
		return false, err
	}
	return reply[0] == "watched", nil
}

// ClaimGroups returns up to limit people whose groups are due to be learned. They are the caller's
// for GroupsRetry; nobody else gets them meanwhile.
func (s *Store) ClaimGroups(ctx context.Context, limit int) ([]string, error) {
	reply, err := s.call(ctx, "sallyport_claim_groups", []string{groupsDueKey, groupsWatchedKey, groupsPauseKey},
		limit, GroupsRetry.Milliseconds())
	if err != nil {
		return nil, err
	}
	accounts := make([]string, len(reply))
	for i, account := range reply {
		accounts[i], _ = account.(string)
	}
	return accounts, nil
}

// WatchedPeople returns the account ids of all whose groups are kept fresh.
func (s *Store) WatchedPeople(ctx context.Context) ([]string, error) {
	accounts, err := s.redis.ZRange(ctx, groupsDueKey, 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("listing whose groups are kept fresh: %w", err)
	}
	return accounts, nil
}

// PauseGroups keeps all replicas from asking Jira for a while.
func (s *Store) PauseGroups(ctx context.Context, wait time.Duration) error {
	err := s.redis.Set(ctx, groupsPauseKey, "throttled", wait).Err()
	if err != nil {
		return fmt.Errorf("pausing lookups of groups: %w", err)
	}
	return nil
}

// GroupsPause returns how much longer nobody may ask Jira; zero or less where everybody may.
func (s *Store) GroupsPause(ctx context.Context) (time.Duration, error) {
	left, err := s.redis.PTTL(ctx, groupsPauseKey).Result()
	if err != nil {
		return 0, fmt.Errorf("reading the pause of lookups: %w", err)
	}
	return left, nil
}
