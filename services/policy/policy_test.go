package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/policy"
)

func TestNormalize(t *testing.T) {
	var p policy.Policy
	err := json.Unmarshal([]byte(`{"default":"deny","rules":[
		{"effect":"allow"},
		{"id":"r1","client":"claude","who":"group:x","operation":"read*","effect":"deny","note":"n","mode":"monitor","verified":true}]}`), &p)
	if err != nil {
		t.Fatal(err)
	}
	p.Normalize()
	want := policy.Policy{Default: policy.Deny, Rules: []policy.Rule{
		{Client: "*", Who: "any", Operation: "*", Effect: policy.Allow, Mode: policy.Enforce},
		{ID: "r1", Client: "claude", Who: "group:x", Operation: "read*", Effect: policy.Deny, Note: "n", Mode: policy.Monitor, Verified: true},
	}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestValidate(t *testing.T) {
	good := policy.Rule{Client: "*", Who: "any", Operation: "*", Effect: policy.Deny, Mode: policy.Enforce}
	with := func(change func(*policy.Rule)) policy.Rule {
		r := good
		change(&r)
		return r
	}
	for _, c := range []struct {
		name   string
		policy policy.Policy
		want   []string
	}{
		{"good", policy.Policy{Default: policy.Allow, Rules: []policy.Rule{good, good}}, nil},
		{"no rules", policy.Policy{Default: policy.Deny}, nil},
		{"no default", policy.Policy{}, []string{"default"}},
		{"another default", policy.Policy{Default: "Allow"}, []string{"default"}},
		{"everything wrong", policy.Policy{Default: policy.Allow, Rules: []policy.Rule{good, {Client: " ", Who: "\t", Operation: "  ", Effect: "block", Mode: "watch"}}},
			[]string{"rules[1].client", "rules[1].who", "rules[1].operation", "rules[1].effect", "rules[1].mode"}},
		{"no group", policy.Policy{Default: policy.Allow, Rules: []policy.Rule{with(func(r *policy.Rule) { r.Who = "group: " })}}, []string{"rules[0].who"}},
		{"no kind", policy.Policy{Default: policy.Allow, Rules: []policy.Rule{with(func(r *policy.Rule) { r.Who = "ana@acme.test" })}}, []string{"rules[0].who"}},
		{"everyone", policy.Policy{Default: policy.Allow, Rules: []policy.Rule{with(func(r *policy.Rule) { r.Who = "*" })}}, []string{"rules[0].who"}},
		{"an id twice", policy.Policy{Default: policy.Allow, Rules: []policy.Rule{
			with(func(r *policy.Rule) { r.ID = "a" }), with(func(r *policy.Rule) { r.ID = "b" }), with(func(r *policy.Rule) { r.ID = "a" })}}, []string{"rules[2].id"}},
		{"1,000 rules", policy.Policy{Default: policy.Allow, Rules: rules(good, 1000)}, nil},
		{"1,001 rules", policy.Policy{Default: policy.Allow, Rules: rules(good, 1001)}, []string{"rules"}},
	} {
		var got []string
		for _, v := range c.policy.Validate() {
			got = append(got, v.Field)
			if !strings.HasPrefix(v.String(), v.Field+": ") || len(v.Sentence) < 10 {
				t.Errorf("%s: %s", c.name, v)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", c.name, diff)
		}
	}
}

func rules(r policy.Rule, count int) []policy.Rule {
	list := make([]policy.Rule, count)
	for i := range list {
		list[i] = r
	}
	return list
}

func TestCompileRefuses(t *testing.T) {
	_, err := policy.Compile(&policy.Policy{Default: "perhaps", Rules: []policy.Rule{{Effect: policy.Deny, Who: "boss"}}})
	if err == nil || !strings.Contains(err.Error(), "default: ") || !strings.Contains(err.Error(), "rules[0].who: ") {
		t.Errorf("got %v", err)
	}
}

// TestCompileLeavesThePolicy shows that a policy which is changed afterwards doesn't change what was
// compiled, and that compiling doesn't change the policy.
func TestCompileLeavesThePolicy(t *testing.T) {
	p := policy.Policy{Default: policy.Allow, Rules: []policy.Rule{{Effect: policy.Deny}}}
	engine, err := policy.Compile(&p)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(policy.Rule{Effect: policy.Deny}, p.Rules[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	p.Rules[0].Effect, p.Default = policy.Allow, policy.Deny
	if engine.Decide(policy.Client{}, policy.Subject{}, callOf("search")).Allowed {
		t.Error("the rule that was changed decides")
	}
}

// TestMostRules fills a policy with as many groups as one can name.
func TestMostRules(t *testing.T) {
	p := policy.Policy{Default: policy.Allow}
	for i := range policy.MaxRules {
		p.Rules = append(p.Rules, policy.Rule{ID: "r" + strings.Repeat("i", i), Who: "group:G" + strings.Repeat("g", i), Effect: policy.Deny})
	}
	engine, err := policy.Compile(&p)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{1, 500, policy.MaxRules} {
		group := strings.TrimPrefix(p.Rules[at-1].Who, "group:")
		for _, g := range []policy.Group{{ID: group}, {Name: strings.ToLower(group)}} {
			d := engine.Decide(policy.Client{}, policy.Subject{GroupsKnown: true, Groups: []policy.Group{{ID: "x", Name: "y"}, g}}, callOf("search"))
			if d.Rule != at || d.RuleID != p.Rules[at-1].ID || d.Allowed {
				t.Errorf("rule %d was to decide; got %+v", at, d)
			}
		}
	}
}

func TestDecisions(t *testing.T) {
	known := policy.Subject{GroupsKnown: true}
	for _, c := range []struct {
		name  string
		rules []policy.Rule
		who   policy.Subject
		want  policy.Decision
	}{
		{"the first rule that matches decides", []policy.Rule{
			{Operation: "delete*", Effect: policy.Deny}, {ID: "b", Operation: "search", Effect: policy.Deny, Note: "why"}, {Effect: policy.Allow}},
			known, policy.Decision{Rule: 2, RuleID: "b", Note: "why"}},
		{"the default decides", []policy.Rule{{Operation: "delete*", Effect: policy.Deny}}, known, policy.Decision{Allowed: true}},
		{"a monitoring rule never decides, and the first is noted", []policy.Rule{
			{Operation: "delete*", Effect: policy.Deny, Mode: policy.Monitor}, {Effect: policy.Deny, Mode: policy.Monitor}, {Effect: policy.Allow, Mode: policy.Monitor}},
			known, policy.Decision{Allowed: true, MonitorRule: 2, MonitorEffect: policy.Deny}},
		{"a monitoring rule after the one that decides isn't noted", []policy.Rule{
			{Effect: policy.Allow}, {Effect: policy.Deny, Mode: policy.Monitor}}, known, policy.Decision{Allowed: true, Rule: 1}},
		{"unknown groups are in the group of a rule that denies", []policy.Rule{
			{Who: "group:a", Effect: policy.Allow}, {Who: "group:b", Effect: policy.Deny}}, policy.Subject{}, policy.Decision{Rule: 2, GroupsUnknown: true}},
		{"unknown groups aren't in that of a rule that allows", []policy.Rule{
			{Who: "group:a", Effect: policy.Allow}, {Effect: policy.Deny}}, policy.Subject{}, policy.Decision{Rule: 2, GroupsUnknown: true}},
		{"unknown groups don't matter where no rule for a group is reached", []policy.Rule{
			{Operation: "delete*", Who: "group:a", Effect: policy.Deny}, {Effect: policy.Allow}, {Who: "group:a", Effect: policy.Deny}},
			policy.Subject{}, policy.Decision{Allowed: true, Rule: 2}},
		{"groups that are listed don't count while they are unknown", []policy.Rule{{Who: "group:a", Effect: policy.Allow}, {Effect: policy.Deny}},
			policy.Subject{Groups: []policy.Group{{Name: "a"}}}, policy.Decision{Rule: 2, GroupsUnknown: true}},
	} {
		engine, err := policy.Compile(&policy.Policy{Default: policy.Allow, Rules: c.rules})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, engine.Decide(policy.Client{}, c.who, callOf("search"))); diff != "" {
			t.Errorf("%s, -want +got:\n%s", c.name, diff)
		}
	}
}

func TestSentence(t *testing.T) {
	const rule = "Rule 3 of your organization's policy for AI assistants "
	for _, c := range []struct {
		decision policy.Decision
		want     string
	}{
		{policy.Decision{}, "No rule of your organization's policy for AI assistants allows it."},
		{policy.Decision{Rule: 3}, rule + "forbids it."},
		{policy.Decision{Rule: 3, Note: "  "}, rule + "forbids it."},
		{policy.Decision{Rule: 3, Note: "..."}, rule + "forbids it."},
		{policy.Decision{Rule: 3, Note: "AI may never delete anything"}, rule + "says: AI may never delete anything."},
		{policy.Decision{Rule: 3, Note: " Not before the audit. "}, rule + "says: Not before the audit."},
		{policy.Decision{Rule: 3, Note: "Who needs this?"}, rule + "says: Who needs this?"},
	} {
		want := "Sallyport blocked deleteJiraIssue. " + c.want + " If you need this, ask Ana."
		if got := c.decision.Sentence("deleteJiraIssue", "Ana"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
