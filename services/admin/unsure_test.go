package admin_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// TestUnsure changes things in a Redis that doesn't say what it has on its disk, here since Sallyport's user may
// not ask.
func TestUnsure(t *testing.T) {
	server := redistest.StartDurable(t)
	conn := start(t, admin.Config{Redis: server.Address})
	store := state.Open(server.Address)
	defer store.Close()
	ctx := asAdmin(t)
	access, policies, connections := adminv1.NewAccessServiceClient(conn), adminv1.NewPolicyServiceClient(conn), adminv1.NewConnectionServiceClient(conn)
	_, err := access.CreateToken(ctx, &adminv1.CreateTokenRequest{Name: "ci", Role: asViewer})
	if err != nil {
		t.Fatal(err)
	}
	inForce, err := policies.GetPolicy(ctx, &adminv1.GetPolicyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	signInAdmin(t, store, "anas-token", consoleURL)
	signInAdmin(t, store, "her-assistants-token", "https://sallyport.test/mcp")
	drain(t, store)
	client := redis.NewClient(&redis.Options{Addr: server.Address})
	defer client.Close()
	err = client.Do(t.Context(), "ACL", "SETUSER", "default", "-waitaof").Err()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		does func() error
		// says begins the answer, and look is how to see whether it still holds.
		says, look string
	}{
		{func() error { _, err := access.RevokeToken(ctx, &adminv1.RevokeTokenRequest{Name: "ci"}); return err }, "The token ci is revoked", "sallyport tokens list"},
		{func() error {
			_, err := access.CreateToken(ctx, &adminv1.CreateTokenRequest{Name: "next", Role: asViewer})
			return err
		}, "The token next was made, and isn't handed out", "sallyport tokens revoke next"},
		{func() error {
			_, err := access.SetRoles(ctx, &adminv1.SetRolesRequest{Bindings: []*adminv1.RoleBinding{bind(asAdmins, "user:ana@acme.test")}})
			return err
		}, "The roles hold as version 1", "sallyport roles list"},
		{func() error {
			_, err := policies.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: inForce.GetPolicy(), BaseVersion: inForce.GetVersion()})
			return err
		}, "The policy is in force as version 2", "sallyport policy history"},
		{func() error {
			_, err := connections.Disconnect(ctx, &adminv1.DisconnectRequest{Id: "grant of anas-token"})
			return err
		}, `The connection "grant of anas-token" has ended`, "sallyport connections list"},
		{func() error {
			_, err := connections.ForgetPerson(ctx, &adminv1.ForgetPersonRequest{User: "712020:ana"})
			return err
		}, `The sign-ins of "712020:ana" (1) have ended`, "sallyport connections list"},
	} {
		err := c.does()
		says := status.Convert(err).Message()
		if status.Code(err) != codes.Unavailable || !strings.HasPrefix(says, c.says+", but it isn't certain to survive") || !strings.Contains(says, c.look) {
			t.Errorf("got %v, want %q", err, c.says)
		}
		records := merged(t, drain(t, store))
		if len(records) != 1 || records[0].Event.Outcome != "unknown" || records[0].Error == nil || records[0].Error.Message != says {
			t.Errorf("recorded are %+v", records)
		}
	}
}
