package admin_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
)

// TestGetRecordHasTheRuleAsItWas decides by the second of three versions and looks at the record when the third
// is in force, and when Redis, which has the versions, is away.
func TestGetRecordHasTheRuleAsItWas(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	conn := start(t, cfg)
	ctx, policies, client := asAdmin(t), adminv1.NewPolicyServiceClient(conn), adminv1.NewActivityServiceClient(conn)
	seeded(ctx, t, policies)
	var decided *policyv1.Rule
	for base, note := range []string{"Not on Fridays", "Never"} {
		p := denying("a")
		p.Rules[0].Note = note
		saved, err := policies.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: p, BaseVersion: int64(base + 1), Message: note})
		if err != nil {
			t.Fatal(err)
		}
		if base == 0 {
			decided = saved.GetPolicy().GetRules()[0]
		}
	}
	r := blocked(call("old", time.Now().Add(-40*24*time.Hour), "deleteJiraIssue"), 1, "Not on Fridays")
	r.Sallyport.PolicyVersion, r.Sallyport.Rule.ID = 2, decided.GetId()
	gone := r
	gone.Event.ID, gone.Sallyport.PolicyVersion = "gone", 7
	other := r
	other.Event.ID, other.Sallyport.Rule = "other", &activity.Rule{ID: "elsewhere", Number: 1}
	byDefault := call("default", time.Now(), "getJiraIssue")
	byDefault.Sallyport.PolicyVersion = 3
	refused := call("refused", time.Now(), "getJiraIssue")
	refused.Sallyport.Decision, refused.Sallyport.Refusal, refused.Sallyport.PolicyVersion = activity.Blocked, "parse_error", 3
	index(t, cfg.Elasticsearch, r, gone, other, byDefault, refused)
	get := func(id string) *adminv1.DecidingPolicy {
		t.Helper()
		got, err := client.GetRecord(ctx, &adminv1.GetRecordRequest{Id: id})
		if err != nil || got.GetRecord().GetId() != id {
			t.Fatalf("%s gives %v, %v", id, got, err)
		}
		return got.GetPolicy()
	}
	if p := get("old"); p.GetVersion() != 2 || p.GetRule().GetNote() != "Not on Fridays" || p.GetMessage() != "Not on Fridays" || p.GetSavedBy() != "admin" || p.GetMissing() != "" || p.GetSavedAt() == nil {
		t.Errorf("the policy that decided is %v", p)
	}
	if p := get("gone"); p.GetVersion() != 7 || p.GetRule() != nil || !strings.HasPrefix(p.GetMissing(), "The policy has no version 7 in its history.") {
		t.Errorf("of a version that isn't in the history: %v", p)
	}
	if p := get("other"); p.GetRule() != nil || !strings.HasPrefix(p.GetMissing(), "The history's version of the policy isn't the one that decided") {
		t.Errorf("of a version with other rules: %v", p)
	}
	if p := get("default"); p.GetRule() != nil || p.GetMissing() != "" || p.GetDefaultEffect() == policyv1.Effect_EFFECT_UNSPECIFIED {
		t.Errorf("where the default decided: %v", p)
	}
	if p := get("refused"); p != nil {
		t.Errorf("where no policy was asked: %v", p)
	}
	client = adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: cfg.Elasticsearch}))
	if p := get("old"); p.GetVersion() != 2 || p.GetRule() != nil || !strings.HasPrefix(p.GetMissing(), "Redis doesn't answer") {
		t.Errorf("without Redis: %v", p)
	}
}

// TestGetRecordFindsAnyDayAndKind finds a record of months ago, one that no rule governs and an act; not one half
// of a record, and no part of an id.
func TestGetRecordFindsAnyDayAndKind(t *testing.T) {
	address := elastictest.Empty(t)
	old := call("old-1", time.Now().Add(-200*24*time.Hour), "getJiraIssue")
	old.Sallyport.UpstreamTrace, old.Sallyport.UpstreamRequest, old.Sallyport.MCPSession = "7c1f", "ab12", "5e55"
	old.User.Group = activity.Group{ID: []string{"g1"}, Name: []string{"developers"}}
	old.Sallyport.Outcome, old.Sallyport.OutcomeReason = activity.OutcomeUnknown, activity.UnreadCutOff
	failed := call("failed", time.Now(), "getJiraIssue")
	failed.Error = &activity.Error{Code: "-32602"}
	act := activity.Record{
		Timestamp: time.Now(), Event: activity.Event{ID: "act", Action: "policy.save", Outcome: "success"},
		User: &activity.User{Name: "admin"}, Sallyport: activity.Sallyport{Act: &activity.Act{Caller: "token_file"}},
	}
	initialize := call("initialize", time.Now(), "initialize")
	initialize.Sallyport.Ungoverned = true
	index(t, address, old, failed, act)
	indexInto(t, address, func(r activity.Record) string { return activity.IndexOf(r.Timestamp, false) }, initialize)
	indexInto(t, address, func(activity.Record) string { return activity.IndexOf(time.Now(), true) }, activity.Record{Event: activity.Event{ID: "half", Duration: 1}})
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{Redis: redistest.Start(t), Elasticsearch: address}))
	for _, id := range []string{"old-1", " old-1 ", "act", "initialize"} {
		got, err := client.GetRecord(ctx, &adminv1.GetRecordRequest{Id: id})
		if err != nil || got.GetRecord().GetId() != strings.TrimSpace(id) {
			t.Errorf("%q gives %v, %v", id, got, err)
		}
	}
	for id, want := range map[string]codes.Code{"old": codes.NotFound, "OLD-1": codes.NotFound, "half": codes.NotFound, "*": codes.NotFound, " ": codes.InvalidArgument} {
		got, err := client.GetRecord(ctx, &adminv1.GetRecordRequest{Id: id})
		if status.Code(err) != want {
			t.Errorf("%q gives %v, %v, want %v", id, got, err, want)
		}
	}
	got, err := client.GetRecord(ctx, &adminv1.GetRecordRequest{Id: "old-1"})
	if r := got.GetRecord(); err != nil || r.GetUpstreamTraceId() != "7c1f" || r.GetUpstreamRequestId() != "ab12" || r.GetMcpSession() != "5e55" ||
		r.GetUser().GetGroupIds()[0] != "g1" || r.GetOutcome().GetReason() != "cut_off" || r.GetOutcome().GetOwnLatency().AsDuration() != 5*time.Millisecond {
		t.Errorf("got %v, %v", r, err)
	}
	got, err = client.GetRecord(ctx, &adminv1.GetRecordRequest{Id: "failed"})
	if err != nil || got.GetRecord().GetOutcome().GetErrorCode() != "-32602" {
		t.Errorf("got %v, %v", got, err)
	}
	page, err := client.SearchActivity(ctx, &adminv1.SearchActivityRequest{Session: "5e55"})
	if err != nil || strings.Join(ids(page), " ") != "old-1" {
		t.Errorf("of the session: %v, %v", ids(page), err)
	}
}

// TestGetRecordWithholdsArguments gets a call and a body that couldn't be read as each role.
func TestGetRecordWithholdsArguments(t *testing.T) {
	address := elastictest.Empty(t)
	page := call("page", time.Now(), "createConfluencePage")
	page.Sallyport.Arguments = []byte(`{"title":"okapi"}`)
	page.Sallyport.ArgumentsText, page.Sallyport.IssueKeys, page.Sallyport.ProjectKeys = "okapi", []string{"OKAPI-1"}, []string{"OKAPI"}
	unreadable := blocked(call("unreadable", time.Now(), "POST"), 0, "")
	unreadable.Sallyport.Rule, unreadable.Sallyport.Refusal = nil, "duplicate_member"
	unreadable.HTTP.Request.Body.Content = `{"name":"a","name":"okapi"}`
	index(t, address, page, unreadable)
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Redis: redistest.Start(t), Elasticsearch: address}))
	for _, as := range roleTokens {
		for _, id := range []string{"page", "unreadable"} {
			got, err := client.GetRecord(with(t, as.token), &adminv1.GetRecordRequest{Id: id})
			if err != nil {
				t.Fatal(err)
			}
			withheld := as.role == "viewer"
			if strings.Contains(got.String(), "okapi") == withheld || strings.Contains(got.String(), "OKAPI") || got.GetRecord().GetArgumentsWithheld() != withheld {
				t.Errorf("%s as %s: %v", id, as.role, got)
			}
		}
	}
}

// TestGetRecordInAtlassiansFormats gets a call in all formats as each role: a viewer's are without what its
// arguments say. A call of another product has none of that product's.
func TestGetRecordInAtlassiansFormats(t *testing.T) {
	address := elastictest.Empty(t)
	r := call("issue", time.Now(), "getJiraIssue")
	r.Sallyport.Operation.Product, r.Sallyport.Arguments, r.Sallyport.IssueKeys = "jira", []byte(`{"issueIdOrKey":"OKAPI-1"}`), []string{"OKAPI-1"}
	index(t, address, r)
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Redis: redistest.Start(t), Elasticsearch: address}))
	organization, jira, confluence := adminv1.AuditFormat_AUDIT_FORMAT_ORGANIZATION, adminv1.AuditFormat_AUDIT_FORMAT_JIRA, adminv1.AuditFormat_AUDIT_FORMAT_CONFLUENCE
	for _, as := range roleTokens {
		got, err := client.GetRecord(with(t, as.token), &adminv1.GetRecordRequest{Id: "issue", Formats: []adminv1.AuditFormat{jira, confluence, organization}})
		if err != nil || len(got.GetForms()) != 3 {
			t.Fatalf("as %s: %v, %v", as.role, got, err)
		}
		forms := got.GetForms()
		if !strings.Contains(forms[0].GetJson(), `"created":`) || !strings.Contains(forms[2].GetJson(), `"rovo_mcp_tool_called"`) {
			t.Errorf("as %s: %v", as.role, forms)
		}
		if forms[1].GetJson() != "" || !strings.HasPrefix(forms[1].GetMissing(), "The record isn't of a call of a confluence tool") {
			t.Errorf("as %s: %v", as.role, forms[1])
		}
		for _, form := range []*adminv1.AuditForm{forms[0], forms[2]} {
			if strings.Contains(form.GetJson(), "OKAPI") != (as.role != "viewer") {
				t.Errorf("as %s: %s", as.role, form.GetJson())
			}
		}
	}
	for _, formats := range [][]adminv1.AuditFormat{{0}, {9}, {jira, jira, jira, jira}} {
		_, err := client.GetRecord(asAdmin(t), &adminv1.GetRecordRequest{Id: "issue", Formats: formats})
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v gives %v", formats, err)
		}
	}
}
