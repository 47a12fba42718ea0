package admin_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/act"
	"sallyport/services/internal/state"
)

// TestGetSession asks who one is, by every kind of token.
func TestGetSession(t *testing.T) {
	cfg := redisOnly(t)
	cfg.ConsoleURL = consoleURL + "/"
	client := adminv1.NewSessionServiceClient(start(t, cfg))
	store := state.Open(cfg.Redis)
	defer store.Close()
	const ana = "anas-token"
	signInAdmin(t, store, ana, consoleURL)
	as := func(token string, want *adminv1.GetSessionResponse) {
		t.Helper()
		got, err := client.GetSession(with(t, token), &adminv1.GetSessionRequest{})
		if diff := cmp.Diff(want, got, protocmp.Transform()); err != nil || diff != "" {
			t.Errorf("%v: %s", err, diff)
		}
	}
	as(token, &adminv1.GetSessionResponse{Name: "admin", Caller: act.TokenFile, Role: adminv1.Role_ROLE_ADMIN})
	as(viewerToken, &adminv1.GetSessionResponse{Name: "reader", Caller: act.TokenFile, Role: adminv1.Role_ROLE_VIEWER})
	person := &adminv1.GetSessionResponse{Name: "ana@acme.test", Caller: act.Person, AccountId: "712020:ana", DisplayName: "Ana"}
	as(ana, person)
	_, err := store.SaveRoles(t.Context(), 0, []state.RoleBinding{{Role: "auditor", Email: "ana@acme.test"}}, state.Save{})
	if err != nil {
		t.Fatal(err)
	}
	person.Role = adminv1.Role_ROLE_AUDITOR
	as(ana, person)
	for _, resource := range []string{"https://sallyport.acme.test/mcp", "http://other.acme.test"} {
		signInAdmin(t, store, "token-for-"+resource, resource)
		_, err := client.GetSession(with(t, "token-for-"+resource), &adminv1.GetSessionRequest{})
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("a token for %s: %v", resource, err)
		}
	}
	_, err = store.EndPerson(t.Context(), "712020:ana")
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.GetSession(with(t, ana), &adminv1.GetSessionRequest{})
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("after her sign-ins were ended: %v", err)
	}
}

// TestWithoutConsolePeopleDontSignIn leaves the URL out that tokens of people are for.
func TestWithoutConsolePeopleDontSignIn(t *testing.T) {
	cfg := redisOnly(t)
	client := adminv1.NewSessionServiceClient(start(t, cfg))
	store := state.Open(cfg.Redis)
	defer store.Close()
	signInAdmin(t, store, "anas-token", consoleURL)
	_, err := client.GetSession(with(t, "anas-token"), &adminv1.GetSessionRequest{})
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("got %v", err)
	}
}
