package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// noon is when recorded calls were made.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// ofPolicy is a draft as a source.
func ofPolicy(p *policyv1.Policy) *adminv1.PolicySource {
	return &adminv1.PolicySource{Source: &adminv1.PolicySource_Draft{Draft: p}}
}

func TestExplainDecision(t *testing.T) {
	cfg := redisOnly(t)
	ctx, conn := asAdmin(t), start(t, cfg)
	seeded(ctx, t, adminv1.NewPolicyServiceClient(conn))
	client := adminv1.NewTrialServiceClient(conn)
	store := state.Open(cfg.Redis)
	defer store.Close()
	groups := state.Groups{Known: true, List: []state.Group{{ID: "g1", Name: "developers"}}, LearnedAt: time.Now()}
	err := store.SaveUpstream(ctx, "712020:ana", state.Upstream{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.SaveGroups(ctx, "712020:ana", groups)
	if err != nil {
		t.Fatal(err)
	}
	err = store.CreateGrant(ctx, state.Grant{ID: "g", AccountID: "712020:ana", Email: "ana@acme.test"}, "hash", state.Code{})
	if err != nil {
		t.Fatal(err)
	}
	inner, err := structpb.NewStruct(map[string]any{"name": "deleteJiraIssue", "inputs": map[string]any{"issueIdOrKey": "OPS-1"}})
	if err != nil {
		t.Fatal(err)
	}
	forGroup := ofPolicy(&policyv1.Policy{DefaultEffect: deny, Rules: []*policyv1.Rule{{Who: "group:developers", Operation: "read*", Effect: allow, Note: "devs may read"}}})
	for name, test := range map[string]struct {
		request *adminv1.ExplainDecisionRequest
		want    string
	}{
		"by the policy in force": {
			&adminv1.ExplainDecisionRequest{User: "ana@acme.test", Client: "claude", Operation: "deleteJiraIssue"},
			"deleteJiraIssue would be blocked by rule 1: AI may never delete anything.",
		},
		"inside an execute call": {
			&adminv1.ExplainDecisionRequest{User: "ana@acme.test", Client: "claude", Operation: "executeDestructive", Arguments: inner},
			"deleteJiraIssue would be blocked by rule 1: AI may never delete anything.",
		},
		"by the default": {
			&adminv1.ExplainDecisionRequest{User: "ana@acme.test", Client: "claude", Operation: "getJiraIssue"},
			"getJiraIssue would be allowed: no rule matches, and the default is allow.",
		},
		"a draft, by the groups of somebody who is signed in": {
			&adminv1.ExplainDecisionRequest{Policy: forGroup, User: "Ana@Acme.test", Client: "claude", Operation: "getJiraIssue"},
			"getJiraIssue would be allowed by rule 1: devs may read.",
		},
		"a stranger's groups aren't known": {
			&adminv1.ExplainDecisionRequest{Policy: forGroup, User: "dan@acme.test", Client: "claude", Operation: "getJiraIssue"},
			"getJiraIssue would be blocked: no rule matches, and the default is deny.",
		},
		"groups to assume": {
			&adminv1.ExplainDecisionRequest{Policy: forGroup, Groups: &adminv1.GroupNames{Groups: []string{"Developers"}}, Client: "claude", Operation: "getJiraIssue"},
			"getJiraIssue would be allowed by rule 1: devs may read.",
		},
		"a method": {
			&adminv1.ExplainDecisionRequest{User: "ana@acme.test", Client: "claude", Operation: "resources/read"},
			"resources/read would be allowed: no rule matches, and the default is allow.",
		},
	} {
		answer, err := client.ExplainDecision(ctx, test.request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if answer.GetSummary() != test.want || len(answer.GetSteps()) != 1 || answer.GetSteps()[0].GetReason() == "" {
			t.Errorf("%s: got %v", name, answer)
		}
	}
	for name, test := range map[string]struct {
		request *adminv1.ExplainDecisionRequest
		want    string
	}{
		"no operation":        {&adminv1.ExplainDecisionRequest{User: "a", Client: "claude"}, "operation is empty"},
		"no client":           {&adminv1.ExplainDecisionRequest{User: "a", Operation: "x"}, "client is empty"},
		"nobody":              {&adminv1.ExplainDecisionRequest{Client: "claude", Operation: "x"}, "user is empty"},
		"a class there isn't": {&adminv1.ExplainDecisionRequest{User: "a", Client: "claude", ClientClass: "sure", Operation: "x"}, "verified, claimed or unknown"},
		"what isn't governed": {&adminv1.ExplainDecisionRequest{User: "a", Client: "claude", Operation: "tools/list"}, "No rule decides"},
		"execute of nothing":  {&adminv1.ExplainDecisionRequest{User: "a", Client: "claude", Operation: "execute"}, "whatever the policy says"},
		"a draft with an error": {&adminv1.ExplainDecisionRequest{User: "a", Client: "claude", Operation: "x",
			Policy: ofPolicy(&policyv1.Policy{DefaultEffect: allow, Rules: []*policyv1.Rule{{}}})}, "rules[0].effect"},
	} {
		_, err := client.ExplainDecision(ctx, test.request)
		if status.Code(err) != codes.InvalidArgument || !strings.Contains(status.Convert(err).Message(), test.want) {
			t.Errorf("%s: got %v, want INVALID_ARGUMENT and %q", name, err, test.want)
		}
	}
}

// by makes a call somebody else's.
func by(r activity.Record, email, client string, groups ...string) activity.Record {
	r.User = &activity.User{ID: "id of " + email, Email: email, Group: activity.Group{Name: groups}}
	for _, g := range groups {
		r.User.Group.ID = append(r.User.Group.ID, "id of "+g)
	}
	r.Sallyport.Client = &activity.Client{Key: client, Name: client, Class: "claimed"}
	return r
}

// withEverything runs the service with a Redis and an empty Elasticsearch.
func withEverything(t testing.TB) (admin.Config, adminv1.TrialServiceClient) {
	t.Helper()
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	conn := start(t, cfg)
	seeded(asAdmin(t), t, adminv1.NewPolicyServiceClient(conn))
	return cfg, adminv1.NewTrialServiceClient(conn)
}

// simulate returns the result, and how often progress was told before.
func simulate(ctx context.Context, t testing.TB, client adminv1.TrialServiceClient, request *adminv1.SimulatePolicyRequest) (*adminv1.SimulationResult, int) {
	t.Helper()
	stream, err := client.SimulatePolicy(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	var result *adminv1.SimulationResult
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return result, told
		}
		if err != nil {
			t.Fatal(err)
		}
		if answer.GetProgress() != nil {
			told++
		}
		result = answer.GetResult()
	}
}

func TestSimulatePolicy(t *testing.T) {
	cfg, client := withEverything(t)
	unreadable := blocked(call("unreadable", noon, ""), 0, "")
	unreadable.Sallyport.Operation, unreadable.Sallyport.Refusal, unreadable.Sallyport.Rule = nil, "duplicate_member", nil
	unknown := by(call("unknown", noon.Add(5*time.Minute), "editJiraIssue"), "eve@acme.test", "cursor")
	unknown.Sallyport.GroupsUnknown = true
	index(t, cfg.Elasticsearch,
		by(call("read", noon, "getJiraIssue"), "ana@acme.test", "claude", "developers"),
		by(call("edit", noon.Add(time.Minute), "editJiraIssue"), "ana@acme.test", "claude", "developers"),
		by(call("contractor", noon.Add(2*time.Minute), "editJiraIssue"), "cy@acme.test", "claude", "contractors"),
		blocked(by(call("deleted", noon.Add(3*time.Minute), "deleteJiraIssue"), "ana@acme.test", "cursor", "developers"), 1, "no"),
		by(call("fetched", noon.Add(4*time.Minute), "createConfluencePage"), "cy@acme.test", "claude", "contractors"),
		unknown, unreadable,
		by(call("long ago", noon.Add(-48*time.Hour), "editJiraIssue"), "cy@acme.test", "claude", "contractors"),
	)
	draft := ofPolicy(&policyv1.Policy{DefaultEffect: allow, Rules: []*policyv1.Rule{
		{Id: "watch", Operation: "read*", Effect: deny, Mode: policyv1.Mode_MODE_MONITOR},
		{Id: "contractors", Who: "group:id of contractors", Operation: "write*", Effect: deny},
	}})
	result, _ := simulate(asAdmin(t), t, client, &adminv1.SimulatePolicyRequest{
		Policy: draft, Since: timestamppb.New(noon.Add(-time.Hour)), Until: timestamppb.New(noon.Add(time.Hour)), MaxRecords: 2,
	})
	totals := fmt.Sprint(result.GetCalls(), " calls ", result.GetNewlyBlocked(), " blocked ", result.GetNewlyAllowed(), " allowed ", result.GetNotDecided(), " not decided")
	if totals != "7 calls 3 blocked 1 allowed 1 not decided" {
		t.Errorf("got %s", totals)
	}
	var rules []string
	for _, r := range result.GetRules() {
		rules = append(rules, fmt.Sprint(r.GetRuleNumber(), r.GetRuleId(), r.GetDecided(), r.GetNewlyBlocked(), r.GetNewlyAllowed(), r.GetMonitored()))
	}
	if diff := cmp.Diff([]string{"1watch0 0 0 1", "2contractors3 3 0 0", "03 0 1 0"}, rules); diff != "" {
		t.Error(diff)
	}
	for name, test := range map[string]struct {
		got  []*adminv1.ChangedCount
		want string
	}{
		"users":      {result.GetUsers(), "cy@acme.test 2/0, ana@acme.test 0/1, eve@acme.test 1/0"},
		"clients":    {result.GetClients(), "claude 2/0, cursor 1/1"},
		"operations": {result.GetOperations(), "editJiraIssue 2/0, createConfluencePage 1/0, deleteJiraIssue 0/1"},
	} {
		var counts []string
		for _, c := range test.got {
			counts = append(counts, fmt.Sprintf("%s %d/%d", c.GetKey(), c.GetNewlyBlocked(), c.GetNewlyAllowed()))
		}
		if got := strings.Join(counts, ", "); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
	var records []string
	for _, r := range result.GetRecords() {
		records = append(records, fmt.Sprintf("%s %s %s→%s by %d", r.GetId(), r.GetUser(), r.GetWas(), r.GetWouldBe(), r.GetRuleNumber()))
	}
	if diff := cmp.Diff([]string{"unknown eve@acme.test allowed→blocked by 2", "fetched cy@acme.test allowed→blocked by 2"}, records); diff != "" {
		t.Error(diff)
	}
}

func TestSimulatePolicyOfNothing(t *testing.T) {
	_, client := withEverything(t)
	result, _ := simulate(asAdmin(t), t, client, &adminv1.SimulatePolicyRequest{Since: timestamppb.New(noon)})
	if result.GetCalls() != 0 || len(result.GetRules()) != 2 {
		t.Errorf("got %v", result)
	}
	stream, err := client.SimulatePolicy(asAdmin(t), &adminv1.SimulatePolicyRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("without since: %v", err)
	}
}

// TestOperations shows what is known of operations: those the site offers, those that were called,
// and what rules mean by a pattern.
func TestOperations(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	ctx, conn := asAdmin(t), start(t, cfg)
	seeded(ctx, t, adminv1.NewPolicyServiceClient(conn))
	client, trial := adminv1.NewOperationServiceClient(conn), adminv1.NewTrialServiceClient(conn)

	none, err := client.ListOperations(ctx, &adminv1.ListOperationsRequest{})
	if err != nil || len(none.GetOperations()) != 0 || len(none.GetUnknown()) != 1 || !strings.Contains(none.GetUnknown()[0], "first person signs in") {
		t.Fatalf("at first: %v, %v", none, err)
	}
	store := state.Open(cfg.Redis)
	defer store.Close()
	tool := func(name string) state.Tool {
		return state.Tool{Name: name, Description: "about " + name, SchemaHash: "1"}
	}
	for _, offered := range [][]state.Tool{
		{tool("getJiraIssue"), tool("createJiraIssue")},
		{tool("getJiraIssue"), tool("createJiraIssue"), tool("purgeJiraProject")},
	} {
		_, err := store.SaveTools(ctx, offered, time.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	index(t, cfg.Elasticsearch, call("1", time.Now(), "deleteJiraIssue"), call("2", time.Now(), "deleteJiraIssue"), call("3", time.Now(), "getJiraIssue"))
	matched, err := client.ListOperations(ctx, &adminv1.ListOperationsRequest{Pattern: "delete*"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range matched.GetOperations() {
		got = append(got, fmt.Sprintf("%s offered=%t calls=%d %s %q", o.GetName(), o.GetOffered(), o.GetCalls(), o.GetNotice(), o.GetDecidedBy()))
	}
	want := []string{`deleteJiraIssue offered=false calls=2  "Rule 1 blocks it."`, `purgeJiraProject offered=true calls=0 new "Rule 1 blocks it."`}
	if diff := cmp.Diff(want, got); diff != "" || matched.GetKnown() != 8 {
		t.Errorf("%d are known; %s", matched.GetKnown(), diff)
	}

	lint, err := trial.LintPolicy(ctx, &adminv1.LintPolicyRequest{Policy: ofPolicy(denying("purgeJiraProjects", "delete*", "delete*"))})
	if err == nil {
		t.Errorf("two rules with one id were taken: %v", lint)
	}
	lint, err = trial.LintPolicy(ctx, &adminv1.LintPolicyRequest{Policy: ofPolicy(denying("purgeJiraProjects", "delete*", "jira delete*"))})
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, f := range lint.GetFindings() {
		got = append(got, fmt.Sprint(f.GetKind(), f.GetRuleNumber(), f.GetNear()))
	}
	if diff := cmp.Diff([]string{"matches_nothing1 [purgeJiraProject]", "unreachable3 []"}, got); diff != "" {
		t.Error(diff)
	}
	if unchecked := lint.GetUnchecked(); len(unchecked) != 1 || !strings.Contains(unchecked[0], "Groups weren't checked: The identity service doesn't answer") {
		t.Errorf("unchecked: %q", unchecked)
	}

	shown, err := adminv1.NewStatusServiceClient(conn).GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil || len(shown.GetNotices()) != 1 || shown.GetNotices()[0].GetName() != "purgeJiraProject" {
		t.Errorf("status: %v, %v", shown.GetNotices(), err)
	}
	reviewed, err := client.ReviewOperations(ctx, &adminv1.ReviewOperationsRequest{})
	if err != nil || reviewed.GetReviewed() != 1 {
		t.Errorf("reviewed %v, %v", reviewed, err)
	}
	shown, err = adminv1.NewStatusServiceClient(conn).GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil || len(shown.GetNotices()) != 0 {
		t.Errorf("after the review: %v, %v", shown.GetNotices(), err)
	}
}
