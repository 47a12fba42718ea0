package state

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"sallyport/services/internal/seal"
)

// Upstream is a person's tokens at Atlassian, sealed.
type Upstream struct {
	// Rev is another one after each change.
	Rev string
	// Access and Refresh are sealed under AccessUse and RefreshUse of the person.
	Access, Refresh []byte
	// ExpiresAt is when Atlassian stops taking the access token.
	ExpiresAt time.Time
}

// AccessUse is what a person's access token is sealed for, so that one person's sealed token can't
// be put in the place of another's.
func AccessUse(accountID string) string { return "atlassian access token of " + accountID }

// RefreshUse is what a person's refresh token is sealed for.
func RefreshUse(accountID string) string { return "atlassian refresh token of " + accountID }

func upstreamFrom(f map[string]string) *Upstream {
	if len(f) == 0 {
		return nil
	}
	seconds, _ := strconv.ParseInt(f["expires_at"], 10, 64)
	return &Upstream{Rev: f["rev"], Access: []byte(f["access"]), Refresh: []byte(f["refresh"]), ExpiresAt: time.Unix(seconds, 0)}
}

// Upstream returns a person's sealed tokens, or ErrNotFound.
func (s *Store) Upstream(ctx context.Context, accountID string) (*Upstream, error) {
	fields, err := s.redis.HGetAll(ctx, upstreamKey(accountID)).Result()
	if err != nil {
		return nil, fmt.Errorf("reading an Atlassian token: %w", err)
	}
	u := upstreamFrom(fields)
	if u == nil {
		return nil, ErrNotFound
	}
	return u, nil
}

// SaveUpstream stores a person's sealed tokens under a new revision.
func (s *Store) SaveUpstream(ctx context.Context, accountID string, u Upstream) error {
	err := s.redis.HSet(ctx, upstreamKey(accountID), map[string]any{
		"rev": seal.Random(9), "access": u.Access, "refresh": u.Refresh, "expires_at": u.ExpiresAt.Unix(),
	}).Err()
	if err != nil {
		return fmt.Errorf("saving an Atlassian token: %w", err)
	}
	return nil
}
