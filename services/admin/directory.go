package admin

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/policy"
)

// listTimeout bounds listing a site's groups, which takes Jira a call for every fifty.
const listTimeout = 20 * time.Second

// DirectoryServer knows the site's groups, by way of identity.
type DirectoryServer struct {
	adminv1.UnsafeDirectoryServiceServer
	people people
}

// groups returns the site's groups by name, with a status as the error. It isn't nil where there
// are none.
func (p people) groups(ctx context.Context, query string) ([]policy.Group, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	found, err := p.directory.ListGroups(ctx, &identityv1.ListGroupsRequest{Query: query})
	if err != nil {
		return nil, identityAway(err)
	}
	list := []policy.Group{}
	for _, g := range found.GetGroups() {
		list = append(list, policy.Group{ID: g.GetId(), Name: g.GetName()})
	}
	return list, nil
}

// identityAway tells an error of identity's own from one of the way there.
func identityAway(err error) error {
	message := status.Convert(err).Message()
	switch code := status.Code(err); {
	case code == codes.Unavailable && strings.HasPrefix(message, "connection error"):
		return status.Error(code, "The identity service doesn't answer. Start it again, and look into its log if it ends.")
	case code == codes.DeadlineExceeded:
		return status.Error(code, "The identity service, which asks Jira, took too long to answer. Look into its log, and try once more.")
	default:
		return status.Error(code, message)
	}
}

// ListGroups returns the site's groups.
func (s *DirectoryServer) ListGroups(ctx context.Context, request *adminv1.ListGroupsRequest) (*adminv1.ListGroupsResponse, error) {
	groups, err := s.people.groups(ctx, request.GetQuery())
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListGroupsResponse{}
	for _, g := range groups {
		answer.Groups = append(answer.Groups, &adminv1.Group{Id: g.ID, Name: g.Name})
	}
	return answer, nil
}

// RefreshGroups asks Jira for groups now.
func (s *DirectoryServer) RefreshGroups(ctx context.Context, request *adminv1.RefreshGroupsRequest) (*adminv1.RefreshGroupsResponse, error) {
	account, err := s.people.account(ctx, request.GetUser())
	if err != nil {
		return nil, err
	}
	answer, err := s.people.directory.RefreshGroups(ctx, &identityv1.RefreshGroupsRequest{AccountId: account})
	if err != nil {
		return nil, identityAway(err)
	}
	return &adminv1.RefreshGroupsResponse{Refreshed: answer.GetRefreshed(), Unknown: answer.GetUnknown()}, nil
}
