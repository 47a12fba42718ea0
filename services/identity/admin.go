package identity

import (
	"context"
	"errors"
	"net/http"

	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/act"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// grantAdmin makes of a sign-in at Atlassian a grant for the admin API, and returns the person's account and
// its code. Atlassian's token only tells who the person is: it isn't stored, and given back at once. The
// one that the person's assistants use stays as it is. Nothing is granted that wasn't written down.
func (s *server) grantAdmin(ctx context.Context, begun signIn, registration state.Registration, tokens atlassian.Tokens, r *http.Request) (account, code string, _ error) {
	defer s.giveBack(ctx, begun.UpstreamClient, tokens)
	person, err := s.who(ctx, tokens.Access)
	if err != nil {
		return "", "", err
	}
	recorded, err := s.acts.Begin(ctx, act.Act{
		Action: "session.begin", Category: "authentication", Type: "start",
		By:     activity.User{ID: person.AccountID, Email: person.Email, Name: person.Name},
		Caller: act.Person, Targets: []string{registration.Name},
		SourceIP: sourceIP(r), UserAgent: r.UserAgent(),
	})
	if err != nil {
		return "", "", err
	}
	code, err = s.createGrant(ctx, begun, registration, person)
	if err == nil {
		// After the grant, since groups are kept only of people who have one.
		err = s.groupsForSignIn(ctx, person.AccountID, accessLife(registration.ID))
	}
	if err != nil {
		recorded.End(ctx, act.Outcome{Code: "Unavailable", Message: err.Error()})
		return "", "", err
	}
	recorded.End(ctx, act.Outcome{})
	return person.AccountID, code, nil
}

// giveBack has Atlassian end tokens. Where that fails the access token ends by itself within an hour. A
// refresh token isn't asked for; where one came all the same, it is given back too.
func (s *server) giveBack(ctx context.Context, client string, tokens atlassian.Tokens) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	err := s.atlassian.Revoke(ctx, client, tokens.Access, atlassian.AccessToken)
	if tokens.Refresh != "" {
		err = errors.Join(err, s.atlassian.Revoke(ctx, client, tokens.Refresh, atlassian.RefreshToken))
	}
	if err != nil {
		s.log.Warn("Atlassian's token of a sign-in that isn't kept wasn't revoked", "error", err)
	}
}

// endAdmin signs somebody out of the admin API. That is done also where it can't be written down: it takes
// something away, and gives nothing.
func (s *server) endAdmin(ctx context.Context, granted state.Grant) error {
	recorded, err := s.acts.Begin(ctx, act.Act{
		Action: "session.end", Category: "authentication", Type: "end",
		By:     activity.User{ID: granted.AccountID, Email: granted.Email, Name: granted.Name},
		Caller: act.Person, Targets: []string{granted.ClientName},
	})
	if err != nil {
		s.log.Error("a sign-out from the admin API isn't recorded", "grant", granted.ID, "account_id", granted.AccountID, "error", err)
		return s.endGrant(ctx, granted.ID)
	}
	err = s.endGrant(ctx, granted.ID)
	outcome := act.Outcome{}
	if err != nil {
		outcome = act.Outcome{Code: "Unavailable", Message: err.Error(), Unsure: errors.Is(err, state.ErrNotOnDisk)}
	}
	recorded.End(ctx, outcome)
	return err
}

// sourceIP is where a browser is, or empty where that isn't known.
func sourceIP(r *http.Request) string {
	address, err := sender(r)
	if err != nil {
		return ""
	}
	return address.String()
}
