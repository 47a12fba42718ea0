package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/policyfile"
)

func TestReadDraft(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	err := os.WriteFile(file, []byte("default: deny\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "the policy in force", "7": "version 7", "1234": "version 1,234", file: file} {
		d, err := readDraft(name)
		if err != nil || d.String() != want {
			t.Errorf("%q is %v, %v; want %s", name, d, err, want)
		}
	}
	for _, name := range []string{"-1", file + ".gone"} {
		_, err = readDraft(name)
		if err == nil || len(err.Error()) < 20 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestExitCodes(t *testing.T) {
	call := func(code codes.Code) error { return &callError{"localhost:1", status.Error(code, "x")} }
	for _, c := range []struct {
		err  error
		want int
	}{
		{errShown, exitNo},
		{&policyfile.Error{}, exitNo},
		{call(codes.InvalidArgument), exitNo},
		{call(codes.NotFound), exitNo},
		{&conflictError{callError: &callError{"localhost:1", status.Error(codes.Aborted, "x")}}, exitNo},
		{call(codes.Unavailable), exitUnable},
		{call(codes.Unauthenticated), exitUnable},
		{call(codes.DeadlineExceeded), exitUnable},
		{fs.ErrNotExist, exitUnable},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v exits with %d, want %d", c.err, got, c.want)
		}
	}
}

// TestConflictShowsBothSides reads the details of a save that came too late.
func TestConflictShowsBothSides(t *testing.T) {
	added := func(operation string) []*adminv1.PolicyChange {
		return []*adminv1.PolicyChange{{Kind: adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_ADDED, NumberAfter: 1, After: &policyv1.Rule{
			Client: "*", Who: "any", Operation: operation, Effect: policyv1.Effect_EFFECT_DENY}}}
	}
	refused, err := status.New(codes.Aborted, "Too late.").WithDetails(&adminv1.PolicyConflict{
		InForce:      &adminv1.GetPolicyResponse{Version: 8, SavedBy: "ci", SavedAt: timestamppb.New(noon), Message: "Audit."},
		TheirChanges: added("read*"), YourChanges: added("delete*"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `Too late.
Version 8 was saved on 2026-11-23 12:00:00 by ci (Audit). Since yours began, this was changed:
  + rule 1: deny "read*"
You would have changed:
  + rule 1: deny "delete*"`
	got := withConflict(&callError{"localhost:1", refused.Err()})
	if diff := cmp.Diff(want, got.Error()); diff != "" {
		t.Error(diff)
	}
	other := error(&callError{"localhost:1", status.Error(codes.Unavailable, "x")})
	if !errors.Is(withConflict(other), other) {
		t.Error("another error is taken for a conflict")
	}
}

func TestShowExplanation(t *testing.T) {
	var out bytes.Buffer
	showExplanation(&terminal{out: &out}, &adminv1.ExplainDecisionResponse{
		Decision: &activityv1.Decision{Effect: "blocked", RuleNumber: 3},
		Summary:  "deleteJiraIssue would be blocked by rule 3.",
		User:     &activityv1.User{Email: "ana@acme.test", Groups: []string{"developers", "leads"}}, GroupsKnown: true,
		Client:    &activityv1.Client{Key: "claude", Class: "verified"},
		Operation: &activityv1.Operation{Name: "deleteJiraIssue", Outer: "execute", Product: "jira", Actions: []string{"delete"}},
		Verbs:     []string{"delete"},
		Steps: []*adminv1.RuleStep{
			{RuleNumber: 1, Reason: "It doesn't match."}, {RuleNumber: 2, Matches: true, Reason: "It matches."}, {RuleNumber: 3, Matches: true, Decides: true, Reason: "It matches."},
		},
	})
	const want = `deleteJiraIssue would be blocked by rule 3.

Person     ana@acme.test; in developers, leads
Assistant  claude, verified
Operation  deleteJiraIssue; called through execute; product jira; verb delete; family delete

- rule 1: It doesn't match.
~ rule 2: It matches.
= rule 3: It matches.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestShowSimulation(t *testing.T) {
	result := &adminv1.SimulationResult{
		Calls: 12345, NewlyBlocked: 2, NewlyAllowed: 1, NotDecided: 1,
		Rules: []*adminv1.RuleEffect{{RuleNumber: 1, Decided: 40, NewlyBlocked: 2, Monitored: 7}, {Decided: 12304, NewlyAllowed: 1}},
		Users: []*adminv1.ChangedCount{{Key: "ana@acme.test", NewlyBlocked: 2, NewlyAllowed: 1}},
		Records: []*adminv1.ChangedRecord{
			{Time: timestamppb.New(noon), User: "ana@acme.test", Client: "claude", Operation: "editJiraIssue", Was: "allowed", WouldBe: "blocked", RuleNumber: 1},
			{Time: timestamppb.New(noon.Add(-time.Hour)), User: "ana@acme.test", Client: "claude", Operation: "getJiraIssue", Was: "blocked", WouldBe: "allowed"},
		},
	}
	var out bytes.Buffer
	showSimulation(&terminal{out: &out}, result, []string{"default allow", `1 deny "write*"`}, noon.Add(-24*time.Hour))
	for _, want := range []string{
		"Of 12,345 calls since 2026-11-22 12:00:00, 2 would be blocked that were allowed, and 1 allowed that were blocked.",
		"1 call couldn't be read",
		"1 deny \"write*\"  40       2              0              7",
		"default allow    12,304   0              1              0",
		"ana@acme.test  2              1",
		"2026-11-23 12:00:00  ana@acme.test  claude     editJiraIssue  allowed  blocked, rule 1",
		"2026-11-23 11:00:00  ana@acme.test  claude     getJiraIssue   blocked  allowed, default",
		"These are the newest of 3",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q isn't in\n%s", want, out.String())
		}
	}
	for _, nothing := range []*adminv1.SimulationResult{{}, {Calls: 3}} {
		out.Reset()
		showSimulation(&terminal{out: &out}, nothing, nil, noon)
		if !strings.Contains(out.String(), "No call was recorded") && !strings.Contains(out.String(), "none would be decided otherwise") {
			t.Errorf("got %s", out.String())
		}
	}
}

// TestPolicyTest tries files of cases, one of which fails.
func TestPolicyTest(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		err := os.WriteFile(path, []byte(text), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	policy := write("policy.yaml", "default: allow\nrules:\n  - {operation: \"delete*\", effect: deny}\n")
	cases := write("cases.yaml", "tests:\n  - {operation: deleteJiraIssue, want: blocked, rule: 1}\n  - {operation: getJiraIssue, want: blocked}\n")
	var out bytes.Buffer
	err := (&policyTest{Files: []string{cases}, Policy: policy}).Run(&terminal{out: &out})
	want := cases + ":3: getJiraIssue: want blocked, got allowed\n1 passed, 1 failed\n"
	if diff := cmp.Diff(want, out.String()); diff != "" || exitCode(err) != exitNo {
		t.Errorf("%v %s", err, diff)
	}
	out.Reset()
	err = (&policyTest{Files: []string{"../../services/policy/testdata/policy-cases.yaml", "../../deploy/policies/cases.yaml"}, JSON: true}).Run(&terminal{out: &out})
	if err != nil || !strings.Contains(out.String(), `"failed": 0`) {
		t.Errorf("%v\n%s", err, out.String())
	}
	for _, bad := range []policyTest{{Files: []string{filepath.Join(dir, "gone.yaml")}}, {Files: []string{cases}}, {Files: []string{cases}, Policy: cases}} {
		err = bad.Run(&terminal{out: &out})
		if err == nil || errors.Is(err, errShown) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestProgressWithoutAScreen(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out, last: time.Now()}
	p.say("a")
	p.last = p.last.Add(-progressLines)
	p.say("b")
	p.done()
	if out.String() != "b\n" {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	p = &progress{out: &out, screen: true}
	p.say("aaaa")
	p.say("b")
	p.done()
	if out.String() != "\raaaa\rb   \r \r" {
		t.Errorf("got %q", out.String())
	}
}
