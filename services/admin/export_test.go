package admin

import (
	"context"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/state"
)

// NewAPIToken and WellFormed are how API tokens look.
var (
	NewAPIToken = newAPIToken
	WellFormed  = wellFormed
)

// CSVCell is how a table has a text.
var CSVCell = csvCell

// Unwatched tells whether an Elasticsearch was told not to mind watermarks.
func Unwatched(ctx context.Context, transport esapi.Transport) bool {
	return askRoom(ctx, transport).unwatched
}

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

// Timeline is what is understood of a dashboard's range: start and end, those of the range before, the
// interval, and where buckets begin.
func Timeline(request *adminv1.GetDashboardRequest, now time.Time) (ends [4]time.Time, interval string, edges []time.Time, _ error) {
	t, err := newTimeline(request, now)
	if err != nil {
		return ends, "", nil, err
	}
	return [4]time.Time{t.within.start, t.within.end, t.before.start, t.before.end}, t.interval.name, t.edges[:len(t.edges)-1], nil
}
