package admin_test

import (
	"context"
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

// directory is identity's side of the wire, which answers with groups or an error, or nothing for too long.
type directory struct {
	identityv1.UnimplementedDirectoryServiceServer
	err error
	// site are the groups there are, and of those of each person.
	site []*identityv1.Group
	of   map[string][]*identityv1.Group
}

func (d *directory) ListGroups(context.Context, *identityv1.ListGroupsRequest) (*identityv1.ListGroupsResponse, error) {
	return &identityv1.ListGroupsResponse{Groups: d.site}, d.err
}

func (d *directory) LookUpGroups(_ context.Context, request *identityv1.LookUpGroupsRequest) (*identityv1.LookUpGroupsResponse, error) {
	return &identityv1.LookUpGroupsResponse{Groups: d.of[request.GetAccountId()]}, d.err
}

func (d *directory) CheckDirectory(ctx context.Context, _ *identityv1.CheckDirectoryRequest) (*identityv1.CheckDirectoryResponse, error) {
	if status.Code(d.err) == codes.DeadlineExceeded {
		<-ctx.Done()
	}
	return &identityv1.CheckDirectoryResponse{}, d.err
}

// serveDirectory returns the address of an identity that answers so.
func serveDirectory(t *testing.T, d *directory) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	identityv1.RegisterDirectoryServiceServer(server, d)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// setup returns the item of a name, as state and detail.
func setup(t *testing.T, cfg admin.Config, name string) (adminv1.SetupState, string) {
	t.Helper()
	answer, err := adminv1.NewStatusServiceClient(start(t, cfg)).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range answer.GetSetup() {
		if item.GetName() == name {
			return item.GetState(), item.GetDetail()
		}
	}
	t.Fatalf("no %s in %v", name, answer.GetSetup())
	return 0, ""
}

// TestSetupOfSites says whether anybody is kept out, and nothing where identity doesn't tell.
func TestSetupOfSites(t *testing.T) {
	cfg := redisOnly(t)
	check := func(when string, want adminv1.SetupState, detail string) {
		t.Helper()
		if state, got := setup(t, cfg, "sites"); state != want || got != detail {
			t.Errorf("%s it is %s: %s", when, state, got)
		}
	}
	check("without identity", adminv1.SetupState_SETUP_STATE_UNKNOWN, "identity doesn't tell whose accounts may sign in.")
	cfg.IdentityOps = telling(t, map[string]string{"sites": ""})
	check("without sites", adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, "Whoever has an Atlassian account, of whatever site, may sign in. "+
		"Start identity with --sites (SALLYPORT_SITES) and the host name of your site, such as acme.atlassian.net.")
	cfg.IdentityOps = telling(t, map[string]string{"sites": "acme.atlassian.net,beta.atlassian.net"})
	check("with sites", adminv1.SetupState_SETUP_STATE_DONE, "Only accounts of acme.atlassian.net, beta.atlassian.net may sign in.")
}

func TestSetupOfGroups(t *testing.T) {
	t.Parallel()
	cfg := redisOnly(t)
	for name, test := range map[string]struct {
		answer error
		state  adminv1.SetupState
		detail string
	}{
		"it works":           {nil, adminv1.SetupState_SETUP_STATE_DONE, ""},
		"no credential":      {status.Error(codes.FailedPrecondition, "identity has no Jira service credential; start it with --jira-url"), adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, "identity has no Jira service credential. Start it with --jira-url."},
		"no such site":       {status.Error(codes.NotFound, "Jira knows no such site"), adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, "Jira knows no such site."},
		"Jira doesn't say":   {status.Error(codes.Unavailable, "Jira wants a pause"), adminv1.SetupState_SETUP_STATE_UNKNOWN, "Jira wants a pause."},
		"identity says none": {status.Error(codes.DeadlineExceeded, ""), adminv1.SetupState_SETUP_STATE_UNKNOWN, "The identity service, which asks Jira, took too long to answer. Look into its log, and try once more."},
	} {
		cfg.Identity = serveDirectory(t, &directory{err: test.answer})
		state, detail := setup(t, cfg, "groups")
		if state != test.state || detail != test.detail {
			t.Errorf("%s: got %v, %q", name, state, detail)
		}
	}
	cfg.Identity = nowhere
	state, detail := setup(t, cfg, "groups")
	if state != adminv1.SetupState_SETUP_STATE_UNKNOWN || !strings.HasPrefix(detail, "The identity service doesn't answer.") {
		t.Errorf("without identity: got %v, %q", state, detail)
	}
}

func TestSetupOfTools(t *testing.T) {
	t.Parallel()
	cfg := redisOnly(t)
	check := func(when string, want adminv1.SetupState, says string) {
		t.Helper()
		state, detail := setup(t, cfg, "tools")
		if state != want || !strings.Contains(detail, says) || says == "" && detail != "" {
			t.Errorf("%s: got %v, %q", when, state, detail)
		}
	}
	store := state.Open(cfg.Redis)
	defer store.Close()
	offer := func(names ...string) {
		t.Helper()
		var tools []state.Tool
		for _, name := range names {
			tools = append(tools, state.Tool{Name: name, SchemaHash: "1"})
		}
		_, err := store.SaveTools(t.Context(), tools, time.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	check("before the first sign-in", adminv1.SetupState_SETUP_STATE_UNKNOWN, "learned when the first person signs in")
	offer("getJiraIssue")
	check("with the first tools", adminv1.SetupState_SETUP_STATE_DONE, "")
	offer("getJiraIssue", "purgeJiraProject")
	check("with another", adminv1.SetupState_SETUP_STATE_ACTION_NEEDED,
		"1 tool of the site is new, changed or gone since tools were last reviewed: purgeJiraProject (new). Look at them with `sallyport policy operations --notices`")
	many := []string{"getJiraIssue", "purgeJiraProject"}
	for i := range 6 {
		many = append(many, fmt.Sprint("tool", i))
	}
	offer(many...)
	check("with many", adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, "7 tools of the site are")
	check("with many", adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, "(new), 2 more. Look")
	err := store.ReviewTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	check("after the review", adminv1.SetupState_SETUP_STATE_DONE, "")
	cfg.Redis = ""
	check("without Redis", adminv1.SetupState_SETUP_STATE_UNKNOWN, "Redis doesn't answer")
}
