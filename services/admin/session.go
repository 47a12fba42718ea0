package admin

import (
	"context"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// SessionServer tells callers about themselves.
type SessionServer struct {
	adminv1.UnsafeSessionServiceServer
}

// GetSession returns who the caller is, and their role.
func (SessionServer) GetSession(ctx context.Context, _ *adminv1.GetSessionRequest) (*adminv1.GetSessionResponse, error) {
	who := callerOf(ctx)
	return &adminv1.GetSessionResponse{
		Name: who.name, Caller: who.kind, Role: who.role, AccountId: who.person.accountID, DisplayName: who.person.name,
	}, nil
}
