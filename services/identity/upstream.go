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
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

const (
	// refreshAhead is how long before its end a token is replaced.
	refreshAhead = 5 * time.Minute
	// refreshTimeout bounds a refresh from waiting for the lock to storing the token.
	refreshTimeout = 30 * time.Second
	// storePause is how long after an attempt to store a refreshed token the next one follows.
	storePause = 250 * time.Millisecond
)

// errEnded means that Atlassian no longer takes the person's refresh token.
var errEnded = errors.New("the person has to sign in to Atlassian again")

func refreshLock(accountID string) string { return "upstream:" + accountID }

// RefreshToken implements identityv1.UpstreamServiceServer.
func (s *server) RefreshToken(ctx context.Context, r *identityv1.RefreshTokenRequest) (*identityv1.RefreshTokenResponse, error) {
	account := r.GetAccountId()
	if account == "" {
		return nil, status.Error(codes.InvalidArgument, "account_id is missing")
	}
	// The refresh outlives the caller that began it: others wait for it too, and a token that
	// Atlassian has given out must be stored.
	done := s.refreshes.DoChan(account, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
		defer cancel()
		return nil, s.refreshUpstream(ctx, account)
	})
	select {
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	case result := <-done:
		return &identityv1.RefreshTokenResponse{}, refreshStatus(result.Err)
	}
}

func refreshStatus(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errEnded), errors.Is(err, state.ErrNotFound):
		return status.Error(codes.FailedPrecondition, errEnded.Error())
	}
	return status.Error(codes.Unavailable, err.Error())
}

// refreshUpstream renews a person's token unless it is fresh, or was renewed by another replica
// while this one waited.
func (s *server) refreshUpstream(ctx context.Context, account string) error {
	result := "failed"
	defer func() { s.metrics.refreshes.WithLabelValues(result).Inc() }()
	known, err := s.store.Upstream(ctx, account)
	if err != nil {
		return err
	}
	if isFresh(known) {
		result = "fresh"
		return nil
	}
	unlock, err := s.store.Lock(ctx, refreshLock(account), refreshTimeout)
	if err != nil {
		return err
	}
	defer unlock()
	known, err = s.store.Upstream(ctx, account)
	if err != nil {
		return err
	}
	if isFresh(known) {
		result = "fresh"
		return nil
	}
	err = s.renew(ctx, account, known)
	switch {
	case err == nil:
		result = "refreshed"
	case errors.Is(err, errEnded):
		result = "ended"
		s.log.Warn("grants revoked", "account_id", account, "reason", err)
		// Atlassian takes the refresh token no longer: there is nothing to revoke.
		_, endErr := s.store.EndPerson(ctx, account)
		if errors.Is(endErr, state.ErrNotFound) { // An admin was faster.
			endErr = nil
		}
		return errors.Join(err, endErr)
	case errors.Is(err, state.ErrNotFound):
		result = "ended"
		s.log.Warn("a refreshed Atlassian token was thrown away", "account_id", account, "reason", "the person was removed meanwhile")
	default:
		s.log.Error("refreshing an Atlassian token failed", "account_id", account, "error", err)
	}
	return err
}

func isFresh(u *state.Upstream) bool { return time.Until(u.ExpiresAt) > refreshAhead }

func (s *server) renew(ctx context.Context, account string, known *state.Upstream) error {
	refresh, err := s.box.Open(known.Refresh, state.RefreshUse(account))
	if errors.Is(err, seal.ErrNoKey) {
		// That is a mistake with the file, which can be made good: nobody is signed out for it.
		return fmt.Errorf("a refresh token: %w", err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errEnded, err)
	}
	client, err := s.upstreamClient(ctx)
	if err != nil {
		return err
	}
	tokens, err := s.atlassian.Refresh(ctx, client, refresh)
	var refusal *atlassian.Refusal
	switch {
	case atlassian.IsLostClient(err):
		s.forgetClient(ctx)
		return fmt.Errorf("%w: %w", errEnded, err)
	case errors.As(err, &refusal) && refusal.Code == "invalid_grant":
		return fmt.Errorf("%w: %w", errEnded, err)
	case err != nil:
		return err
	}
	err = s.storeRenewed(ctx, account, known.Rev, s.sealed(account, tokens))
	switch {
	case err == nil:
		s.learnTools(account, tokens.Access)
	case errors.Is(err, state.ErrNotFound):
		// Whoever removed the person knew the former tokens only.
		revokeErr := s.revokeTokens(ctx, tokens)
		if revokeErr != nil {
			s.log.Warn("Atlassian didn't confirm that a person's tokens are revoked", "account_id", account, "error", revokeErr)
		}
	}
	return err
}

// storeRenewed stores what Atlassian gave for the tokens of revision rev, and goes on trying until ctx ends:
// Atlassian takes the former refresh token no longer, so a token that isn't stored signs the person out.
func (s *server) storeRenewed(ctx context.Context, account, rev string, renewed state.Upstream) error {
	for said := false; ; said = true {
		err := s.store.RenewUpstream(ctx, account, rev, renewed)
		if err == nil || errors.Is(err, state.ErrNotFound) {
			return err
		}
		if !said {
			s.log.Warn("a refreshed Atlassian token can't be stored yet", "account_id", account, "error", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(storePause):
		}
	}
}

func (s *server) sealed(account string, tokens atlassian.Tokens) state.Upstream {
	return state.Upstream{
		Rev:       seal.Random(9),
		Access:    s.box.Seal(tokens.Access, state.AccessUse(account)),
		Refresh:   s.box.Seal(tokens.Refresh, state.RefreshUse(account)),
		ExpiresAt: tokens.ExpiresAt,
	}
}

// upstreamClient returns Sallyport's client id at Atlassian, and registers the first time. One
// registration serves all replicas for good, since refresh tokens are bound to it.
func (s *server) upstreamClient(ctx context.Context) (string, error) {
	issuer, err := s.atlassian.Issuer(ctx)
	if err != nil {
		return "", err
	}
	id, err := s.store.UpstreamClient(ctx, issuer, s.callback)
	if !errors.Is(err, state.ErrNotFound) {
		return id, err
	}
	unlock, err := s.store.Lock(ctx, "upstream-client", refreshTimeout)
	if err != nil {
		return "", err
	}
	defer unlock()
	id, err = s.store.UpstreamClient(ctx, issuer, s.callback)
	if !errors.Is(err, state.ErrNotFound) {
		return id, err
	}
	id, err = s.atlassian.Register(ctx)
	s.observeRegistration(ctx, err)
	if err != nil {
		return "", err
	}
	s.log.Info("registered at Atlassian", "issuer", issuer, "callback", s.callback)
	return id, s.store.SaveUpstreamClient(ctx, issuer, s.callback, id)
}

// signInClient is upstreamClient for a sign-in, which registers again where Atlassian has forgotten.
func (s *server) signInClient(ctx context.Context) (string, error) {
	id, err := s.upstreamClient(ctx)
	if err != nil || s.atlassian.Knows(ctx, id) {
		return id, err
	}
	s.forgetClient(ctx)
	return s.upstreamClient(ctx)
}

// forgetClient forgets Sallyport's registration, since Atlassian has, so that the next sign-in makes
// a new one.
func (s *server) forgetClient(ctx context.Context) {
	issuer, err := s.atlassian.Issuer(ctx)
	if err == nil {
		err = s.store.ForgetUpstreamClient(ctx, issuer, s.callback)
	}
	if err != nil {
		s.log.Error("forgetting the registration at Atlassian", "error", err)
		return
	}
	s.log.Warn("Atlassian no longer knows Sallyport's registration; the next sign-in registers again")
}
