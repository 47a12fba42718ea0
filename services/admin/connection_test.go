package admin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/state"
)

func TestForgetPerson(t *testing.T) {
	cfg := redisOnly(t)
	ctx, client := asAdmin(t), adminv1.NewConnectionServiceClient(start(t, cfg))
	store := state.Open(cfg.Redis)
	defer store.Close()
	signIn := func(id string) {
		t.Helper()
		grant := state.Grant{ID: id, Rev: "1", AccountID: "712020:ana", Email: "ana@acme.test"}
		err := errors.Join(
			store.SaveUpstream(ctx, grant.AccountID, state.Upstream{ExpiresAt: time.Now().Add(time.Hour)}),
			store.CreateGrant(ctx, grant, "code of "+id, state.Code{GrantID: id}),
			store.Issue(ctx, grant, state.Pair{Access: "access of " + id, Family: "family of " + id, Refresh: "secret"}))
		if err != nil {
			t.Fatal(err)
		}
	}
	signIn("first")
	signIn("second")
	for _, test := range []struct {
		user     string
		sessions int32
	}{{" Ana@Acme.test", 2}, {"ana@acme.test", 0}} {
		got, err := client.ForgetPerson(ctx, &adminv1.ForgetPersonRequest{User: test.user})
		if err != nil || got.GetAccountId() != "712020:ana" || got.GetSessions() != test.sessions {
			t.Errorf("%q: %v, error %v", test.user, got, err)
		}
	}
	for _, id := range []string{"first", "second"} {
		_, err := store.SessionGrant(ctx, "access of "+id, "http://localhost:8800/mcp")
		if !errors.Is(err, state.ErrNotFound) {
			t.Errorf("the %s session: %v", id, err)
		}
	}
	signIn("third")
	got, err := client.ForgetPerson(ctx, &adminv1.ForgetPersonRequest{User: "712020:ana"})
	if err != nil || got.GetSessions() != 1 {
		t.Errorf("by account id: %v, error %v", got, err)
	}
}

func TestForgetPersonRefuses(t *testing.T) {
	here, away := start(t, redisOnly(t)), start(t, admin.Config{})
	for _, test := range []struct {
		user string
		away bool
		code codes.Code
		says string
	}{
		{"", false, codes.InvalidArgument, "user is missing"},
		{"nobody@acme.test", false, codes.NotFound, "Nobody with the e-mail address"},
		{"712020:nobody", false, codes.NotFound, "Nobody with the account id"},
		{"ana@acme.test", true, codes.Unavailable, "Redis doesn't answer"},
		{"712020:ana", true, codes.Unavailable, "can't be written down: Redis doesn't answer"},
	} {
		conn := here
		if test.away {
			conn = away
		}
		_, err := adminv1.NewConnectionServiceClient(conn).ForgetPerson(asAdmin(t), &adminv1.ForgetPersonRequest{User: test.user})
		if status.Code(err) != test.code || !strings.Contains(status.Convert(err).Message(), test.says) {
			t.Errorf("%q: %v, want %v that says %q", test.user, err, test.code, test.says)
		}
	}
}
