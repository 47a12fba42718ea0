package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/state"
)

// revokeTimeout bounds revoking a person's tokens at Atlassian with all attempts, for somebody waits.
const revokeTimeout = 10 * time.Second

// RevokeTokens implements identityv1.ConnectionServiceServer.
func (s *server) RevokeTokens(ctx context.Context, r *identityv1.RevokeTokensRequest) (*identityv1.RevokeTokensResponse, error) {
	if r.GetAccountId() == "" {
		return nil, status.Error(codes.InvalidArgument, "account_id is missing")
	}
	ended := state.Ended{AccountID: r.GetAccountId(), Upstream: &state.Upstream{Access: r.GetSealedAccess(), Refresh: r.GetSealedRefresh()}}
	err := s.revokeEnded(ctx, ended)
	if err != nil {
		return &identityv1.RevokeTokensResponse{Detail: revocationAdvice(err)}, nil
	}
	return &identityv1.RevokeTokensResponse{Confirmed: true}, nil
}

// revocationAdvice is what an admin is told of tokens that weren't revoked.
func revocationAdvice(err error) string {
	return fmt.Sprintf("Sallyport has forgotten the person's Atlassian tokens, but Atlassian didn't confirm that they are revoked (%v). "+
		"To be sure, have the person remove Sallyport under Connected apps of their Atlassian account.", err)
}

// endGrant ends a grant, and revokes at Atlassian what has ended with it. That a grant is gone
// already is no error. What isn't certain to stay so (state.ErrNotOnDisk) has ended, too.
func (s *server) endGrant(ctx context.Context, id string) error {
	ended, err := s.store.EndGrant(ctx, id)
	if errors.Is(err, state.ErrNotFound) {
		return nil
	}
	if err != nil && !errors.Is(err, state.ErrNotOnDisk) {
		return err
	}
	_ = s.revokeEnded(ctx, ended)
	return err
}

// revokeReplayed revokes what has ended because a code or a refresh token was used twice.
func (s *server) revokeReplayed(ctx context.Context, err error) {
	if replayed, ok := errors.AsType[*state.ReplayedError](err); ok {
		_ = s.revokeEnded(ctx, replayed.Ended)
	}
	if errors.Is(err, state.ErrNotOnDisk) {
		s.log.Warn("a grant has ended, and would be back if Redis were killed now", "error", err)
	}
}

// revokeEnded revokes a person's tokens at Atlassian, if any have ended, and logs what came of it. The
// tokens are gone from Redis, so it goes on when the caller has left.
func (s *server) revokeEnded(ctx context.Context, ended state.Ended) error {
	if ended.Upstream == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	tokens, err := s.opened(ended.AccountID, ended.Upstream)
	if err == nil {
		err = s.revokeTokens(ctx, tokens)
	}
	if err != nil {
		s.metrics.revocations.WithLabelValues("failed").Inc()
		s.log.Warn("Atlassian didn't confirm that a person's tokens are revoked", "account_id", ended.AccountID, "error", err)
		return err
	}
	s.metrics.revocations.WithLabelValues("confirmed").Inc()
	s.log.Info("tokens revoked at Atlassian", "account_id", ended.AccountID)
	return nil
}

func (s *server) opened(account string, sealed *state.Upstream) (atlassian.Tokens, error) {
	refresh, err := s.box.Open(sealed.Refresh, state.RefreshUse(account))
	if err != nil {
		return atlassian.Tokens{}, err
	}
	access, err := s.box.Open(sealed.Access, state.AccessUse(account))
	return atlassian.Tokens{Access: access, Refresh: refresh}, err
}

// revokeTokens revokes the refresh token, which should take the access token along (RFC 7009 section 2.1),
// and then that one too, since servers may do otherwise; it would live for an hour at most.
func (s *server) revokeTokens(ctx context.Context, tokens atlassian.Tokens) error {
	issuer, err := s.atlassian.Issuer(ctx)
	if err != nil {
		return err
	}
	client, err := s.store.UpstreamClient(ctx, issuer, s.callback)
	if err != nil {
		return fmt.Errorf("Sallyport's registration at Atlassian: %w", err)
	}
	err = s.atlassian.Revoke(ctx, client, tokens.Refresh, atlassian.RefreshToken)
	if err != nil {
		return err
	}
	err = s.atlassian.Revoke(ctx, client, tokens.Access, atlassian.AccessToken)
	if atlassian.IsUnsupportedToken(err) {
		return nil
	}
	return err
}
