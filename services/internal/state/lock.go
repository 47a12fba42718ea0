package state

import (
	"context"
	"fmt"
	"time"

	"sallyport/services/internal/seal"
)

// lockPoll is how often a lock that somebody else holds is tried again.
const lockPoll = 40 * time.Millisecond

// Lock waits until nobody else, on any replica, holds the named lock, or ctx ends. It is held for
// ttl at most, so that a holder that died doesn't hold up the others; what it guards must be done
// by then. The caller calls unlock.
func (s *Store) Lock(ctx context.Context, name string, ttl time.Duration) (unlock func(), err error) {
	key, token := lockKey(name), seal.Random(16)
	for {
		held, err := s.redis.SetNX(ctx, key, token, ttl).Result()
		if err != nil {
			return nil, fmt.Errorf("locking %s: %w", name, err)
		}
		if held {
			return func() { s.unlock(ctx, key, token) }, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock %s: %w", name, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// unlock gives up the lock unless it has passed to somebody else meanwhile. Where Redis doesn't
// answer, the lock ends by itself.
func (s *Store) unlock(ctx context.Context, key, token string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, _ = s.call(ctx, "sallyport_unlock", []string{key}, token)
}
