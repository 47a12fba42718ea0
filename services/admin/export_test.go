package admin

import (
	"context"

	"google.golang.org/grpc"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/state"
)

// NewAPIToken and WellFormed are how API tokens look.
var (
	NewAPIToken = newAPIToken
	WellFormed  = wellFormed
)

// RoleOf is the role of somebody by account id and e-mail address.
func RoleOf(accountID, email string, groups []state.Group, bindings []state.RoleBinding) string {
	return roleNames[roleOf(person{accountID: accountID, email: email}, groups, bindings)]
}

// PersonalGuard stands before a method as for people who have signed in to the console at a URL.
func PersonalGuard(store *state.Store, identity grpc.ClientConnInterface, console string) func(ctx context.Context, method string) error {
	g := guard{callers: callers{store: store, people: people{store, identityv1.NewDirectoryServiceClient(identity)}, console: console}}
	return func(ctx context.Context, method string) error {
		_, err := g.unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method}, func(context.Context, any) (any, error) { return nil, nil })
		return err
	}
}
