package authz

import (
	"context"
	"errors"
	"net/http"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

const (
	// attempts bounds how often one request is decided again because the policy, the groups or the
	// session changed meanwhile. One is usual after a save; several would be a save each.
	attempts = 5
	// refreshBefore is how long before its end an Atlassian token is renewed.
	refreshBefore = time.Minute
)

// Check decides one request. It never returns an error: Envoy would answer then without a reason.
func (s *Server) Check(ctx context.Context, check *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	q := s.question(readRequest(ctx, check))
	if q.tokenHash == "" {
		return s.withoutSession(q, false), nil
	}
	response, err := s.decide(ctx, q)
	switch {
	case err == nil:
		return response, nil
	case errors.Is(err, state.ErrNotFound), errors.Is(err, state.ErrRevoked):
		s.sessions.Remove(q.tokenHash)
		return s.withoutSession(q, true), nil
	}
	s.refusals.note("requests are refused: nothing is sent to Atlassian", "request", q.id, "error", err)
	why, reason := "undecided", "Sallyport can't write its decision down right now, so it sent nothing to Atlassian. Try again in a moment. If it goes on, tell "+s.cfg.Contact+"."
	if errors.Is(err, state.ErrStreamFull) {
		why, reason = "stream_full", "Sallyport's record is full because Elasticsearch has been away for long, so it sent nothing to Atlassian. Tell "+s.cfg.Contact+"."
	}
	s.metrics.refused(why)
	return answer(http.StatusServiceUnavailable, rpcError(q.firstID(), codeInternal, reason), activity.Note{}), nil
}

// withoutSession answers a request that nobody can be found for, and that therefore has no record;
// expired says that it had a token. A page that may not ask isn't told where to sign in.
func (s *Server) withoutSession(q question, expired bool) *authv3.CheckResponse {
	if !s.fromAllowedOrigin(q.request) {
		s.metrics.requests.WithLabelValues("blocked").Inc()
		return answer(q.refusal.status, q.refusal.body(nil), activity.Note{})
	}
	s.metrics.requests.WithLabelValues("unauthenticated").Inc()
	return unauthenticated(s.cfg.PublicURL, expired)
}

// decide decides with what this replica remembers, and has it written down if that still holds;
// if not, it decides again with what Redis says holds now (design section 4.4).
func (s *Server) decide(ctx context.Context, q question) (*authv3.CheckResponse, error) {
	remembered, err := s.session(ctx, q.tokenHash)
	if err != nil {
		return nil, err
	}
	current := remembered
	for range attempts {
		rules := s.rules.current.Load()
		plan, err := q.plan(current, rules, s.cfg.Contact)
		if err != nil {
			return nil, err
		}
		basis := state.Basis{
			TokenHash: q.tokenHash, Grant: current.grant, Groups: current.groups,
			Policy: state.Policy{Version: rules.version, Mark: rules.mark}, UpstreamRev: current.upstream.rev,
			Resource: s.resource,
			Bound:    q.bound(), Claim: plan.claim,
		}
		verdict, err := s.ledger.Decide(ctx, basis, s.cfg.StreamLimit, plan.entries)
		if foreign, ok := errors.AsType[*state.ForeignError](err); ok {
			q.refusal = q.foreign(foreign)
			continue
		}
		if err != nil {
			return nil, err
		}
		if !verdict.Written {
			s.metrics.stale.Inc()
			if !rules.is(verdict.Fresh.Policy) {
				err = s.rules.renew(verdict.Fresh.Policy)
				if err != nil {
					return nil, err
				}
			}
			current = newSession(verdict.Fresh.Grant, verdict.Fresh.Groups, current.upstream)
		}
		if verdict.Upstream != nil {
			current, err = current.withUpstream(s.box, verdict.Upstream)
			if err != nil {
				return nil, err
			}
		}
		if verdict.Written {
			current = current.withClaim(plan.claim)
		}
		if current != remembered {
			// All calls wait for its lock while something is put in.
			s.sessions.Add(q.tokenHash, current)
		}
		if verdict.Written {
			tellTrace(ctx, q, plan)
			if !current.groups.Known {
				s.metrics.groupsUnknown.Inc()
			}
			return s.respond(ctx, q, plan, current)
		}
	}
	return nil, errors.New("the policy, the groups or the session changed with every attempt to decide")
}

// session returns what is known of an access token, or state.ErrNotFound.
func (s *Server) session(ctx context.Context, tokenHash string) (*session, error) {
	remembered, ok := s.sessions.Get(tokenHash)
	if ok {
		return remembered, nil
	}
	grant, err := s.ledger.SessionGrant(ctx, tokenHash, s.resource)
	if err != nil {
		return nil, err
	}
	// Without a revision Redis sends the person's groups and token with the first decision.
	grant.Rev = ""
	return newSession(grant, state.Groups{}, upstream{}), nil
}

// respond answers a request whose decision is written down.
func (s *Server) respond(ctx context.Context, q question, p plan, current *session) (*authv3.CheckResponse, error) {
	if p.note.Blocked {
		s.metrics.requests.WithLabelValues("blocked").Inc()
		return answer(p.status, p.body, p.note), nil
	}
	token, err := s.upstreamToken(ctx, current)
	if status.Code(err) == codes.FailedPrecondition {
		s.sessions.Remove(q.tokenHash)
		s.metrics.requests.WithLabelValues("unauthenticated").Inc()
		refused := unauthenticated(s.cfg.PublicURL, true)
		refused.DynamicMetadata = p.note.Struct()
		return refused, nil
	}
	if err != nil {
		s.tokens.note("requests are refused: a person's token at Atlassian can't be renewed", "request", q.id, "account_id", current.grant.AccountID, "error", err)
		s.metrics.refused("token")
		reason := "Sallyport could not renew your sign-in at Atlassian, so it sent nothing there. Try again in a moment."
		return answer(http.StatusServiceUnavailable, rpcError(q.firstID(), codeInternal, reason), p.note), nil
	}
	s.metrics.requests.WithLabelValues("allowed").Inc()
	return allow(token, q.withheld(), p.note), nil
}

// upstreamToken returns the person's Atlassian token, renewed by identity where it is about to end.
func (s *Server) upstreamToken(ctx context.Context, current *session) (string, error) {
	if time.Until(current.upstream.expiresAt) > refreshBefore {
		return current.upstream.token, nil
	}
	account := current.grant.AccountID
	_, err := s.identity.RefreshToken(ctx, &identityv1.RefreshTokenRequest{AccountId: account})
	if err != nil {
		// A token that still lives for a few seconds is better than none.
		if status.Code(err) != codes.FailedPrecondition && time.Until(current.upstream.expiresAt) > 0 {
			return current.upstream.token, nil
		}
		return "", err
	}
	fresh, err := s.ledger.Upstream(ctx, account)
	if err != nil {
		return "", err
	}
	renewed, err := current.withUpstream(s.box, fresh)
	if err != nil {
		return "", err
	}
	return renewed.upstream.token, nil
}
