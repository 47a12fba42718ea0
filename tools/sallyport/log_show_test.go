package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

// shown is what is shown of a record, without its times, which are of this place.
func shown(found *adminv1.GetRecordResponse) string {
	var out bytes.Buffer
	showRecord(&terminal{out: &out}, found)
	var lines []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "Time ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestShowRecord shows a call with all that there can be, and what comes from outside harmless.
func TestShowRecord(t *testing.T) {
	found := &adminv1.GetRecordResponse{
		Record: &activityv1.Record{
			Id: "6f1d", Time: timestamppb.Now(),
			User:      &activityv1.User{Id: "712020:ana", Name: "Ana Acme", Email: "ana@acme.test", Groups: []string{"developers", "Support Team"}},
			Client:    &activityv1.Client{Key: "claude", Name: "Claude", Class: "verified", Info: "cursor\x1b[2J 9", Mismatch: true},
			Operation: &activityv1.Operation{Name: "deleteJiraIssue", Outer: "executeDestructive", Product: "jira", Actions: []string{"delete"}},
			Decision:  &activityv1.Decision{Effect: "allowed", RuleNumber: 2, RuleId: "r2", RuleNote: "Trial", MonitorRule: 1, MonitorEffect: "deny", PolicyVersion: 7},
			Outcome: &activityv1.Outcome{
				Result: "tool_error", StatusCode: 200, ErrorCode: "-32602", ResponseBytes: 4096,
				Duration: durationpb.New(184 * time.Millisecond), UpstreamLatency: durationpb.New(150 * time.Millisecond), OwnLatency: durationpb.New(34 * time.Millisecond),
			},
			RequestBytes: 152, SourceIp: "192.0.2.7", UserAgent: "claude/1", TraceId: "0af7", UpstreamTraceId: "7c1f", UpstreamRequestId: "ab12", McpSession: "5e55", Site: "acme",
			Arguments: &structpb.Struct{Fields: map[string]*structpb.Value{"issueIdOrKey": structpb.NewStringValue("OPS-12")}},
		},
		Policy: &adminv1.DecidingPolicy{
			Version: 7, SavedBy: "admin", Message: "For the trial", Rule: &policyv1.Rule{Id: "r2", Client: "*", Who: "any", Operation: "*", Effect: policyv1.Effect_EFFECT_ALLOW, Note: "Trial"},
			MonitorRule: &policyv1.Rule{Id: "r1", Client: "claude", Who: "group:developers", Operation: "delete*", Effect: policyv1.Effect_EFFECT_DENY, Verified: true},
		},
	}
	want := `Record     6f1d
Person     Ana Acme <ana@acme.test>; 712020:ana; in developers, Support Team
Assistant  Claude; key claude; verified; calls itself cursor` + "\uFFFD" + `[2J 9, which is another assistant
From       192.0.2.7, claude/1
Operation  deleteJiraIssue (executeDestructive); product jira; family delete
Site       acme
Decision   allowed, rule 2: Trial (rule 1 would deny)
Policy     version 7; For the trial
Rule       2 (r2): client *, who any, operation *, allow; Trial
Monitors   1 (r1): client claude, verified, who group:developers, operation delete*, deny
Result     tool error 200; JSON-RPC error -32602
Bytes      152 / 4,096 (request / answer)
Latency    184 ms: 150 ms of it at Atlassian, 34 ms here and with the assistant
Traces     traceparent 0af7; Atlassian's atl-traceid 7c1f; atl-request-id ab12
Session    5e55
Arguments
{
  "issueIdOrKey": "OPS-12"
}
`
	if diff := cmp.Diff(want, shown(found)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	found.Record.Arguments, found.Record.ArgumentsWithheld, found.Policy = nil, true, &adminv1.DecidingPolicy{Version: 7, Missing: "The policy has no version 7."}
	for _, says := range []string{"Policy     version 7. The policy has no version 7.\n", "Arguments are withheld: "} {
		if got := shown(found); !strings.Contains(got, says) {
			t.Errorf("%q isn't in\n%s", says, got)
		}
	}
}

// TestShowRecordOfAnAct shows what an admin did.
func TestShowRecordOfAnAct(t *testing.T) {
	want := `Record     a1
Person     ci-check
By         API token; role viewer
From       192.0.2.7, grpc-go
Act        activity.export
Result     done
Detail     format csv
Detail     records 7
`
	got := shown(&adminv1.GetRecordResponse{Record: &activityv1.Record{
		Id: "a1", Time: timestamppb.Now(), User: &activityv1.User{Name: "ci-check"}, SourceIp: "192.0.2.7", UserAgent: "grpc-go",
		Act: &activityv1.Act{Action: "activity.export", Caller: "api_token", Role: "viewer", Outcome: "success", Details: map[string]string{"records": "7", "format": "csv"}},
	}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
