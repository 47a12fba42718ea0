package identity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/identity"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/state"
)

func (d *deployment) directory(address string) identityv1.DirectoryServiceClient {
	d.t.Helper()
	return identityv1.NewDirectoryServiceClient(processtest.Dial(d.t, address))
}

func names(groups []*identityv1.Group) string {
	var all []string
	for _, g := range groups {
		all = append(all, g.GetName())
	}
	return strings.Join(all, " ")
}

// lookUp asks for a person's groups and returns their names, or what is wrong.
func (d *deployment) lookUp(address, account string) string {
	d.t.Helper()
	got, err := d.directory(address).LookUpGroups(d.t.Context(), &identityv1.LookUpGroupsRequest{AccountId: account})
	if err != nil {
		return err.Error()
	}
	return names(got.GetGroups())
}

// refreshed invalidates a person's groups, or everybody's, and checks for how many Jira answered.
func (d *deployment) refreshed(account string, refreshed, unknown int32) {
	d.t.Helper()
	got, err := d.directory(d.grpc).RefreshGroups(d.t.Context(), &identityv1.RefreshGroupsRequest{AccountId: account})
	if err != nil || got.GetRefreshed() != refreshed || got.GetUnknown() != unknown {
		d.t.Errorf("refreshing %q: %v, error %v; want %d refreshed and %d unknown", account, got, err, refreshed, unknown)
	}
}

func TestListGroups(t *testing.T) {
	j := &jira{}
	for kind, credential := range map[string]func(*identity.Config){"classic": j.before(t), "scoped": scoped(t)} {
		d := deploy(t, credential)
		for query, want := range map[string]string{"": "contractors developers site-admins", "ADM": "site-admins", "nobody": ""} {
			got, err := d.directory(d.grpc).ListGroups(t.Context(), &identityv1.ListGroupsRequest{Query: query})
			if err != nil || names(got.GetGroups()) != want {
				t.Errorf("%s, %q: %v, error %v", kind, query, got, err)
			}
		}
	}
	if j.count("group/bulk") != 6 {
		t.Errorf("asked %d times; want two pages, three times", j.count("group/bulk"))
	}
}

func TestLookUpGroupsStoresNothing(t *testing.T) {
	d := deploy(t)
	account, _ := d.connect("Codex").account("ana@acme.test")
	d.change("people/ana@acme.test/groups", `["site-admins"]`)
	if got := d.lookUp(d.grpc, account); got != "site-admins" || d.names(account) != "developers" {
		t.Errorf("looked up %q, stored are %q", got, d.names(account))
	}
	d.change("lose_groups", "503")
	for account, want := range map[string]codes.Code{"": codes.InvalidArgument, account: codes.Unavailable} {
		_, err := d.directory(d.grpc).LookUpGroups(t.Context(), &identityv1.LookUpGroupsRequest{AccountId: account})
		if status.Code(err) != want {
			t.Errorf("%q: %v", account, err)
		}
	}
	d.change("lose_groups", "0")
	if got := d.lookUp(d.grpc, "nobody"); !strings.Contains(got, "NotFound") || !strings.Contains(got, "Jira knows no such person") {
		t.Errorf("looking up nobody: %s", got)
	}
}

func TestCredentialsThatDontWork(t *testing.T) {
	for name, c := range map[string]struct {
		credential func(*identity.Config)
		says       string
	}{
		"none":  {withoutDirectory, "start it with --jira-url"},
		"wrong": {func(cfg *identity.Config) { cfg.JiraUser = "somebody@acme.test" }, "check --jira-user and the token in --jira-token-file"},
	} {
		d := deploy(t, c.credential)
		directory := d.directory(d.grpc)
		_, list := directory.ListGroups(t.Context(), &identityv1.ListGroupsRequest{})
		_, lookUp := directory.LookUpGroups(t.Context(), &identityv1.LookUpGroupsRequest{AccountId: "ana"})
		_, check := directory.CheckDirectory(t.Context(), &identityv1.CheckDirectoryRequest{})
		for _, err := range []error{list, lookUp, check} {
			if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	d := deploy(t, withoutDirectory)
	_, err := d.directory(d.grpc).RefreshGroups(t.Context(), &identityv1.RefreshGroupsRequest{})
	if status.Code(err) != codes.FailedPrecondition {
		t.Errorf("refreshing without a credential: %v", err)
	}
}

func TestRefreshGroupsBindsTheNextCall(t *testing.T) {
	d := deploy(t)
	ana, _ := d.connect("Codex").account("ana@acme.test")
	bo, _ := d.connect("Codex").account("bo@acme.test")
	d.change("people/ana@acme.test/groups", `["contractors"]`)
	d.change("people/bo@acme.test/groups", `["contractors"]`)
	d.refreshed(ana, 1, 0)
	if d.names(ana) != "contractors" || d.names(bo) != "developers site-admins" {
		t.Errorf("ana is in %q, bo in %q", d.names(ana), d.names(bo))
	}
	d.refreshed("", 2, 0)
	if d.names(bo) != "contractors" {
		t.Errorf("bo is in %q", d.names(bo))
	}
}

func TestRefreshGroupsFailsSafe(t *testing.T) {
	d := deploy(t)
	ana, _ := d.connect("Codex").account("ana@acme.test")
	bo, _ := d.connect("Codex").account("bo@acme.test")
	d.change("lose_groups", "503")
	d.refreshed(ana, 0, 1)
	if d.names(ana) != "unknown" || d.names(bo) != "developers site-admins" {
		t.Errorf("ana is in %q, bo in %q", d.names(ana), d.names(bo))
	}
	// What was asked before the invalidation doesn't undo it.
	late := state.Groups{Known: true, LearnedAt: d.groups(ana).LearnedAt.Add(-1)}
	if _, err := d.store.SaveGroups(t.Context(), ana, late); err != nil || d.names(ana) != "unknown" {
		t.Errorf("an older answer made them %q, error %v", d.names(ana), err)
	}
	d.change("lose_groups", "429")
	d.refreshed("", 0, 2)
	if d.names(bo) != "unknown" {
		t.Errorf("bo is in %q", d.names(bo))
	}
}

func TestRefreshGroupsThatIsCutOffFailsSafe(t *testing.T) {
	j := &jira{}
	d := deploy(t, j.before(t))
	var accounts []string
	for _, email := range []string{"ana@acme.test", "bo@acme.test"} {
		account, _ := d.connect("Codex").account(email)
		accounts = append(accounts, account)
	}
	j.stuck.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := d.directory(d.grpc).RefreshGroups(ctx, &identityv1.RefreshGroupsRequest{})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("refreshing: %v", err)
	}
	for _, account := range accounts {
		d.eventually("the groups are unknown", func() bool { return d.names(account) == "unknown" })
	}
}

// check asks whether groups can be learned; it is empty where they can.
func (d *deployment) check() string {
	d.t.Helper()
	_, err := d.directory(d.grpc).CheckDirectory(d.t.Context(), &identityv1.CheckDirectoryRequest{})
	if err != nil {
		return status.Code(err).String() + ": " + status.Convert(err).Message()
	}
	return ""
}

func TestCheckDirectoryAsksJiraOnceAMinute(t *testing.T) {
	j := &jira{}
	d := deploy(t, j.before(t))
	d.change("lose_groups", "503")
	if got := d.check(); !strings.HasPrefix(got, "Unavailable: Jira doesn't tell groups right now") {
		t.Errorf("while Jira fails: %q", got)
	}
	d.change("lose_groups", "0")
	for range 3 {
		if got := d.check(); got != "" {
			t.Errorf("while Jira answers: %q", got)
		}
	}
	if got := j.count("group/bulk"); got != 2 {
		t.Errorf("Jira was asked %d times, want once while it failed and once more", got)
	}
	// A lookup that fails in that minute is heard.
	d.change("lose_groups", "503")
	d.lookUp(d.grpc, "ana")
	if got := d.check(); got == "" {
		t.Error("Jira fails, and the check says it doesn't")
	}
}

func TestCheckDirectoryDoesntWaitForJira(t *testing.T) {
	j := &jira{}
	d := deploy(t, j.before(t))
	j.stuck.Store(true)
	if got := d.check(); !strings.HasPrefix(got, "Unavailable: Jira doesn't tell groups right now") {
		t.Errorf("got %q", got)
	}
}
