package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Ended is what came of ending grants.
type Ended struct {
	// AccountID is whose they were.
	AccountID string
	// Grants is how many have ended.
	Grants int64
	// Upstream is the person's Atlassian token, which was forgotten with the last of them: whoever ended
	// them has it revoked at Atlassian. It is nil where the person has other grants, or had no token.
	Upstream *Upstream
}

// grantKeys are the keys of sallyport_end_grant.
func grantKeys(id, account string) []string {
	return []string{grantKey(id), grantsKey(account), upstreamKey(account), groupsKey(account), groupsDueKey, groupsWatchedKey, connectionsKey}
}

// EndGrant ends one grant in one step with regard to Decide: once it has returned, its access and
// refresh tokens are worth nothing. With a person's last grant their Atlassian tokens and groups are
// forgotten. It returns ErrNotFound where there is no such grant, or no longer. ErrNotOnDisk comes with what
// has ended.
func (s *Store) EndGrant(ctx context.Context, id string) (Ended, error) {
	account, err := s.redis.HGet(ctx, grantKey(id), "account_id").Result()
	if errors.Is(err, redis.Nil) {
		return Ended{}, ErrNotFound
	}
	if err != nil {
		return Ended{}, fmt.Errorf("ending a grant: %w", err)
	}
	reply, err := s.change(ctx, "sallyport_end_grant", grantKeys(id, account), id, account, grantKey(""))
	if reply == nil {
		return Ended{}, err
	}
	ended, gone := endedGrant(account, reply)
	return ended, cmp.Or(gone, err)
}

// endedGrant reads an answer of sallyport_end_grant.
func endedGrant(account string, answer any) (Ended, error) {
	reply, _ := answer.([]any)
	if len(reply) < 2 {
		return Ended{}, ErrNotFound
	}
	return Ended{AccountID: account, Grants: 1, Upstream: upstreamFrom(pairs(reply[1]))}, nil
}

// EndPerson ends all grants of a person, and forgets their Atlassian tokens and groups, in one step
// with regard to Decide: once it has returned, no call with any of their tokens is let through by any
// replica. What is under way for the person at the same moment, such as a sign-in or a refresh, comes
// to nothing unless it stores their tokens afterwards. It returns ErrNotFound where there is nothing
// of the person. ErrNotOnDisk comes with what has ended.
func (s *Store) EndPerson(ctx context.Context, accountID string) (Ended, error) {
	return s.endPerson(ctx, accountID, "0")
}

// ForgetPerson is EndPerson, and in the same step forgets what the person has consented to and the
// e-mail addresses by which they can be named.
func (s *Store) ForgetPerson(ctx context.Context, accountID string) (Ended, error) {
	return s.endPerson(ctx, accountID, "1")
}

func (s *Store) endPerson(ctx context.Context, account, altogether string) (Ended, error) {
	reply, err := s.change(ctx, "sallyport_end_person", []string{
		grantsKey(account), upstreamKey(account), groupsKey(account), groupsDueKey, groupsWatchedKey, connectionsKey,
		consentKey(account), emailsKey(account),
	}, account, grantKey(""), altogether)
	if reply == nil {
		return Ended{}, err
	}
	if reply[0] == "nobody" {
		return Ended{}, ErrNotFound
	}
	grants, _ := reply[1].(int64)
	return Ended{AccountID: account, Grants: grants, Upstream: upstreamFrom(pairs(reply[2]))}, err
}
