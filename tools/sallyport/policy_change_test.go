package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/policyfile"
)

func TestChanges(t *testing.T) {
	const (
		defaulted = adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_DEFAULT
		added     = adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_ADDED
		removed   = adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_REMOVED
		changed   = adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_CHANGED
		moved     = adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_MOVED
	)
	rule := func(id, operation string) *policyv1.Rule {
		return &policyv1.Rule{Id: id, Client: "*", Who: "any", Operation: operation, Effect: policyv1.Effect_EFFECT_DENY}
	}
	changes := []*adminv1.PolicyChange{
		{Kind: defaulted, DefaultBefore: policyv1.Effect_EFFECT_ALLOW, DefaultAfter: policyv1.Effect_EFFECT_DENY},
		{Kind: added, NumberAfter: 1, After: rule("a", "y")},
		{Kind: removed, NumberBefore: 2, Before: rule("b", "y")},
		{Kind: changed, NumberBefore: 1, NumberAfter: 3, Before: rule("c", "x"), After: rule("c", "z")},
		{Kind: moved, NumberBefore: 1, NumberAfter: 4, Before: rule("d", "x"), After: rule("d", "x")},
	}
	want := []string{
		"~ default: deny", "     was: allow", `+ rule 1: deny "y"`, `- rule 2: deny "y"`, `~ rule 3: deny "z"`, `     was: deny "x"`, `> rule 4 was rule 1: deny "x"`,
	}
	if diff := cmp.Diff(want, changeLines("", changes)); diff != "" {
		t.Error(diff)
	}
	wantIDs := policyChanges{DefaultChanged: true, Added: []string{"a"}, Removed: []string{"b"}, Changed: []string{"c"}, Moved: []string{"d"}}
	if diff := cmp.Diff(wantIDs, newPolicyChanges(changes)); diff != "" {
		t.Error(diff)
	}
}

func TestRuleInALine(t *testing.T) {
	r := ruleText{Client: "claude", Who: "group:devs", Operation: "jira create*", Effect: "allow", Note: "Trial", Mode: "monitor", Verified: true}
	const want = `allow "jira create*" by client "claude" if verified for group:devs, only monitoring (Trial)`
	if r.String() != want {
		t.Errorf("got  %s\nwant %s", r, want)
	}
}

func TestPolicyAsYAMLCanBeReadAgain(t *testing.T) {
	inForce := &policyv1.Policy{DefaultEffect: policyv1.Effect_EFFECT_DENY, Rules: []*policyv1.Rule{
		{Id: "a", Client: "*", Who: "any", Operation: "delete*", Effect: policyv1.Effect_EFFECT_DENY, Note: "7", Mode: policyv1.Mode_MODE_ENFORCE},
		{Id: "b", Client: "claude", Who: "user:ana@acme.test", Operation: "no", Effect: policyv1.Effect_EFFECT_ALLOW, Mode: policyv1.Mode_MODE_MONITOR, Verified: true},
	}}
	text, err := policyYAML(&adminv1.GetPolicyResponse{Policy: inForce, Version: 7, SavedAt: timestamppb.New(noon), SavedBy: "ci", Message: "Why not"})
	if err != nil {
		t.Fatal(err)
	}
	want := `version: 7
default: deny
rules:
  - client: "*"
    who: any
    operation: "delete*"
    effect: deny
    note: "7"
    id: a
  - client: claude
    who: user:ana@acme.test
    operation: "no"
    effect: allow
    mode: monitor
    verified: true
    id: b
`
	comment, body, _ := strings.Cut(string(text), "\nversion")
	if diff := cmp.Diff(want, "version"+body); diff != "" || !strings.HasPrefix(comment, "# Version 7, saved on 2026-11-23 12:00:00 by ci (Why not).") {
		t.Errorf("comment %q; %s", comment, diff)
	}
	file, err := policyfile.Read("x.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(newPolicyText(inForce, 7), newPolicyText(policyMessage(file.Policy), file.Version)); diff != "" {
		t.Error(diff)
	}
}
