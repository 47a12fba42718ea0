package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// AccessLife is how long an access token works.
	AccessLife = time.Hour
	// RefreshLife is how long a refresh token works, and with it its grant, unless it is used.
	RefreshLife = 30 * 24 * time.Hour
	// adminRefreshLife is the same for the admin API, whose tokens can change what everybody may do.
	adminRefreshLife = 7 * 24 * time.Hour
	// refreshGrace is how long a refresh token that was just used may be used once more: the answer
	// may have been lost on its way, or two windows of one assistant may have asked at once.
	refreshGrace = 30 * time.Second
)

// Pair is an access token and the refresh token that replaces it, as hashes. A refresh token has
// two parts: the family, which stays the same for the grant, and the secret, which is another one
// each time. Who shows a known family with a wrong secret has an old token.
type Pair struct {
	Access  string
	Family  string
	Refresh string
}

// refreshLife is how long a refresh token of the grant works unless it is used.
func (g Grant) refreshLife() time.Duration {
	if g.IsAdmin() {
		return adminRefreshLife
	}
	return RefreshLife
}

// withUpstream adds the key of the person's Atlassian token, which lives as long as the person's grants for
// the MCP endpoint do, to the keys of a function that makes or prolongs the grant.
func (g Grant) withUpstream(keys ...string) []string {
	if g.IsAdmin() {
		return keys
	}
	return append(keys, upstreamKey(g.AccountID))
}

// Issue makes the first pair of a grant valid and prolongs the grant, or returns ErrNotFound where it
// has ended.
func (s *Store) Issue(ctx context.Context, g Grant, p Pair) error {
	keys := g.withUpstream(grantKey(g.ID), sessionKey(p.Access), refreshKey(p.Family), grantsKey(g.AccountID))
	reply, err := s.call(ctx, "sallyport_issue", keys, g.ID, p.Refresh, int(AccessLife.Seconds()), int(g.refreshLife().Seconds()))
	if err != nil {
		return err
	}
	if reply[0] == "ended" {
		return ErrNotFound
	}
	return nil
}

// IssueSession makes an access token, given as its hash, of a grant valid for life, after which the grant
// ends: there is no refresh token. It returns ErrNotFound where the grant has ended.
func (s *Store) IssueSession(ctx context.Context, g Grant, access string, life time.Duration) error {
	reply, err := s.call(ctx, "sallyport_issue_session", []string{grantKey(g.ID), sessionKey(access), grantsKey(g.AccountID)},
		g.ID, int(life.Seconds()))
	if err != nil {
		return err
	}
	if reply[0] == "ended" {
		return ErrNotFound
	}
	return nil
}

// FamilyGrant returns the grant that a family of refresh tokens belongs to, or ErrNotFound.
func (s *Store) FamilyGrant(ctx context.Context, family string) (Grant, error) {
	id, err := s.redis.HGet(ctx, refreshKey(family), "grant").Result()
	if errors.Is(err, redis.Nil) {
		return Grant{}, ErrNotFound
	}
	if err != nil {
		return Grant{}, fmt.Errorf("reading a refresh token: %w", err)
	}
	return s.Grant(ctx, id)
}

// Rotate replaces the refresh token whose secret hashes to used by the pair next of the same
// family, and prolongs the grant. A token that was used before ends the grant and gives ErrReplayed, with
// ErrNotOnDisk where that holds, except once within refreshGrace; ErrNotFound where the grant has ended.
func (s *Store) Rotate(ctx context.Context, g Grant, used string, next Pair) error {
	keys := append([]string{refreshKey(next.Family), sessionKey(next.Access)}, grantKeys(g.ID, g.AccountID)...)
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	reply, err := s.callOn(ctx, conn, "sallyport_rotate", keys, g.ID, used, next.Refresh,
		int(refreshGrace.Seconds()), int(AccessLife.Seconds()), int(g.refreshLife().Seconds()), g.AccountID, grantKey(""))
	if err != nil {
		return err
	}
	switch reply[0] {
	case "rotated":
		return nil
	case "replayed":
		ended, err := endedGrant(g.AccountID, reply[1])
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return errors.Join(&ReplayedError{ended}, s.kept(ctx, conn))
	}
	return ErrNotFound
}

// EndSession ends one access token. ErrNotOnDisk.
func (s *Store) EndSession(ctx context.Context, tokenHash string) error {
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	err = conn.Del(ctx, sessionKey(tokenHash)).Err()
	if err == nil {
		err = s.kept(ctx, conn)
	}
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}
