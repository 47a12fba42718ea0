package state

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/services/internal/seal"
)

const (
	// ungrantedLife is how long a person's tokens are kept that no grant follows: what a sign-in that fails
	// in between leaves behind.
	ungrantedLife = 2 * time.Minute
	// upstreamScan is how many keys Redis looks at in one step.
	upstreamScan = 1000
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

// SaveUpstream stores the sealed tokens of a person who signs in, under a revision of its own. They go soon, unless
// CreateGrant follows or the person has other grants.
func (s *Store) SaveUpstream(ctx context.Context, accountID string, u Upstream) error {
	_, err := s.call(ctx, "sallyport_save_upstream", []string{upstreamKey(accountID)},
		seal.Random(9), u.Access, u.Refresh, u.ExpiresAt.Unix(), int(ungrantedLife.Seconds()))
	return err
}

// RenewUpstream replaces the tokens of revision rev by those that Atlassian gave for them, under the revision that
// they have. It may be called again where its answer was lost. It returns ErrNotFound where the former are no
// longer there: the person was removed, or has signed in anew.
func (s *Store) RenewUpstream(ctx context.Context, accountID, rev string, u Upstream) error {
	reply, err := s.call(ctx, "sallyport_renew_upstream", []string{upstreamKey(accountID)},
		rev, u.Rev, u.Access, u.Refresh, u.ExpiresAt.Unix())
	if err != nil {
		return err
	}
	if reply[0] == "ended" {
		return ErrNotFound
	}
	return nil
}

// ResealUpstream replaces what a person's tokens are sealed as by the same tokens, sealed anew, and says
// whether it did: it doesn't where former is no longer what is stored.
func (s *Store) ResealUpstream(ctx context.Context, accountID string, former *Upstream, access, refresh []byte) (bool, error) {
	reply, err := s.call(ctx, "sallyport_reseal_upstream", []string{upstreamKey(accountID)},
		former.Access, former.Refresh, access, refresh)
	if err != nil {
		return false, err
	}
	return reply[0] == "resealed", nil
}

// PeopleWithUpstream calls with for the account id of each person whose tokens are stored, until one returns an
// error. Somebody may come twice; who signs in meanwhile may not come.
func (s *Store) PeopleWithUpstream(ctx context.Context, with func(accountID string) error) error {
	node, err := s.node(ctx)
	if err != nil {
		return fmt.Errorf("finding Redis: %w", err)
	}
	begins := upstreamKey("")
	for cursor := uint64(0); ; {
		keys, next, err := node.Scan(ctx, cursor, begins+"*", upstreamScan).Result()
		if err != nil {
			return fmt.Errorf("listing whose Atlassian tokens there are: %w", err)
		}
		for _, key := range keys {
			err = with(strings.TrimPrefix(key, begins))
			if err != nil {
				return err
			}
		}
		if next == 0 {
			return nil
		}
		cursor = next
	}
}
