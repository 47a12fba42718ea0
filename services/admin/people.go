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
	groups, known, err := p.groupsOf(ctx, account)
	if err != nil {
		return s, err
	}
	s.GroupsKnown = known
	for _, g := range groups {
		s.Groups = append(s.Groups, policy.Group{ID: g.ID, Name: g.Name})
	}
	return s, nil
}

// groupsOf returns a person's groups and whether they are known: the ones kept, or for somebody who isn't
// signed in those that Jira says. Its error is a status.
func (p people) groupsOf(ctx context.Context, account string) (groups []state.Group, known bool, err error) {
	kept, err := p.store.Groups(ctx, account)
	if err != nil {
		return nil, false, status.Errorf(codes.Unavailable, "Redis doesn't answer, so the groups of %q can't be read. Start it again, and try once more. (%v)", account, err)
	}
	if kept.Rev != "" {
		return kept.List, kept.Known, nil
	}
	found, err := p.directory.LookUpGroups(ctx, &identityv1.LookUpGroupsRequest{AccountId: account})
	for _, g := range found.GetGroups() {
		groups = append(groups, state.Group{ID: g.GetId(), Name: g.GetName()})
	}
	// Where Jira doesn't know or doesn't answer, the groups are unknown, as they would be for a call.
	return groups, err == nil, nil
}
