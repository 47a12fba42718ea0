package identity_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/identity"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/state"
)

func (d *deployment) refreshUpstream(address, account string) error {
	d.t.Helper()
	_, err := identityv1.NewUpstreamServiceClient(processtest.Dial(d.t, address)).RefreshToken(d.t.Context(), &identityv1.RefreshTokenRequest{AccountId: account})
	return err
}

// account signs a person in and returns their account id with their tokens.
func (a *assistant) account(email string) (string, answer) {
	a.d.t.Helper()
	got := a.tokens(email)
	granted, err := a.d.store.SessionGrant(a.d.t.Context(), state.TokenHash(got.text("access_token")), a.d.url+"/mcp")
	if err != nil {
		a.d.t.Fatal(err)
	}
	return granted.AccountID, got
}

func (d *deployment) upstream(account string) *state.Upstream {
	d.t.Helper()
	u, err := d.store.Upstream(d.t.Context(), account)
	if err != nil {
		d.t.Fatal(err)
	}
	return u
}

// Atlassian refuses a refresh token the second time, so that one more refresh would sign the person out.
func TestOneRefreshHoweverManyAsk(t *testing.T) {
	d := deploy(t)
	replica := d.serve(nativetest.FreeAddress(t))
	d.change("token_seconds", "60")
	account, _ := d.connect("Codex").account("ana@acme.test")
	d.change("token_seconds", "3600")
	before := d.upstream(account)

	var wait sync.WaitGroup
	failures := make(chan error, 40)
	for i := range cap(failures) {
		address := d.grpc
		if i%2 == 1 {
			address = replica
		}
		wait.Go(func() { failures <- d.refreshUpstream(address, account) })
	}
	wait.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Errorf("refreshing: %v", err)
		}
	}
	after := d.upstream(account)
	if after.Rev == before.Rev || time.Until(after.ExpiresAt) < 50*time.Minute {
		t.Errorf("the token wasn't renewed: %v", after.ExpiresAt)
	}
	err := d.refreshUpstream(replica, account)
	if err != nil || d.upstream(account).Rev != after.Rev {
		t.Errorf("a fresh token was renewed again, error %v", err)
	}
}

func TestEndOfTheUpstreamGrantEndsAllOfThePersons(t *testing.T) {
	d := deploy(t)
	d.change("token_seconds", "60")
	first, second, others := d.connect("Codex"), d.connect("Cursor"), d.connect("Codex")
	account, tokens := first.account("ana@acme.test")
	_, more := second.account("ana@acme.test")
	_, untouched := others.account("bo@acme.test")
	d.change("revoke_refresh", "true")
	if got := status.Code(d.refreshUpstream(d.grpc, account)); got != codes.FailedPrecondition {
		t.Errorf("refreshing: %v", got)
	}
	if d.works(tokens.text("access_token")) || d.works(more.text("access_token")) || !d.works(untouched.text("access_token")) {
		t.Error("not exactly the person's own sessions have ended")
	}
	first.refresh(tokens.text("refresh_token")).refused(t, http.StatusBadRequest, "invalid_grant")
	if got := status.Code(d.refreshUpstream(d.grpc, account)); got != codes.FailedPrecondition {
		t.Errorf("refreshing again: %v", got)
	}
	if !d.works(first.tokens("ana@acme.test").text("access_token")) {
		t.Error("the person can't sign in again")
	}
}

func TestAtlassianAway(t *testing.T) {
	d := deploy(t)
	d.change("token_seconds", "60")
	a := d.connect("Codex")
	account, tokens := a.account("ana@acme.test")
	d.stopAtlassian()
	if got := status.Code(d.refreshUpstream(d.grpc, account)); got != codes.Unavailable {
		t.Errorf("refreshing: %v", got)
	}
	// The groups that are known stay so, and the assistant stays signed in.
	if got := a.refresh(tokens.text("refresh_token")); got.status != http.StatusOK {
		t.Errorf("the assistant's refresh: %d %v", got.status, got.body)
	}
	groups, err := d.store.Groups(t.Context(), account)
	if err != nil || !groups.Known {
		t.Errorf("groups are %+v, error %v", groups, err)
	}

	// It comes back having forgotten everything: Sallyport registers again.
	d.startAtlassian()
	if !d.works(a.tokens("ana@acme.test").text("access_token")) {
		t.Error("no sign-in after Atlassian forgot the registration")
	}
	if got := status.Code(d.refreshUpstream(d.grpc, "nobody")); got != codes.FailedPrecondition {
		t.Errorf("refreshing for nobody: %v", got)
	}
}

func TestWrongIssuerInMetadata(t *testing.T) {
	wrong := map[string]string{"issuer_without_path": "true"}
	d := deploySwitched(t, wrong)
	a := d.connect("Codex")
	got := a.calledBack(a.browser.submit(a.browser.open(a.authorizeURL()), "decision", "allow"))
	if got.Get("error") != "server_error" || !strings.Contains(d.log.String(), "--issuer-tolerance") {
		t.Errorf("called back with %v", got)
	}

	tolerant := deploySwitched(t, wrong, func(cfg *identity.Config) { cfg.IssuerTolerance = true })
	if !tolerant.works(tolerant.connect("Codex").tokens("ana@acme.test").text("access_token")) {
		t.Error("no sign-in with the tolerance")
	}
}

func TestAtlassianSaysNo(t *testing.T) {
	d := deploy(t)
	a := d.connect("Codex")
	accept := a.browser.submit(a.browser.submit(a.browser.open(a.authorizeURL()), "decision", "allow"), "email", "ana@acme.test")
	got := a.calledBack(a.browser.submit(accept, "decision", "cancel"))
	if got.Get("error") != "access_denied" || !strings.Contains(got.Get("error_description"), "User did not authorize") {
		t.Errorf("called back with %v", got)
	}
}
