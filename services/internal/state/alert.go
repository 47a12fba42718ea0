package state

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// alertMemory is how long the reason of an alert is known after it was last there.
const alertMemory = 90 * 24 * time.Hour

// knownKey is that the reason of an alert is known: its kind, and what it is about.
func knownKey(alert, about string) string { return prefix + "known:" + alert + ":" + TokenHash(about) }

// Raise appends an alert to the activity stream, in one step with knowing its reason, and says whether it
// did: an alert whose reason was known within the last 90 days isn't raised.
func (s *Store) Raise(ctx context.Context, alert, about string, e Entry) (bool, error) {
	reply, err := s.call(ctx, "sallyport_raise", []string{knownKey(alert, about), streamKey, processKey}, int(alertMemory.Seconds()), e.ID, e.Index, e.Document)
	if err != nil {
		return false, err
	}
	if reply[0] != "raised" {
		return false, nil
	}
	s.remember(alertHalf, []Entry{e}, reply[1], reply[2])
	return true, nil
}

// Know makes reasons of alerts known without raising them.
func (s *Store) Know(ctx context.Context, alert string, about []string) error {
	_, err := s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, a := range about {
			pipe.Set(ctx, knownKey(alert, a), "", alertMemory)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remembering what alerts are known: %w", err)
	}
	return nil
}

// Known says whether the reason of an alert is known.
func (s *Store) Known(ctx context.Context, alert, about string) (bool, error) {
	n, err := s.redis.Exists(ctx, knownKey(alert, about)).Result()
	if err != nil {
		return false, fmt.Errorf("reading what alerts are known: %w", err)
	}
	return n > 0, nil
}

// Forget has the next alert of this kind about the same be raised again.
func (s *Store) Forget(ctx context.Context, alert, about string) error {
	err := s.redis.Del(ctx, knownKey(alert, about)).Err()
	if err != nil {
		return fmt.Errorf("forgetting an alert: %w", err)
	}
	return nil
}
