package admin_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/state"
)

func TestRoleOf(t *testing.T) {
	text, err := os.ReadFile("testdata/roles.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Bindings []struct{ Role, Group, User, Account string }
		Cases    []struct {
			Why, Person, Role string
			Groups            []string
		}
	}
	err = yaml.Unmarshal(text, &file)
	if err != nil {
		t.Fatal(err)
	}
	var bindings []state.RoleBinding
	for _, b := range file.Bindings {
		bindings = append(bindings, state.RoleBinding{Role: b.Role, GroupID: b.Group, Email: b.User, AccountID: b.Account})
	}
	for _, c := range file.Cases {
		account, email, _ := strings.Cut(c.Person, " ")
		var groups []state.Group
		for _, id := range c.Groups {
			groups = append(groups, state.Group{ID: id, Name: "g-admins"})
		}
		if got := admin.RoleOf(account, email, groups, bindings); got != c.Role {
			t.Errorf("%s: got %q, want %q", c.Why, got, c.Role)
		}
	}
	if got := admin.RoleOf("", "", nil, []state.RoleBinding{{Role: "admin"}}); got != "" {
		t.Errorf("a binding to nobody gives %q", got)
	}
}

const (
	asViewer  = adminv1.Role_ROLE_VIEWER
	asAuditor = adminv1.Role_ROLE_AUDITOR
	asAdmins  = adminv1.Role_ROLE_ADMIN
)

func bind(role adminv1.Role, who string) *adminv1.RoleBinding {
	return &adminv1.RoleBinding{Role: role, Who: who}
}

func TestSetRoles(t *testing.T) {
	cfg := redisOnly(t)
	d := &directory{site: []*identityv1.Group{{Id: "g1", Name: "site-admins"}, {Id: "g2", Name: "Support"}, {Id: "g3", Name: "support"}}}
	cfg.Identity = serveDirectory(t, d)
	client := adminv1.NewAccessServiceClient(start(t, cfg))
	ctx := asAdmin(t)
	none, err := client.GetRoles(ctx, &adminv1.GetRolesRequest{})
	if err != nil || none.GetVersion() != 0 || len(none.GetBindings()) > 0 || none.GetSavedAt() != nil {
		t.Errorf("a new installation has roles %v, %v", none, err)
	}
	long := strings.Repeat("x", 1001)
	for name, test := range map[string]struct {
		base     int64
		message  string
		bindings []*adminv1.RoleBinding
		code     codes.Code
		says     string
	}{
		"nobody":            {0, "", nil, codes.InvalidArgument, "Nobody would be admin any more"},
		"no admin":          {0, "", []*adminv1.RoleBinding{bind(asAuditor, "user:ana@acme.test")}, codes.InvalidArgument, "Nobody would be admin any more"},
		"no role":           {0, "", []*adminv1.RoleBinding{bind(0, "user:ana@acme.test")}, codes.InvalidArgument, "bindings[0]: the role is missing"},
		"a role to come":    {0, "", []*adminv1.RoleBinding{bind(7, "user:ana@acme.test")}, codes.InvalidArgument, "bindings[0]: the role is missing"},
		"no kind":           {0, "", []*adminv1.RoleBinding{bind(asAdmins, "ana@acme.test")}, codes.InvalidArgument, "bindings[0]: who is"},
		"nobody's name":     {0, "", []*adminv1.RoleBinding{bind(asAdmins, "user: ")}, codes.InvalidArgument, "bindings[0]: who is"},
		"anybody":           {0, "", []*adminv1.RoleBinding{bind(asAdmins, "any")}, codes.InvalidArgument, "bindings[0]: who is"},
		"no such group":     {0, "", []*adminv1.RoleBinding{bind(asAdmins, "group:admins")}, codes.InvalidArgument, `bindings[0]: the site has no group "admins"`},
		"two groups":        {0, "", []*adminv1.RoleBinding{bind(asAdmins, "group:SUPPORT")}, codes.InvalidArgument, "bindings[0]: 2 groups of the site are called"},
		"too many words":    {0, long, []*adminv1.RoleBinding{bind(asAdmins, "user:ana@acme.test")}, codes.InvalidArgument, "message has 1001 characters"},
		"an older version":  {3, "", []*adminv1.RoleBinding{bind(asAdmins, "user:ana@acme.test")}, codes.Aborted, "Version 0 of the roles holds, and this change started from version 3"},
		"too many bindings": {0, "", make([]*adminv1.RoleBinding, 1001), codes.InvalidArgument, "There are 1001 bindings"},
	} {
		_, err := client.SetRoles(ctx, &adminv1.SetRolesRequest{Bindings: test.bindings, BaseVersion: test.base, Message: test.message})
		if status.Code(err) != test.code || !strings.HasPrefix(status.Convert(err).Message(), test.says) {
			t.Errorf("%s: %v, want %v that says %q", name, err, test.code, test.says)
		}
	}
	sent := []*adminv1.RoleBinding{
		bind(asAdmins, "group:Site-Admins"), bind(asAdmins, "group:g1"), bind(asAuditor, "user: Ana@Acme.test"), bind(asViewer, "user:712020:bo"), bind(asViewer, "group:g2"),
	}
	saved, err := client.SetRoles(ctx, &adminv1.SetRolesRequest{Bindings: sent})
	want := []*adminv1.RoleBinding{
		{Role: asAdmins, Who: "group:g1", Name: "site-admins"}, bind(asAuditor, "user:ana@acme.test"), bind(asViewer, "user:712020:bo"), {Role: asViewer, Who: "group:g2", Name: "Support"},
	}
	if diff := cmp.Diff(want, saved.GetBindings(), protocmp.Transform()); err != nil || saved.GetVersion() != 1 || diff != "" {
		t.Fatalf("saved as version %d, %v: %s", saved.GetVersion(), err, diff)
	}
	got, err := client.GetRoles(with(t, viewerToken), &adminv1.GetRolesRequest{})
	if diff := cmp.Diff(want, got.GetBindings(), protocmp.Transform()); err != nil || got.GetSavedBy() != "admin" || got.GetVersion() != 1 || diff != "" {
		t.Errorf("read are %v, %v: %s", got, err, diff)
	}
	// Where Jira doesn't answer, what is bound can stay, and nothing can be added that nobody has looked up.
	d.err = status.Error(codes.Unavailable, "Jira doesn't answer")
	_, err = client.SetRoles(ctx, &adminv1.SetRolesRequest{Bindings: append(got.GetBindings(), bind(asViewer, "group:g3")), BaseVersion: 1})
	if status.Code(err) != codes.Unavailable || status.Convert(err).Message() != "Jira doesn't answer" {
		t.Errorf("a new group without Jira: %v", err)
	}
	_, err = client.SetRoles(ctx, &adminv1.SetRolesRequest{Bindings: got.GetBindings()[:2], BaseVersion: 1})
	if err != nil {
		t.Errorf("without Jira: %v", err)
	}
}

// TestPeopleHaveRoles calls as a person whose bindings and groups change between calls.
func TestPeopleHaveRoles(t *testing.T) {
	cfg := redisOnly(t)
	store := state.Open(cfg.Redis)
	defer store.Close()
	d := &directory{of: map[string][]*identityv1.Group{}}
	signInAdmin(t, store, "anas-token", consoleURL)
	signInAdmin(t, store, "her-assistants-token", "https://sallyport.test/mcp")
	call := admin.PersonalGuard(store, processtest.Dial(t, serveDirectory(t, d)), consoleURL)
	version := int64(0)
	bound := func(bindings ...state.RoleBinding) {
		t.Helper()
		next, err := store.SaveRoles(t.Context(), version, bindings, state.Save{})
		if err != nil {
			t.Fatal(err)
		}
		version = next
	}
	for _, test := range []struct {
		why   string
		first func()
		token string
		code  codes.Code
		says  string
	}{
		{"nobody's token", func() {}, "somebody's", codes.Unauthenticated, "The token is none that Sallyport knows"},
		{"a token for the MCP endpoint", func() {}, "her-assistants-token", codes.Unauthenticated, "The token is none that Sallyport knows"},
		{"no roles yet", func() {}, "anas-token", codes.PermissionDenied, "GetPolicy needs the role viewer, and ana@acme.test (a person) has no role. Ask whoever holds the admin service's token file."},
		{"bound is somebody else", func() { bound(state.RoleBinding{Role: "admin", Email: "bo@acme.test"}) }, "anas-token", codes.PermissionDenied, "GetPolicy needs the role viewer, and ana@acme.test (a person) has no role. Ask an admin for it: bo@acme.test."},
		{"a group of hers is bound", func() {
			bound(state.RoleBinding{Role: "viewer", GroupID: "g1", GroupName: "support"})
			d.of["712020:ana"] = []*identityv1.Group{{Id: "g1"}}
		}, "anas-token", codes.OK, ""},
		{"Jira doesn't answer", func() { d.err = status.Error(codes.Unavailable, "Jira doesn't answer") }, "anas-token", codes.PermissionDenied, "GetPolicy needs"},
		{"it answers again", func() { d.err = nil }, "anas-token", codes.OK, ""},
		{"she left the group", func() { d.of["712020:ana"] = nil }, "anas-token", codes.PermissionDenied, "GetPolicy needs"},
		{"groups that are kept count before Jira", func() {
			err := errors.Join(store.SaveUpstream(t.Context(), "712020:ana", state.Upstream{ExpiresAt: time.Now().Add(time.Hour)}), saveGroups(t.Context(), store, true))
			if err != nil {
				t.Fatal(err)
			}
		}, "anas-token", codes.OK, ""},
		{"kept groups that aren't known give nothing", func() {
			err := saveGroups(t.Context(), store, false)
			if err != nil {
				t.Fatal(err)
			}
		}, "anas-token", codes.PermissionDenied, "GetPolicy needs"},
		{"bound by name", func() { bound(state.RoleBinding{Role: "auditor", Email: "ana@acme.test"}) }, "anas-token", codes.OK, ""},
		{"signed out", func() {
			_, err := store.EndGrant(t.Context(), "grant of anas-token")
			if err != nil {
				t.Fatal(err)
			}
		}, "anas-token", codes.Unauthenticated, "The token is none that Sallyport knows"},
	} {
		test.first()
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+test.token))
		err := call(ctx, get)
		if status.Code(err) != test.code || !strings.HasPrefix(status.Convert(err).Message(), test.says) {
			t.Errorf("%s: %v, want %v that says %q", test.why, err, test.code, test.says)
		}
	}
}

const (
	consoleURL = "https://console.test"
	get        = "/sallyport.admin.v1.PolicyService/GetPolicy"
)

// signInAdmin signs ana in with an access token for a resource.
func signInAdmin(t *testing.T, store *state.Store, access, resource string) {
	t.Helper()
	grant := state.Grant{ID: "grant of " + access, Rev: "1", AccountID: "712020:ana", Email: "ana@acme.test", Name: "Ana", Resource: resource}
	err := errors.Join(
		store.SaveUpstream(t.Context(), grant.AccountID, state.Upstream{ExpiresAt: time.Now().Add(time.Hour)}),
		store.CreateGrant(t.Context(), grant, "code of "+access, state.Code{GrantID: grant.ID}),
		store.IssueSession(t.Context(), grant, state.TokenHash(access), time.Hour))
	if err != nil {
		t.Fatal(err)
	}
}

// TestConsoleCookie shows from which pages the cookie of the console is taken.
func TestConsoleCookie(t *testing.T) {
	store := state.Open(redisOnly(t).Redis)
	defer store.Close()
	signInAdmin(t, store, "anas-token", consoleURL)
	_, err := store.SaveRoles(t.Context(), 0, []state.RoleBinding{{Role: "viewer", Email: "ana@acme.test"}}, state.Save{})
	if err != nil {
		t.Fatal(err)
	}
	d := &directory{of: map[string][]*identityv1.Group{}}
	call := admin.PersonalGuard(store, processtest.Dial(t, serveDirectory(t, d)), consoleURL)
	const cookie = "__Host-sallyport_session=anas-token"
	for name, c := range map[string]struct {
		metadata []string
		code     codes.Code
		says     string
	}{
		"a browser's same origin":   {[]string{"cookie", "a=b; " + cookie, "sec-fetch-site", "same-origin"}, codes.OK, ""},
		"an older browser's":        {[]string{"cookie", cookie, "origin", consoleURL}, codes.OK, ""},
		"a page of the same site":   {[]string{"cookie", cookie, "sec-fetch-site", "same-site", "origin", consoleURL}, codes.Unauthenticated, "A page of another site"},
		"a page of another site":    {[]string{"cookie", cookie, "sec-fetch-site", "cross-site"}, codes.Unauthenticated, "A page of another site"},
		"another origin":            {[]string{"cookie", cookie, "origin", "https://evil.test"}, codes.Unauthenticated, "A page of another site"},
		"no word of where from":     {[]string{"cookie", cookie}, codes.Unauthenticated, "A page of another site"},
		"a cookie of another name":  {[]string{"cookie", "sallyport_session=anas-token", "sec-fetch-site", "same-origin"}, codes.Unauthenticated, "This call needs a token"},
		"a token beside the cookie": {[]string{"cookie", cookie, "sec-fetch-site", "same-origin", "authorization", "Bearer other"}, codes.Unauthenticated, "The token is none"},
	} {
		err := call(metadata.NewIncomingContext(t.Context(), metadata.Pairs(c.metadata...)), get)
		if status.Code(err) != c.code || !strings.HasPrefix(status.Convert(err).Message(), c.says) {
			t.Errorf("%s: %v, want %v that says %q", name, err, c.code, c.says)
		}
	}
}

// saveGroups keeps ana's group.
func saveGroups(ctx context.Context, store *state.Store, known bool) error {
	now, err := store.Now(ctx)
	if err != nil {
		return err
	}
	_, err = store.SaveGroups(ctx, "712020:ana", state.Groups{Known: known, List: []state.Group{{ID: "g1"}}, LearnedAt: now})
	return err
}
