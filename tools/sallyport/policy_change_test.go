package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

// policyOf makes a policy of rules that are written as id:operation.
func policyOf(fallback string, rules ...string) policyText {
	p := policyText{Default: fallback}
	for _, r := range rules {
		id, operation, _ := strings.Cut(r, ":")
		p.Rules = append(p.Rules, ruleText{ID: id, Client: "*", Who: "any", Operation: pattern(operation), Effect: "deny"})
	}
	return p
}

func TestChanges(t *testing.T) {
	for name, test := range map[string]struct {
		was, is policyText
		want    []string
	}{
		"nothing": {policyOf("allow", "a:x"), policyOf("allow", "a:x"), []string{"Nothing is different from before."}},
		"default": {policyOf("allow"), policyOf("deny"), []string{"default was allow"}},
		"added":   {policyOf("allow", "a:x"), policyOf("allow", "b:y", "a:x"), []string{`+ rule 1: deny "y"`}},
		"removed": {policyOf("allow", "a:x", "b:y"), policyOf("allow", "a:x"), []string{`- rule 2: deny "y"`}},
		"changed": {policyOf("allow", "a:x"), policyOf("allow", "a:z"), []string{`~ rule 1: deny "z"`, `         was: deny "x"`}},
		"moved":   {policyOf("allow", "a:x", "b:y", "c:z"), policyOf("allow", "b:y", "c:z", "a:x"), []string{`> rule 3 was rule 1: deny "x"`}},
		"first":   {policyText{}, policyOf("allow", "a:x"), []string{`+ rule 1: deny "x"`}},
	} {
		got := compare(test.was, test.is).lines(test.was, test.is)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
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
	text, err := policyYAML(&adminv1.GetPolicyResponse{Policy: inForce, Version: 7, SavedAt: timestamppb.New(noon)})
	if err != nil {
		t.Fatal(err)
	}
	want := `default: deny
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
	comment, body, _ := strings.Cut(string(text), "\n")
	if diff := cmp.Diff(want, body); diff != "" || !strings.HasPrefix(comment, "# Policy version 7, saved 2026-11-23T12:00:00") {
		t.Errorf("comment %q; %s", comment, diff)
	}
	file, err := readPolicy("x.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(newPolicyText(inForce, 7), newPolicyText(file.policy, 7)); diff != "" {
		t.Error(diff)
	}
}
