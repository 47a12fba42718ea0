package admin

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
)

// ConnectionServer ends people's sign-ins.
type ConnectionServer struct {
	adminv1.UnsafeConnectionServiceServer
	people people
	log    *slog.Logger
}

// ForgetPerson ends all of a person's sign-ins. A caller who repeats it after a lost answer is told
// that there are none, where the person is named by e-mail address.
func (s *ConnectionServer) ForgetPerson(ctx context.Context, request *adminv1.ForgetPersonRequest) (*adminv1.ForgetPersonResponse, error) {
	user := strings.TrimSpace(request.GetUser())
	if user == "" {
		return nil, status.Error(codes.InvalidArgument, "user is missing: name the person by e-mail address or Atlassian account id.")
	}
	account, err := s.people.account(ctx, user)
	if err != nil {
		return nil, err
	}
	sessions, err := s.people.store.EndPerson(ctx, account)
	switch {
	case errors.Is(err, state.ErrNotFound) && account == user:
		// Nothing tells a wrong id from that of somebody who was removed before.
		return nil, status.Errorf(codes.NotFound, "Nobody with the account id %q is signed in. Check its spelling, or name the person by e-mail address.", user)
	case errors.Is(err, state.ErrNotFound):
		sessions = 0
	case err != nil:
		return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm that the sign-ins of %q have ended. Start it again, and try once more. (%v)", user, err)
	}
	s.log.Info("person forgotten", "account_id", account, "sessions", sessions, "by", callerOf(ctx).name)
	return &adminv1.ForgetPersonResponse{AccountId: account, Sessions: int32(sessions)}, nil
}
