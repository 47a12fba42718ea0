package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Described is what fetching a client ID metadata document came to.
type Described struct {
	// Registration is the client, unless there is a problem.
	Registration Registration `json:"registration"`
	// Problem is why the document can't be used, as a sentence for the person who signs in.
	Problem string `json:"problem,omitempty"`
}

// SaveDescribed keeps what fetching the document of a client_id came to, for as long as it is fresh.
func (s *Store) SaveDescribed(ctx context.Context, clientID string, d Described, fresh time.Duration) error {
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("saving a client's description: %w", err)
	}
	err = s.redis.Set(ctx, documentKey(clientID), text, fresh).Err()
	if err != nil {
		return fmt.Errorf("saving a client's description: %w", err)
	}
	return nil
}

// Described returns what fetching the document of a client_id came to, or ErrNotFound where it has to
// be fetched again.
func (s *Store) Described(ctx context.Context, clientID string) (Described, error) {
	var d Described
	text, err := s.redis.Get(ctx, documentKey(clientID)).Bytes()
	if errors.Is(err, redis.Nil) {
		return d, ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		return d, fmt.Errorf("reading a client's description: %w", err)
	}
	return d, nil
}

// PauseDocuments notes for a while that documents can't be fetched from here.
func (s *Store) PauseDocuments(ctx context.Context, pause time.Duration) error {
	err := s.redis.Set(ctx, documentsPauseKey, "1", pause).Err()
	if err != nil {
		return fmt.Errorf("noting that documents can't be fetched: %w", err)
	}
	return nil
}

// DocumentsPaused says whether documents couldn't be fetched from here a while ago.
func (s *Store) DocumentsPaused(ctx context.Context) (bool, error) {
	n, err := s.redis.Exists(ctx, documentsPauseKey).Result()
	if err != nil {
		return false, fmt.Errorf("looking whether documents can be fetched: %w", err)
	}
	return n > 0, nil
}
