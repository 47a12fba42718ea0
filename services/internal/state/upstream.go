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

// SaveUpstream stores the sealed tokens of a person who signs in, under a new revision.
func (s *Store) SaveUpstream(ctx context.Context, accountID string, u Upstream) error {
	err := s.redis.HSet(ctx, upstreamKey(accountID), map[string]any{
		"rev": seal.Random(9), "access": u.Access, "refresh": u.Refresh, "expires_at": u.ExpiresAt.Unix(),
	}).Err()
	if err != nil {
		return fmt.Errorf("saving an Atlassian token: %w", err)
	}
	return nil
}

// RenewUpstream replaces the tokens of revision rev by those that Atlassian gave for them. It returns
// ErrNotFound where they are no longer there: the person was removed, or has signed in anew.
func (s *Store) RenewUpstream(ctx context.Context, accountID, rev string, u Upstream) error {
	reply, err := s.call(ctx, "sallyport_renew_upstream", []string{upstreamKey(accountID)},
		rev, seal.Random(9), u.Access, u.Refresh, u.ExpiresAt.Unix())
	if err != nil {
		return err
	}
	if reply[0] == "ended" {
		return ErrNotFound
	}
	return nil
}
