package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/mcp"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

// callsOfPolicy is how many messages are tried on one policy.
const callsOfPolicy = 20

// TestDifferential compares the engine with the plain reading of reference_test.go.
func TestDifferential(t *testing.T) {
	tools, seen := knownTools(t), tally{}
	for seed := range uint64(1500) {
		trial(t, newWorld(seed, tools), seen)
		if t.Failed() {
			t.Fatalf("the seed is %d", seed)
		}
	}
	t.Log(seen)
	// What never happens isn't compared.
	for _, outcome := range []string{"ungoverned", "blocked", "decided by a rule", "decided by the default", "monitored", "groups unknown", "through execute"} {
		if seen[outcome] < 500 {
			t.Errorf("%s only %d times in all", outcome, seen[outcome])
		}
	}
}

// FuzzDecide does the same with names, patterns and identities that weren't thought of.
func FuzzDecide(f *testing.F) {
	tools := knownTools(f)
	f.Add(uint64(1), "getJiraIssue", "read*", "Claude Code", "ana@acme.test", "developers", "ari:cloud:jira:acme:issue/1")
	f.Add(uint64(2), "executeWrite", "execute*", "claude", "712020:Ana", "g-1", "ari:cloud:confluence:acme:page/1")
	f.Add(uint64(3), "fetch", "compa\u017f\u017f *", "*e*", "ANA@acme.test", "ΟΔΟς", " ARI:cloud:compass:")
	f.Fuzz(func(t *testing.T, seed uint64, name, pattern, client, person, group, arn string) {
		for _, text := range []string{name, pattern, client, person, group, arn} {
			if len(text) > 60 || text == "" {
				return
			}
		}
		w := newWorld(seed, tools)
		w.names = append(w.names[:2], name, pattern, valid(name))
		w.arns = append(w.arns[:1], arn)
		w.clients = append(w.clients[:1], valid(client))
		w.people = append(w.people[:1], valid(person))
		w.groups = append(w.groups[:1], policy.Group{ID: valid(group), Name: valid(person)}, policy.Group{ID: valid(person), Name: valid(group)})
		trial(t, w, tally{})
	})
}

// valid is a text as it is after it went through JSON.
func valid(text string) string {
	var again string
	encoded, err := json.Marshal(text)
	if err == nil {
		err = json.Unmarshal(encoded, &again)
	}
	if err != nil {
		return ""
	}
	return again
}

// tally counts what happened.
type tally map[string]int

// trial compares one policy's answers to some messages.
func trial(t *testing.T, w *world, seen tally) {
	t.Helper()
	p := w.policy()
	engine, err := policy.Compile(p)
	if err != nil {
		// A name of blanks makes a pattern of blanks.
		return
	}
	var decided []question
	for range callsOfPolicy {
		q := question{client: w.client(), subject: w.subject()}
		body, err := json.Marshal(w.message())
		if err != nil {
			t.Fatal(err)
		}
		got, ok := q.ask(t, engine, body)
		if !ok {
			continue
		}
		want := readMessage(p, q.client, q.subject, body)
		if got.outcome != want.outcome || got.decision != want.decision {
			t.Errorf("%s\nby %+v for %+v:\ngot  %+v\nwant %+v\npolicy %s", body, q.client, q.subject, got, want, shown(p))
		}
		seen.count(want, q.call)
		if got.outcome == "decided" {
			q.decision = got.decision
			explained(t, engine, q, want)
			decided = append(decided, q)
		}
	}
	linted(t, engine, p, w, decided)
}

// question is a call, and what was decided about it.
type question struct {
	client   policy.Client
	subject  policy.Subject
	call     policy.Call
	decision policy.Decision
}

// ask goes the way of a request. A name of more than 256 bytes, and an empty method, aren't read.
func (q *question) ask(t *testing.T, engine *policy.Engine, body []byte) (answer, bool) {
	t.Helper()
	parsed, err := mcp.Parse(body)
	if err != nil {
		return answer{}, false
	}
	m := parsed.Messages[0]
	if !m.Governed() {
		return answer{outcome: "ungoverned"}, true
	}
	name, outer, ok := m.Operation()
	if !ok {
		return answer{outcome: "blocked"}, true
	}
	q.call = policy.Call{Operation: operation.Parse(name, m.FetchID), Outer: outer}
	return answer{outcome: "decided", decision: engine.Decide(q.client, q.subject, q.call)}, true
}

func (s tally) count(a answer, call policy.Call) {
	outcome := a.outcome
	if outcome == "decided" {
		outcome = "decided by the default"
		if a.decision.Rule > 0 {
			outcome = "decided by a rule"
		}
	}
	s[outcome]++
	if a.decision.MonitorRule > 0 {
		s["monitored"]++
	}
	if a.decision.GroupsUnknown {
		s["groups unknown"]++
	}
	if call.Outer != "" {
		s["through execute"]++
	}
}

// explained shows that an explanation is of what is decided, rule by rule.
func explained(t *testing.T, engine *policy.Engine, q question, want answer) {
	t.Helper()
	decision, steps := engine.Explain(q.client, q.subject, q.call)
	var matched []bool
	for i, step := range steps {
		matched = append(matched, step.Matches)
		if step.Rule != i+1 || step.Decides != (step.Rule == q.decision.Rule) || step.Reason == "" {
			t.Errorf("step %d is %+v, and rule %d decided", i+1, step, q.decision.Rule)
		}
	}
	if diff := cmp.Diff(want.matched, matched); diff != "" || decision != q.decision {
		t.Errorf("explained %+v instead of %+v, and that rules match, -want +got:\n%s", decision, q.decision, diff)
	}
	if engine.DecidedBy(q.call) == "" {
		t.Error("nothing decides")
	}
}

// linted looks for rules that can't be reached, among the operations and groups of some questions.
func linted(t *testing.T, engine *policy.Engine, p *policy.Policy, w *world, decided []question) int {
	t.Helper()
	known := policy.Known{Groups: w.groups}
	for _, q := range decided {
		known.Operations = append(known.Operations, q.call)
	}
	return reached(t, engine, p, known, decided)
}

// reached counts the rules that are said to be out of reach, and shows that none of them decided.
func reached(t *testing.T, engine *policy.Engine, p *policy.Policy, known policy.Known, decided []question) int {
	t.Helper()
	unreachable := 0
	for _, f := range engine.Lint(known) {
		if f.Kind != policy.Unreachable {
			continue
		}
		unreachable++
		for _, q := range decided {
			if q.decision.Rule == f.Rule || q.decision.MonitorRule == f.Rule {
				t.Errorf("%s\nIt was reached: %+v\npolicy %s", f.Sentence, q, shown(p))
			}
		}
	}
	return unreachable
}

// TestUnreachable shows that for two rules that are often almost the same, and calls that are
// often about the second.
func TestUnreachable(t *testing.T) {
	tools, unreachable, second := knownTools(t), 0, 0
	for seed := range uint64(2000) {
		w := newWorld(seed, tools)
		w.names = w.names[:2]
		p := &policy.Policy{Default: policy.Allow, Rules: []policy.Rule{w.rule(), w.rule()}}
		if w.oneIn(2) {
			p.Rules[1] = w.like(p.Rules[0])
		}
		engine, err := policy.Compile(p)
		if err != nil {
			continue
		}
		var decided []question
		for range callsOfPolicy {
			q := question{client: w.client(), subject: w.subject()}
			q.call = policy.Call{Operation: operation.Parse(w.recased(w.pick(w.names...)), w.pick(w.arns...)), Outer: w.pick("", "", "execute", "executeRead")}
			q.decision = engine.Decide(q.client, q.subject, q.call)
			if q.decision.Rule == 2 || q.decision.MonitorRule == 2 {
				second++
			}
			decided = append(decided, q)
		}
		unreachable += linted(t, engine, p, w, decided)
		if t.Failed() {
			t.Fatalf("the seed is %d", seed)
		}
	}
	t.Logf("%d rules were unreachable; others were reached %d times", unreachable, second)
	if unreachable < 500 || second < 2000 {
		t.Error("that is too few to show anything")
	}
}

func shown(p *policy.Policy) string {
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}
