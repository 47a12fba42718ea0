package identity

import (
	"context"
	"errors"
	"time"

	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/state"
)

// revokeTimeout bounds giving a token back to Atlassian, for which a person waits.
const revokeTimeout = 5 * time.Second

// grantAdmin makes of a sign-in at Atlassian a grant for the admin API, and returns its code. Atlassian's
// token only tells who the person is: it isn't stored, and given back at once. The one that the person's
// assistants use stays as it is.
func (s *server) grantAdmin(ctx context.Context, begun signIn, registration state.Registration, tokens atlassian.Tokens) (string, error) {
	defer s.giveBack(ctx, begun.UpstreamClient, tokens)
	person, err := s.atlassian.Who(ctx, tokens.Access)
	if err != nil {
		return "", err
	}
	code, err := s.createGrant(ctx, begun, registration, person)
	if err != nil {
		return "", err
	}
	// After the grant, since groups are kept only of people who have one.
	return code, s.groupsForSignIn(ctx, person.AccountID, accessLife(registration.ID))
}

// giveBack has Atlassian end tokens. Where that fails the access token ends by itself within an hour. A
// refresh token isn't asked for; where one came all the same, it is given back too.
func (s *server) giveBack(ctx context.Context, client string, tokens atlassian.Tokens) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	err := s.atlassian.Revoke(ctx, client, tokens.Access)
	if tokens.Refresh != "" {
		err = errors.Join(err, s.atlassian.Revoke(ctx, client, tokens.Refresh))
	}
	if err != nil {
		s.log.Warn("Atlassian's token of a sign-in to the admin API wasn't revoked", "error", err)
	}
}
