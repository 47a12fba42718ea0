package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/state"
)

// revoker stands where identity would have tokens revoked.
type revoker struct {
	identityv1.UnimplementedConnectionServiceServer
	detail string
	asked  []*identityv1.RevokeTokensRequest
}

func (r *revoker) RevokeTokens(_ context.Context, request *identityv1.RevokeTokensRequest) (*identityv1.RevokeTokensResponse, error) {
	r.asked = append(r.asked, request)
	return &identityv1.RevokeTokensResponse{Confirmed: r.detail == "", Detail: r.detail}, nil
}

// serve returns the address at which the revoker answers.
func (r *revoker) serve(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	identityv1.RegisterConnectionServiceServer(server, r)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// office is an admin service with a Redis, in which people sign in.
type office struct {
	t      *testing.T
	store  *state.Store
	client adminv1.ConnectionServiceClient
}

func openOffice(t *testing.T, identity string) *office {
	t.Helper()
	cfg := redisOnly(t)
	cfg.Identity = identity
	o := &office{t: t, store: state.Open(cfg.Redis), client: adminv1.NewConnectionServiceClient(start(t, cfg))}
	t.Cleanup(func() { _ = o.store.Close() })
	return o
}

// signIn connects an assistant of a person, named by the part of their address before the @.
func (o *office) signIn(id, person, client string) {
	o.t.Helper()
	ctx := o.t.Context()
	grant := state.Grant{
		ID: id, Rev: "1", AccountID: "712020:" + person, Email: person + "@acme.test", Name: strings.ToUpper(person), Site: "site",
		ClientID: "id of " + client, ClientKey: client, ClientName: strings.ToUpper(client), ClientClass: "claimed", CreatedAt: time.Now(),
	}
	err := errors.Join(
		o.store.SaveUpstream(ctx, grant.AccountID, state.Upstream{Access: []byte("sealed access"), Refresh: []byte("sealed refresh"), ExpiresAt: time.Now().Add(time.Hour)}),
		o.store.CreateGrant(ctx, grant, "code of "+id, state.Code{GrantID: id}),
		o.store.Issue(ctx, grant, state.Pair{Access: "access of " + id, Family: "family of " + id, Refresh: "secret"}))
	if err != nil {
		o.t.Fatal(err)
	}
}

// works says whether a connection's access token lets anybody in.
func (o *office) works(id string) bool {
	o.t.Helper()
	_, err := o.store.SessionGrant(o.t.Context(), "access of "+id, "http://localhost:8800/mcp")
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		o.t.Fatal(err)
	}
	return err == nil
}

func TestListConnections(t *testing.T) {
	o := openOffice(t, nowhere)
	for i := range 5 {
		o.signIn(fmt.Sprint("ana ", i), "ana", []string{"claude", "cursor"}[i%2])
		// A moment later, so that the order is known.
		time.Sleep(2 * time.Millisecond)
	}
	o.signIn("bo", "bo", "claude")
	for name, test := range map[string]struct {
		request *adminv1.ListConnectionsRequest
		want    string
	}{
		"all":                {&adminv1.ListConnectionsRequest{}, "bo,ana 4,ana 3,ana 2,ana 1,ana 0"},
		"by page":            {&adminv1.ListConnectionsRequest{PageSize: 4}, "bo,ana 4,ana 3,ana 2|ana 1,ana 0"},
		"a person by e-mail": {&adminv1.ListConnectionsRequest{User: " Bo@acme.test"}, "bo"},
		"by account id":      {&adminv1.ListConnectionsRequest{User: "712020:ana", PageSize: 3}, "ana 4,ana 3,ana 2|ana 1,ana 0"},
		"an assistant":       {&adminv1.ListConnectionsRequest{Client: "CURSOR"}, "ana 3,ana 1"},
		"both":               {&adminv1.ListConnectionsRequest{User: "ana@acme.test", Client: "claude"}, "ana 4,ana 2,ana 0"},
		"nobody":             {&adminv1.ListConnectionsRequest{User: "nobody@acme.test"}, ""},
		"another assistant":  {&adminv1.ListConnectionsRequest{Client: "gemini-cli"}, ""},
	} {
		var pages []string
		for {
			page, err := o.client.ListConnections(asAdmin(t), test.request)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var ids []string
			for _, c := range page.GetConnections() {
				ids = append(ids, c.GetId())
			}
			pages = append(pages, strings.Join(ids, ","))
			test.request.PageToken = page.GetNextPageToken()
			if test.request.PageToken == "" {
				break
			}
		}
		if got := strings.Join(pages, "|"); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	page, err := o.client.ListConnections(asAdmin(t), &adminv1.ListConnectionsRequest{User: "bo@acme.test"})
	if err != nil {
		t.Fatal(err)
	}
	got := page.GetConnections()[0]
	if got.GetAccountId() != "712020:bo" || got.GetEmail() != "bo@acme.test" || got.GetName() != "BO" || got.GetClient().GetKey() != "claude" ||
		got.GetClient().GetName() != "CLAUDE" || got.GetClient().GetClass() != "claimed" || got.GetSite() != "site" || got.GetLastUsed() != nil ||
		time.Since(got.GetSince().AsTime()) > time.Minute || time.Until(got.GetExpires().AsTime()) < state.RefreshLife-time.Minute {
		t.Errorf("the connection is told as %v", got)
	}
}

func TestDisconnect(t *testing.T) {
	identity := &revoker{}
	o := openOffice(t, identity.serve(t))
	o.signIn("first", "ana", "claude")
	o.signIn("second", "ana", "cursor")
	for _, client := range []string{"id of claude", "id of cursor"} {
		err := o.store.SaveConsent(t.Context(), "712020:ana", client, state.Consent{Redirect: "http://localhost/callback", Scope: "mcp", At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
	}
	answer, err := o.client.Disconnect(asAdmin(t), &adminv1.DisconnectRequest{Id: "first"})
	if err != nil || answer.GetConnection().GetClient().GetKey() != "claude" || answer.GetConnection().GetEmail() != "ana@acme.test" ||
		answer.GetRevocation() != adminv1.Revocation_REVOCATION_NOT_NEEDED || len(identity.asked) > 0 {
		t.Errorf("one of two: %v, error %v; identity was asked for %v", answer, err, identity.asked)
	}
	if o.works("first") || !o.works("second") {
		t.Error("not exactly the one that was named has ended")
	}
	_, withdrawn := o.store.Consent(t.Context(), "712020:ana", "id of claude")
	_, others := o.store.Consent(t.Context(), "712020:ana", "id of cursor")
	if !errors.Is(withdrawn, state.ErrNotFound) || others != nil {
		t.Errorf("the consent to the assistant that was disconnected: %v, to the other: %v", withdrawn, others)
	}
	answer, err = o.client.Disconnect(asAdmin(t), &adminv1.DisconnectRequest{Id: " second "})
	if err != nil || answer.GetRevocation() != adminv1.Revocation_REVOCATION_CONFIRMED || len(identity.asked) != 1 || o.works("second") {
		t.Fatalf("the last one: %v, error %v; identity was asked for %v", answer, err, identity.asked)
	}
	asked := identity.asked[0]
	if asked.GetAccountId() != "712020:ana" || string(asked.GetSealedAccess()) != "sealed access" || string(asked.GetSealedRefresh()) != "sealed refresh" {
		t.Errorf("identity was asked for %v", asked)
	}
	_, err = o.store.Upstream(t.Context(), "712020:ana")
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the Atlassian tokens after the last one: %v", err)
	}
}

func TestForgetPerson(t *testing.T) {
	identity := &revoker{detail: "Atlassian is away."}
	o := openOffice(t, identity.serve(t))
	o.signIn("first", "ana", "claude")
	o.signIn("second", "ana", "cursor")
	o.signIn("others", "bo", "cursor")
	got, err := o.client.ForgetPerson(asAdmin(t), &adminv1.ForgetPersonRequest{User: " Ana@Acme.test"})
	if err != nil || got.GetAccountId() != "712020:ana" || got.GetSessions() != 2 ||
		got.GetRevocation() != adminv1.Revocation_REVOCATION_UNCONFIRMED || got.GetRevocationDetail() != identity.detail {
		t.Errorf("got %v, error %v", got, err)
	}
	if o.works("first") || o.works("second") || !o.works("others") {
		t.Error("not exactly the person's own sessions have ended")
	}
	_, err = o.client.ForgetPerson(asAdmin(t), &adminv1.ForgetPersonRequest{User: "ana@acme.test"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("by an address that was forgotten: %v", err)
	}
	o.signIn("third", "ana", "claude")
	got, err = o.client.ForgetPerson(asAdmin(t), &adminv1.ForgetPersonRequest{User: "712020:ana"})
	if err != nil || got.GetSessions() != 1 || len(identity.asked) != 2 {
		t.Errorf("by account id: %v, error %v", got, err)
	}
}

// TestEndingDoesNotNeedIdentity ends what can be ended where nothing can be revoked.
func TestEndingDoesNotNeedIdentity(t *testing.T) {
	o := openOffice(t, nowhere)
	o.signIn("first", "ana", "claude")
	disconnected, err := o.client.Disconnect(asAdmin(t), &adminv1.DisconnectRequest{Id: "first"})
	if err != nil || disconnected.GetRevocation() != adminv1.Revocation_REVOCATION_UNCONFIRMED || !strings.Contains(disconnected.GetRevocationDetail(), "Connected apps") || o.works("first") {
		t.Errorf("disconnecting: %v, error %v", disconnected, err)
	}
	o.signIn("second", "ana", "claude")
	forgotten, err := o.client.ForgetPerson(asAdmin(t), &adminv1.ForgetPersonRequest{User: "ana@acme.test"})
	if err != nil || forgotten.GetRevocation() != adminv1.Revocation_REVOCATION_UNCONFIRMED || !strings.Contains(forgotten.GetRevocationDetail(), "identity service") || o.works("second") {
		t.Errorf("forgetting: %v, error %v", forgotten, err)
	}
}

func TestConnectionsRefuse(t *testing.T) {
	t.Parallel()
	here, away := start(t, redisOnly(t)), start(t, admin.Config{})
	list := func(r *adminv1.ListConnectionsRequest) func(adminv1.ConnectionServiceClient) error {
		return func(c adminv1.ConnectionServiceClient) error { _, err := c.ListConnections(asAdmin(t), r); return err }
	}
	disconnect := func(id string) func(adminv1.ConnectionServiceClient) error {
		return func(c adminv1.ConnectionServiceClient) error {
			_, err := c.Disconnect(asAdmin(t), &adminv1.DisconnectRequest{Id: id})
			return err
		}
	}
	forget := func(user string) func(adminv1.ConnectionServiceClient) error {
		return func(c adminv1.ConnectionServiceClient) error {
			_, err := c.ForgetPerson(asAdmin(t), &adminv1.ForgetPersonRequest{User: user})
			return err
		}
	}
	for name, test := range map[string]struct {
		ask  func(adminv1.ConnectionServiceClient) error
		away bool
		code codes.Code
		says string
	}{
		"a page too large":        {list(&adminv1.ListConnectionsRequest{PageSize: 1001}), false, codes.InvalidArgument, "1 to 1000"},
		"a page of less than one": {list(&adminv1.ListConnectionsRequest{PageSize: -1}), false, codes.InvalidArgument, "1 to 1000"},
		"a token of another":      {list(&adminv1.ListConnectionsRequest{PageToken: "WyJub25lIl0"}), false, codes.InvalidArgument, "page_token"},
		"a list without Redis":    {list(&adminv1.ListConnectionsRequest{}), true, codes.Unavailable, "Redis doesn't answer"},
		"a connection unnamed":    {disconnect(" "), false, codes.InvalidArgument, "id is missing"},
		"an unknown connection":   {disconnect("none"), false, codes.NotFound, "sallyport connections list"},
		"an end without Redis":    {disconnect("none"), true, codes.Unavailable, "can't be written down: Redis doesn't answer"},
		"nobody":                  {forget(""), false, codes.InvalidArgument, "user is missing"},
		"an unknown address":      {forget("nobody@acme.test"), false, codes.NotFound, "Nobody with the e-mail address"},
		"an unknown account":      {forget("712020:nobody"), false, codes.NotFound, "Nobody with the account id"},
		"an address, no Redis":    {forget("ana@acme.test"), true, codes.Unavailable, "Redis doesn't answer"},
		"an account, no Redis":    {forget("712020:ana"), true, codes.Unavailable, "can't be written down: Redis doesn't answer"},
	} {
		conn := here
		if test.away {
			conn = away
		}
		err := test.ask(adminv1.NewConnectionServiceClient(conn))
		if status.Code(err) != test.code || !strings.Contains(status.Convert(err).Message(), test.says) {
			t.Errorf("%s: %v, want %v that says %q", name, err, test.code, test.says)
		}
	}
}
