package admin

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// CreateFirstLink makes a link whose first user becomes admin. identity serves it.
func (s *AccessServer) CreateFirstLink(ctx context.Context, _ *adminv1.CreateFirstLinkRequest) (*adminv1.CreateFirstLinkResponse, error) {
	if s.console == "" {
		return nil, status.Error(codes.FailedPrecondition, "Nobody can sign in, since Sallyport doesn't know where admins reach it: start identity and admin with --console-url.")
	}
	saved, err := s.store.Roles(ctx)
	if err != nil {
		return nil, rolesAway(err)
	}
	if saved.Version > 0 {
		return nil, status.Error(codes.FailedPrecondition, "Roles were given already, so a first link isn't needed: an admin, or whoever holds the token file, gives one by `sallyport roles add admin ana@acme.test`.")
	}
	token := seal.Random(32)
	err = s.store.SaveFirstLink(ctx, state.TokenHash(token))
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm the link. Start it again, and make another one. (%v)", err)
	}
	return &adminv1.CreateFirstLinkResponse{
		Url: s.console + "/first/" + token, ExpiresAt: timestamppb.New(time.Now().Add(state.FirstLinkLife)),
	}, nil
}
