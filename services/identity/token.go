package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// tokenAnswer is the answer with tokens (RFC 6749 section 5.1).
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitzero"`
	Scope        string `json:"scope"`
}

// errRefused carries an answer to a client through error returns.
type errRefused struct{ oauthError }

func (e errRefused) Error() string { return e.Code + ": " + e.Description }

func refuse(code, description string) error { return errRefused{oauthError{code, description}} }

// token issues tokens (RFC 6749 sections 4.1.3 and 6).
func (s *server) token(w http.ResponseWriter, r *http.Request) {
	form, registration, err := s.clientForm(w, r)
	grantType := form.Get("grant_type")
	var answer tokenAnswer
	if err == nil {
		switch grantType {
		case "authorization_code":
			answer, err = s.exchangeCode(r.Context(), registration, form)
		case "refresh_token":
			answer, err = s.refreshGrant(r.Context(), registration, form)
		default:
			grantType, err = "other", refuse("unsupported_grant_type", "The grant_type must be authorization_code or refresh_token.")
		}
	} else {
		grantType = "other"
	}
	s.metrics.tokens.WithLabelValues(grantType, tokenResult(err)).Inc()
	if err != nil {
		s.answerRefusal(w, r, "token request", registration.Key, err)
		return
	}
	s.keepRegistration(r.Context(), registration)
	answerJSON(w, http.StatusOK, answer)
}

// keepRegistration notes that a registration is in use. The tokens are given out already, so an error
// is only logged; the next use notes it too.
func (s *server) keepRegistration(ctx context.Context, registration state.Registration) {
	err := s.store.UsedRegistration(ctx, registration.ID)
	if err != nil {
		s.log.Error("a registration in use may be forgotten", "client_id", registration.ID, "error", err)
	}
}

func tokenResult(err error) string {
	switch {
	case err == nil:
		return "issued"
	case errors.Is(err, state.ErrReplayed):
		return "replayed"
	case errors.As(err, &errRefused{}):
		return "refused"
	}
	return "failed"
}

// answerRefusal answers a client's call that came to an error, and logs it.
func (s *server) answerRefusal(w http.ResponseWriter, r *http.Request, what, client string, err error) {
	var refused errRefused
	if !errors.As(err, &refused) {
		s.failed(w, r, what, err)
		return
	}
	s.log.Info(what+" refused", "client", client, "error", refused.Code, "reason", refused.Description)
	answerError(w, r, refused.oauthError)
}

// clientForm reads the form of a client's call and finds the client. It is public: it gives its id,
// and proves by PKCE and by its tokens that it is the one that asked.
func (s *server) clientForm(w http.ResponseWriter, r *http.Request) (url.Values, state.Registration, error) {
	var none state.Registration
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	err := r.ParseForm()
	if err != nil {
		return nil, none, refuse("invalid_request", "The body must be a form of 32 KiB at most.")
	}
	for name := range r.PostForm {
		_, repeated := single(r.PostForm, name)
		if repeated != nil {
			return nil, none, errRefused{*repeated}
		}
	}
	registration, err := s.tokenClient(r.Context(), r.PostForm.Get("client_id"))
	if errors.Is(err, state.ErrNotFound) {
		return nil, none, refuse("invalid_client", "This client_id isn't registered here. Register again.")
	}
	if err != nil {
		return nil, none, err
	}
	if refusal := checkResource(r.PostForm, s.resourceOf(registration.ID)); refusal != nil {
		return nil, registration, errRefused{*refusal}
	}
	return r.PostForm, registration, nil
}

// exchangeCode exchanges a code, which is used up by trying.
func (s *server) exchangeCode(ctx context.Context, registration state.Registration, form url.Values) (tokenAnswer, error) {
	code, err := s.store.RedeemCode(ctx, state.TokenHash(form.Get("code")))
	switch {
	case errors.Is(err, state.ErrNotFound):
		return tokenAnswer{}, refuse("invalid_grant", "This code is unknown or older than a minute.")
	case errors.Is(err, state.ErrReplayed):
		s.log.Warn("grant revoked", "grant", code.GrantID, "reason", "its code was used twice")
		s.revokeReplayed(ctx, err)
		return tokenAnswer{}, errors.Join(err, refuse("invalid_grant", "This code was used before. Sign in again."))
	case err != nil:
		return tokenAnswer{}, err
	}
	problem := ""
	redirect, given := form.Get("redirect_uri"), form.Has("redirect_uri")
	switch {
	case code.ClientID != registration.ID:
		problem = "This code was given to another client."
	case given && redirect != code.RedirectURI:
		// OAuth 2.1 no longer sends it: PKCE binds the code.
		problem = "The redirect_uri isn't the one that the code was sent to."
	case code.Resource != s.resourceOf(registration.ID):
		problem = "The code is for another resource."
	case !verifies(form.Get("code_verifier"), code.Challenge):
		problem = "The code_verifier doesn't fit the code_challenge."
	}
	if problem != "" {
		s.log.Warn("grant revoked", "grant", code.GrantID, "reason", problem)
		return tokenAnswer{}, errors.Join(refuse("invalid_grant", problem), s.endGrant(ctx, code.GrantID))
	}
	over := refuse("invalid_grant", "The sign-in has ended.")
	granted, err := s.store.Grant(ctx, code.GrantID)
	if errors.Is(err, state.ErrNotFound) {
		return tokenAnswer{}, over
	}
	if err != nil {
		return tokenAnswer{}, err
	}
	_, err = s.watchGroups(ctx, granted.AccountID, accessLife(registration.ID))
	if err != nil {
		return tokenAnswer{}, err
	}
	answer, err := s.issue(ctx, granted)
	if errors.Is(err, state.ErrNotFound) {
		return tokenAnswer{}, over
	}
	return answer, err
}

// issue gives out the first tokens of a grant. The console gets an access token only.
func (s *server) issue(ctx context.Context, granted state.Grant) (tokenAnswer, error) {
	answer, pair := newTokens(granted.ClientID, seal.Random(32))
	if granted.ClientID != consoleClient {
		return answer, s.store.Issue(ctx, granted, pair)
	}
	answer.RefreshToken = ""
	return answer, s.store.IssueSession(ctx, granted, pair.Access, consoleLife)
}

// verifies checks a PKCE verifier (RFC 7636 section 4.6).
func verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// refreshGrant exchanges a refresh token for the next pair.
func (s *server) refreshGrant(ctx context.Context, registration state.Registration, form url.Values) (tokenAnswer, error) {
	over := refuse("invalid_grant", "The refresh token is unknown or has ended. Sign in again.")
	family, secret, _ := strings.Cut(form.Get("refresh_token"), ".")
	granted, err := s.store.FamilyGrant(ctx, state.TokenHash(family))
	if errors.Is(err, state.ErrNotFound) {
		return tokenAnswer{}, over
	}
	if err != nil {
		return tokenAnswer{}, err
	}
	if granted.ClientID != registration.ID {
		return tokenAnswer{}, refuse("invalid_grant", "The refresh token was given to another client.")
	}
	if !granted.IsFor(s.resourceOf(registration.ID)) {
		return tokenAnswer{}, refuse("invalid_grant", "The refresh token is for an address that Sallyport no longer goes by. Sign in again.")
	}
	err = s.groupsForRefresh(ctx, granted.AccountID)
	if err != nil {
		return tokenAnswer{}, err
	}
	answer, pair := newTokens(registration.ID, family)
	err = s.store.Rotate(ctx, granted, state.TokenHash(secret), pair)
	switch {
	case errors.Is(err, state.ErrNotFound):
		return tokenAnswer{}, over
	case errors.Is(err, state.ErrReplayed):
		s.log.Warn("grant revoked", "grant", granted.ID, "account_id", granted.AccountID, "client", granted.ClientKey,
			"reason", "an old refresh token was used again")
		s.revokeReplayed(ctx, err)
		return tokenAnswer{}, errors.Join(err, refuse("invalid_grant", "This refresh token was used before. Sign in again."))
	}
	return answer, err
}

// newTokens makes the next tokens of a family, and their hashes.
func newTokens(clientID, family string) (tokenAnswer, state.Pair) {
	access, secret := seal.Random(32), seal.Random(32)
	return tokenAnswer{
			AccessToken: access, TokenType: "Bearer", ExpiresIn: int(accessLife(clientID).Seconds()),
			RefreshToken: family + "." + secret, Scope: scopeOf(clientID),
		}, state.Pair{
			Access: state.TokenHash(access), Family: state.TokenHash(family), Refresh: state.TokenHash(secret),
		}
}
