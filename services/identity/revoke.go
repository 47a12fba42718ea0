package identity

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"sallyport/services/internal/state"
)

// revoke ends a token that an assistant no longer wants (RFC 7009). A refresh token ends its whole
// grant, and the person's last grant their tokens at Atlassian. A token that is unknown, or another client's, is answered like one that was ended.
func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	form, registration, err := s.clientForm(w, r)
	if err == nil {
		err = s.endToken(r.Context(), registration, form.Get("token"))
	}
	if err != nil {
		s.answerRefusal(w, r, "revocation", registration.Key, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

func (s *server) endToken(ctx context.Context, registration state.Registration, token string) error {
	family, _, isRefresh := strings.Cut(token, ".")
	hash := state.TokenHash(token)
	find := func() (state.Grant, error) { return s.store.SessionGrant(ctx, hash, s.resourceOf(registration.ID)) }
	if isRefresh {
		find = func() (state.Grant, error) { return s.store.FamilyGrant(ctx, state.TokenHash(family)) }
	}
	granted, err := find()
	if errors.Is(err, state.ErrNotFound) || err == nil && granted.ClientID != registration.ID {
		return nil
	}
	if err != nil {
		return err
	}
	s.log.Info("token revoked by its client", "grant", granted.ID, "account_id", granted.AccountID, "client", granted.ClientKey, "whole_grant", isRefresh)
	if isRefresh && granted.IsAdmin() {
		return s.endAdmin(ctx, granted)
	}
	if isRefresh {
		// The person has disconnected the assistant: they are asked again before it is connected again.
		return errors.Join(s.store.WithdrawConsent(ctx, granted.AccountID, granted.ClientID), s.endGrant(ctx, granted.ID))
	}
	return s.store.EndSession(ctx, hash)
}
