package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/act"
	"sallyport/services/internal/state"
)

// callers knows who may present a token: the token file, API tokens, and people who have signed in.
type callers struct {
	file   fileTokens
	store  *state.Store
	people people
	// console is the console's URL, without a slash at its end, which people's tokens are for; empty where
	// nobody can sign in.
	console string
}

// identify returns who makes a call, with the role that they have at this moment, or UNAUTHENTICATED.
func (c callers) identify(ctx context.Context) (caller, error) {
	given := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(given) == 0 {
		token, err := c.cookie(ctx)
		if err != nil {
			return caller{}, err
		}
		if token != "" {
			return c.personWith(ctx, token)
		}
	}
	if len(given) != 1 {
		return caller{}, status.Error(codes.Unauthenticated, "This call needs a token: send it once, as the metadata authorization: Bearer TOKEN.")
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return caller{}, errNoToken
	}
	found, ok := c.file.find(token)
	switch {
	case ok:
		return found, nil
	case strings.HasPrefix(token, apiTokenPrefix):
		return c.apiToken(ctx, token)
	case c.console != "":
		return c.personWith(ctx, token)
	}
	return caller{}, errNoToken
}

var errNoToken = status.Error(codes.Unauthenticated, "The token is none that Sallyport knows, or its sign-in has ended: sign in again by `sallyport login`, or send an API token, or one of the admin service's token file, as authorization: Bearer TOKEN.")

// cookie returns the access token in the console's cookie, empty where there is none. Browsers send cookies
// with what other sites' pages ask for, too, so the request has to come from the console's own page.
func (c callers) cookie(ctx context.Context) (string, error) {
	if c.console == "" {
		return "", nil
	}
	token, count := "", 0
	for _, line := range metadata.ValueFromIncomingContext(ctx, "cookie") {
		cookies, err := http.ParseCookie(line)
		if err != nil {
			continue
		}
		for _, cookie := range cookies {
			if cookie.Name == state.ConsoleCookie(c.console) {
				token = cookie.Value
				count++
			}
		}
	}
	// Of two, one may have been set by another host.
	if token == "" || count > 1 {
		return "", nil
	}
	site, origin := lastOf(ctx, "sec-fetch-site"), lastOf(ctx, "origin")
	if site == "same-origin" || site == "" && origin == c.console {
		return token, nil
	}
	return "", status.Error(codes.Unauthenticated, "A page of another site can't use the sign-in to the console: open the console at "+c.console+".")
}

func (c callers) apiToken(ctx context.Context, token string) (caller, error) {
	if !wellFormed(token) {
		return caller{}, status.Error(codes.Unauthenticated, "The API token is damaged: its end doesn't fit its beginning. Copy all of it, and send it as authorization: Bearer TOKEN.")
	}
	found, err := c.store.UseAPIToken(ctx, state.TokenHash(token))
	switch {
	case errors.Is(err, state.ErrNotFound):
		return caller{}, status.Error(codes.Unauthenticated, "Sallyport knows no such API token, or it ended more than 30 days ago: have an admin make one by `sallyport tokens create`.")
	case errors.Is(err, state.ErrRevoked):
		return caller{}, status.Errorf(codes.Unauthenticated, "The API token %s was revoked at %s: have an admin make another by `sallyport tokens create`.", found.Name, moment(found.RevokedAt))
	case errors.Is(err, state.ErrExpired):
		return caller{}, status.Errorf(codes.Unauthenticated, "The API token %s expired at %s: have an admin make another by `sallyport tokens create`.", found.Name, moment(found.ExpiresAt))
	case err != nil:
		return caller{}, status.Errorf(codes.Unavailable, "Redis doesn't answer, so the API token can't be checked. Start it again, and try once more. (%v)", err)
	}
	return caller{name: found.Name, kind: act.APIToken, role: roleNamed(found.Role)}, nil
}

// moment is a time in a sentence.
func moment(at time.Time) string { return at.UTC().Format(time.DateTime) + " UTC" }

// personWith is the person that a token was given to.
func (c callers) personWith(ctx context.Context, token string) (caller, error) {
	grant, err := c.store.SessionGrant(ctx, state.TokenHash(token), c.console)
	if errors.Is(err, state.ErrNotFound) {
		return caller{}, errNoToken
	}
	if err != nil {
		return caller{}, status.Errorf(codes.Unavailable, "Redis doesn't answer, so the token can't be checked. Start it again, and try once more. (%v)", err)
	}
	p := person{grant.AccountID, grant.Email, grant.Name}
	role, err := c.roleNow(ctx, p)
	if err != nil {
		return caller{}, err
	}
	return asPerson(p, role), nil
}

// roleNow returns the role that a person has by the bindings and groups of this moment, with a status as
// the error. Groups that aren't known give none.
func (c callers) roleNow(ctx context.Context, p person) (adminv1.Role, error) {
	saved, err := c.store.Roles(ctx)
	if err != nil {
		return noRole, rolesAway(err)
	}
	role := roleOf(p, nil, saved.Bindings)
	if role == admin {
		return role, nil
	}
	groups, known, err := c.people.groupsOf(ctx, p.accountID)
	if err != nil || !known {
		return role, err
	}
	return roleOf(p, groups, saved.Bindings), nil
}

// mayNot is the refusal of a call that needs a higher role than the caller's.
func (c callers) mayNot(ctx context.Context, who caller, m method) error {
	return status.Errorf(codes.PermissionDenied, "%s needs the role %s, and %s. %s", m.name, roleNames[m.role], who.says(), c.whomToAsk(ctx))
}

// maxAsked is how many admins a sentence names.
const maxAsked = 3

// whomToAsk names the admins.
func (c callers) whomToAsk(ctx context.Context) string {
	const holders = "Ask whoever holds the admin service's token file."
	saved, err := c.store.Roles(ctx)
	if err != nil {
		return holders
	}
	var admins []string
	for _, b := range saved.Bindings {
		if roleNamed(b.Role) == admin && len(admins) < maxAsked {
			admins = append(admins, whoSays(b))
		}
	}
	if len(admins) == 0 {
		return holders
	}
	return fmt.Sprintf("Ask an admin for it: %s.", strings.Join(admins, ", or "))
}

// whoSays is whom a binding is for, in a sentence.
func whoSays(b state.RoleBinding) string {
	switch {
	case b.GroupName != "":
		return "somebody of the group " + b.GroupName
	case b.GroupID != "":
		return "somebody of the group " + b.GroupID
	case b.Email != "":
		return b.Email
	}
	return b.AccountID
}
