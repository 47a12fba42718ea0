package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

var (
	// ErrRevoked means that the session has ended: the assistant must sign in again.
	ErrRevoked = errors.New("the session has ended")
	// ErrStreamFull means that the activity stream is at its limit, because Elasticsearch has been
	// away for long; nothing may be allowed that can't be written down.
	ErrStreamFull = errors.New("the activity stream is full")
)

// Basis is what a decision rests on. The zero revisions stand for nothing known.
type Basis struct {
	TokenHash   string
	Grant       Grant
	Policy      Policy
	Groups      Groups
	UpstreamRev string
	// Resource is what the token has to be for.
	Resource string
	// Bound are the MCP sessions and tasks that the request is about, as SessionHash and TaskHash name
	// them: each must be the grant's holder's, whose it becomes where it is nobody's yet.
	Bound []string
	// Claim is what the assistant says it is, where that is something else than the grant has.
	Claim Claim
}

// Claim is what an assistant says it is (MCP's clientInfo), and whether that disagrees with what it
// registered as. Rev is the grant's next revision. The zero Claim is none.
type Claim struct {
	Info     string
	Mismatch bool
	Rev      string
}

// ForeignError means that a session or task of MCP is another person's, or of another client of the
// person.
type ForeignError struct {
	// Place is where it is in Basis.Bound, counted from 0.
	Place int
}

func (e *ForeignError) Error() string { return "the MCP session or task belongs to somebody else" }

// Entry is one decision to write down.
type Entry struct {
	// ID is the record's id: redelivery under the same id changes nothing.
	ID string
	// Index is the Elasticsearch index that the record belongs to.
	Index string
	// Document is the decision's half of the record, as JSON.
	Document []byte
}

// Verdict is what came of an attempt to write decisions down.
type Verdict struct {
	// Written says that they are in the stream. If false, the Basis was stale; Fresh is what holds
	// now, and the caller decides again.
	Written bool
	Fresh   Basis
	// Upstream is the person's Atlassian token, nil where the caller already has it.
	Upstream *Upstream
}

// Decide writes decisions into the activity stream if, and only if, the session is live and the
// policy and groups in force are the ones they were made with: one round trip, all or nothing
// (design section 4.4). limit is the greatest length of the stream. It returns ErrRevoked or
// ErrStreamFull where that is the reason, or a *ForeignError.
func (s *Store) Decide(ctx context.Context, basis Basis, limit int64, entries []Entry) (Verdict, error) {
	account := basis.Grant.AccountID
	args := make([]any, 0, 12+4*len(entries))
	args = append(args, basis.Grant.ID, basis.Grant.Rev, basis.Policy.Revision(), basis.Groups.revision(), basis.UpstreamRev, limit, basis.Resource,
		basis.Grant.Holder(), int(boundLife.Seconds()), basis.Claim.Info, basis.Claim.mismatch(), basis.Claim.Rev)
	for _, e := range entries {
		args = append(args, decisionHalf, e.ID, e.Index, e.Document)
	}
	keys := []string{
		sessionKey(basis.TokenHash), grantKey(basis.Grant.ID), policyKey, groupsKey(account), upstreamKey(account), streamKey, processKey,
	}
	for _, hash := range basis.Bound {
		keys = append(keys, boundKey(hash))
	}
	reply, err := s.call(ctx, "sallyport_decide", keys, args...)
	if err != nil {
		return Verdict{}, err
	}
	switch reply[0] {
	case "written":
		s.remember(decisionHalf, entries, reply[2], reply[3])
		return Verdict{Written: true, Upstream: upstreamFrom(pairs(reply[1]))}, nil
	case "stale":
		return Verdict{Fresh: basis.refreshed(reply), Upstream: upstreamFrom(pairs(reply[1]))}, nil
	case "foreign":
		place, err := strconv.Atoi(fmt.Sprint(reply[1]))
		if err != nil {
			return Verdict{}, fmt.Errorf("Redis function sallyport_decide: %w", err)
		}
		return Verdict{}, &ForeignError{Place: place - 1}
	case "revoked":
		return Verdict{}, ErrRevoked
	case "full":
		return Verdict{}, ErrStreamFull
	}
	return Verdict{}, fmt.Errorf("Redis function sallyport_decide answered %v", reply[0])
}

// refreshed is the basis with what a "stale" answer says is new.
func (b Basis) refreshed(reply []any) Basis {
	grant := pairs(reply[2])
	if len(grant) > 0 {
		b.Grant = grantFrom(grant)
	}
	policy := pairs(reply[3])
	if len(policy) > 0 || reply[5] == (Policy{}).Revision() {
		b.Policy = policyFrom(policy)
	}
	groups := pairs(reply[4])
	if len(groups) > 0 || reply[6] == "0" {
		b.Groups = groupsFrom(groups)
	}
	return b
}
