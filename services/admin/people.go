package admin

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// people finds the people that the API is asked about.
type people struct {
	store     *state.Store
	directory identityv1.DirectoryServiceClient
}

// account returns the account id of a person who has signed in, by e-mail address or account id.
func (p people) account(ctx context.Context, user string) (string, error) {
	if !strings.Contains(user, "@") {
		return user, nil
	}
	account, err := p.store.AccountOf(ctx, user)
	if errors.Is(err, state.ErrNotFound) {
		return "", status.Errorf(codes.NotFound, "Nobody with the e-mail address %q has signed in. Check its spelling, or name the person by Atlassian account id.", user)
	}
	if err != nil {
		return "", status.Errorf(codes.Unavailable, "Redis doesn't answer, so %q can't be looked up. Start it again, and try once more. (%v)", user, err)
	}
	return account, nil
}

// subject is a person as rules see them, with the groups that a call of theirs is decided by now: the
// ones kept, or for somebody who isn't signed in those that Jira says. Whom nobody knows is whoever
// was named, with unknown groups.
func (p people) subject(ctx context.Context, user string) (policy.Subject, error) {
	s := policy.Subject{}
	account, err := p.account(ctx, user)
	switch {
	case status.Code(err) == codes.NotFound:
		s.Email = user
		return s, nil
	case err != nil:
		return s, err
	}
	s.AccountID = account
	if account != user {
		s.Email = user
	}
	kept, err := p.store.Groups(ctx, account)
	if err != nil {
		return s, status.Errorf(codes.Unavailable, "Redis doesn't answer, so the groups of %q can't be read. Start it again, and try once more. (%v)", user, err)
	}
	s.GroupsKnown = kept.Known
	for _, g := range kept.List {
		s.Groups = append(s.Groups, policy.Group{ID: g.ID, Name: g.Name})
	}
	if kept.Rev != "" {
		return s, nil
	}
	found, err := p.directory.LookUpGroups(ctx, &identityv1.LookUpGroupsRequest{AccountId: account})
	// Where Jira doesn't know or doesn't answer, the groups are unknown, as they would be for a call.
	s.GroupsKnown = err == nil
	for _, g := range found.GetGroups() {
		s.Groups = append(s.Groups, policy.Group{ID: g.GetId(), Name: g.GetName()})
	}
	return s, nil
}
