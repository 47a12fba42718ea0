package policy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/operation"
	"sallyport/services/policy"
)

// FuzzPattern compares an operation pattern with the plain reading of it.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][4]string{
		{"jira create*", "createJiraIssue", "", ""},
		{" WRITE* *", "getAndDeletePage", "execute", ""},
		{"confluence fetch", "fetch", "executeRead", "ari:cloud:confluence:acme:page/1"},
		{"*a*b**c", "aXbXc", "", ""},
		{"getConfluenceContent", "GETCONFLUENCEPAGE", "", ""},
		{"compa\u017f\u017f *", "fetch", "", "ari:cloud:compass:"},
		{"\u212aind", "kIND", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, pattern, name, outer, arn string) {
		pattern, name, outer, arn = valid(pattern), valid(name), valid(outer), valid(arn)
		// The plain reading takes time exponential in the stars.
		if name == "" || len(pattern)+len(name)+len(outer)+len(arn) > 200 || strings.Count(pattern, "*") > 5 {
			return
		}
		call := policy.Call{Operation: operation.Parse(name, arn), Outer: outer}
		for _, effect := range []policy.Effect{policy.Allow, policy.Deny} {
			got := len(policy.Matching(pattern, effect, []policy.Call{call})) == 1
			want := strings.TrimSpace(pattern) != "" && patternMatches(pattern, effect, readOperation(name, outer, arn))
			if got != want {
				t.Errorf("to %s, %q matches %+v: got %t", effect, pattern, call, got)
			}
		}
	})
}

// FuzzPolicy takes a document for a policy, which is refused for what is wrong with it, or is read
// the same whichever way one asks.
func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{
		`{"default":"deny","rules":[{"operation":"read*","effect":"allow"},{"client":"claude","who":"group:developers","operation":"jira *","effect":"deny","mode":"monitor"}]}`,
		`{"default":"allow","rules":[{"id":"a","operation":"delete*","effect":"deny","note":"no"},{"id":"b","operation":"deleteJiraIssue","effect":"allow","verified":true}]}`,
		`{"default":"allow","rules":[{"who":"user:ANA@acme.test","effect":"deny"},{"who":"user:ana@acme.test","client":"*code","effect":"allow"}]}`,
		`{"default":"perhaps","rules":[{"who":"boss","client":" ","operation":"\t","effect":"","mode":"x"}]}`,
		`{"rules":null}`,
	} {
		f.Add([]byte(seed))
	}
	known := policy.Known{
		Operations: calls("getJiraIssue", "deleteJiraIssue", "getConfluencePage", "getConfluenceContent", "addOrEditJiraIssueComment", "frobnicate", "fetch"),
		Groups:     []policy.Group{{ID: "g-1", Name: "developers"}, {ID: "g-2", Name: "Admins"}},
	}
	known.Operations = append(known.Operations, policy.Call{Operation: operation.Parse("getJiraIssue", ""), Outer: "executeRead"})
	f.Fuzz(func(t *testing.T, document []byte) {
		var p policy.Policy
		err := json.Unmarshal(document, &p)
		if err != nil || len(p.Rules) > 30 || len(document) > 2000 {
			return
		}
		engine, err := policy.Compile(&p)
		p.Normalize()
		violations := p.Validate()
		if (err == nil) != (len(violations) == 0) {
			t.Fatalf("compiling: %v, but what is wrong is %v", err, violations)
		}
		if err != nil {
			return
		}
		for _, change := range policy.Compare(&p, &p) {
			if ids(&p) == len(p.Rules) {
				t.Errorf("the policy differs from itself by %+v", change)
			}
		}
		var decided []question
		for i, call := range known.Operations {
			q := question{call: call, client: policy.Client{Key: "claude-code", Name: "Claude Code", Class: policy.Verified}}
			q.subject = policy.Subject{AccountID: "712020:ana", Email: "ana@acme.test", Groups: known.Groups[:i%3], GroupsKnown: i != 3}
			q.decision = engine.Decide(q.client, q.subject, call)
			decided = append(decided, q)
			if strings.Count(string(document), "*") < 10 {
				want, matched := readRules(&p, q.client, q.subject, readOperation(call.Operation.Name, call.Outer, ""))
				if diff := cmp.Diff(want, q.decision); diff != "" {
					t.Errorf("%+v, -want +got:\n%s", q, diff)
				}
				explained(t, engine, q, answer{matched: matched})
			}
		}
		reached(t, engine, &p, known, decided)
		engine.Lint(policy.Known{})
	})
}

// ids counts the ids of a policy's rules.
func ids(p *policy.Policy) int {
	var list []string
	for _, r := range p.Rules {
		if r.ID != "" {
			list = append(list, r.ID)
		}
	}
	return len(list)
}

// FuzzCompare makes another policy of one, by what the bytes say, and compares the differences with
// what was done.
func FuzzCompare(f *testing.F) {
	f.Add(uint8(5), []byte{})
	f.Add(uint8(5), []byte{0, 1, 4})
	f.Add(uint8(9), []byte{2, 3, 0, 2, 8, 1, 3, 1, 0, 1, 0, 0, 4, 0, 0})
	f.Fuzz(func(t *testing.T, rules uint8, edits []byte) {
		if len(edits) > 90 {
			return
		}
		before := &policy.Policy{Default: policy.Allow}
		for i := range rules % 16 {
			before.Rules = append(before.Rules, policy.Rule{ID: string('A' + rune(i)), Effect: policy.Deny})
		}
		after := &policy.Policy{Default: policy.Allow, Rules: slices.Clone(before.Rules)}
		for i := 0; i+2 < len(edits); i += 3 {
			edit(after, edits[i], int(edits[i+1]), int(edits[i+2]), rune(i))
		}
		compared(t, before, after)
		compared(t, after, before)
	})
}

// edit changes, moves, adds or removes a rule, or changes the default.
func edit(p *policy.Policy, what byte, at, to int, id rune) {
	if what%5 == 0 || len(p.Rules) == 0 {
		r := policy.Rule{ID: string('ア' + id), Effect: policy.Allow}
		p.Rules = slices.Insert(p.Rules, at%(len(p.Rules)+1), r)
		return
	}
	at, to = at%len(p.Rules), to%len(p.Rules)
	switch what % 5 {
	case 1:
		p.Rules = slices.Delete(p.Rules, at, at+1)
	case 2:
		p.Rules[at].Note += "!"
	case 3:
		r := p.Rules[at]
		p.Rules = slices.Insert(slices.Delete(p.Rules, at, at+1), to, r)
	case 4:
		p.Default = policy.Deny
	}
}

// compared shows that the differences are all there are, and that no fewer rules were moved.
func compared(t *testing.T, before, after *policy.Policy) {
	t.Helper()
	got := map[policy.ChangeKind]map[string]bool{}
	for _, c := range policy.Compare(before, after) {
		id := ""
		if c.Before > 0 {
			id = before.Rules[c.Before-1].ID
		}
		if c.After > 0 {
			id = after.Rules[c.After-1].ID
		}
		if c.Before > 0 && before.Rules[c.Before-1].ID != id || got[c.Kind][id] {
			t.Errorf("%+v isn't about one rule, or there twice", c)
		}
		if got[c.Kind] == nil {
			got[c.Kind] = map[string]bool{}
		}
		got[c.Kind][id] = true
	}
	want := map[policy.ChangeKind]map[string]bool{}
	note := func(kind policy.ChangeKind, id string) {
		if want[kind] == nil {
			want[kind] = map[string]bool{}
		}
		want[kind][id] = true
	}
	if before.Default != after.Default {
		note(policy.DefaultChanged, "")
	}
	only(before, after, func(r policy.Rule) { note(policy.RuleRemoved, r.ID) })
	only(after, before, func(r policy.Rule) { note(policy.RuleAdded, r.ID) })
	for _, r := range before.Rules {
		for _, other := range after.Rules {
			if r.ID == other.ID && r != other {
				note(policy.RuleChanged, r.ID)
			}
		}
	}
	moved := got[policy.RuleMoved]
	delete(got, policy.RuleMoved)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	stayed := func(p, other *policy.Policy) []string {
		var list []string
		for _, r := range p.Rules {
			if !moved[r.ID] && slices.ContainsFunc(other.Rules, func(o policy.Rule) bool { return o.ID == r.ID }) {
				list = append(list, r.ID)
			}
		}
		return list
	}
	if diff := cmp.Diff(stayed(before, after), stayed(after, before)); diff != "" {
		t.Errorf("the rules that weren't moved are in another order:\n%s", diff)
	}
	if longest := longestCommon(before, after); len(stayed(before, after)) != longest {
		t.Errorf("%d rules needn't be moved; %d weren't", longest, len(stayed(before, after)))
	}
}

// only calls back with the rules of one policy that aren't in another.
func only(p, other *policy.Policy, found func(policy.Rule)) {
	for _, r := range p.Rules {
		if !slices.ContainsFunc(other.Rules, func(o policy.Rule) bool { return o.ID == r.ID }) {
			found(r)
		}
	}
}

// longestCommon is the length of the longest list of rules that are in both in the same order.
func longestCommon(before, after *policy.Policy) int {
	row := make([]int, len(after.Rules)+1)
	for _, r := range before.Rules {
		diagonal := 0
		for j, other := range after.Rules {
			longest := max(row[j], row[j+1])
			if r.ID == other.ID {
				longest = diagonal + 1
			}
			diagonal, row[j+1] = row[j+1], longest
		}
	}
	return row[len(after.Rules)]
}
