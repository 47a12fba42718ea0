package policy

import (
	"fmt"
	"strings"
)

// Engine is a compiled policy. It is safe for concurrent use.
type Engine struct {
	fallback  Effect
	rules     []compiled
	directory directory
	// source is the rules as they were written, which decisions don't need and their reasons do.
	source []Rule
}

type compiled struct {
	operation operationPattern
	client    clientPattern
	who       whoPattern
	effect    Effect
	mode      Mode
	id, note  string
}

// Compile compiles a policy, after filling in what was left out, or says everything that is wrong
// with it. The policy is not changed, and not kept.
func Compile(p *Policy) (*Engine, error) {
	filled := Policy{Default: p.Default, Rules: append([]Rule(nil), p.Rules...)}
	filled.Normalize()
	if violations := filled.Validate(); len(violations) > 0 {
		sentences := make([]string, len(violations))
		for i, v := range violations {
			sentences[i] = v.String()
		}
		return nil, fmt.Errorf("the policy is invalid: %s", strings.Join(sentences, "; "))
	}
	e := &Engine{fallback: filled.Default, rules: make([]compiled, len(filled.Rules)), directory: newDirectory(), source: filled.Rules}
	for i, r := range filled.Rules {
		e.rules[i] = compiled{
			operation: compileOperation(r.Operation, r.Effect),
			client:    compileClient(r.Client, r.Verified),
			who:       compileWho(r.Who, &e.directory),
			effect:    r.Effect, mode: r.Mode, id: r.ID, note: r.Note,
		}
	}
	return e, nil
}

// Decision is the answer.
type Decision struct {
	Allowed bool
	// Rule is the number of the rule that decided, counted from 1; 0 where the default did.
	Rule         int
	RuleID, Note string
	// MonitorRule is the first monitoring rule that matched, and MonitorEffect what it would do.
	MonitorRule   int
	MonitorEffect Effect
	// GroupsUnknown says that a rule for a group was read without knowing the person's groups.
	GroupsUnknown bool
}

// Decide returns the decision of the first enforced rule that matches, or the default's.
func (e *Engine) Decide(c Client, s Subject, call Call) Decision {
	var d Decision
	t, a, p := unfolded(call), assistant{c.Key, c.Name, c.Class}, person{Subject: s, email: s.Email}
	foldAll(&t.name, &t.other, &t.outer, &t.product, &a.key, &a.name, &p.email)
	t.spell()
	for i := range e.rules {
		r := &e.rules[i]
		if !r.operation.matches(&t) || !r.client.matches(&a) {
			continue
		}
		match, groupsUnknown := r.who.matches(&p, &e.directory, r.effect)
		d.GroupsUnknown = d.GroupsUnknown || groupsUnknown
		switch {
		case !match:
		case r.mode == Enforce:
			d.Allowed, d.Rule, d.RuleID, d.Note = r.effect == Allow, i+1, r.id, r.note
			return d
		case d.MonitorRule == 0:
			d.MonitorRule, d.MonitorEffect = i+1, r.effect
		}
	}
	d.Allowed = e.fallback == Allow
	return d
}

// Sentence is what the assistant shows of a block (section 6): what, by which rule and its note,
// and whom to ask, which follows the word ask.
func (d Decision) Sentence(name, contact string) string {
	return fmt.Sprintf("Sallyport blocked %s. %s If you need this, ask %s.", name, d.reason(), contact)
}

func (d Decision) reason() string {
	const ofPolicy = "of your organization's policy for AI assistants"
	if d.Rule == 0 {
		return "No rule " + ofPolicy + " allows it."
	}
	note := strings.TrimRight(strings.TrimSpace(d.Note), ". ")
	switch {
	case note == "":
		return fmt.Sprintf("Rule %d %s forbids it.", d.Rule, ofPolicy)
	case strings.HasSuffix(note, "!"), strings.HasSuffix(note, "?"):
		return fmt.Sprintf("Rule %d %s says: %s", d.Rule, ofPolicy, note)
	}
	return fmt.Sprintf("Rule %d %s says: %s.", d.Rule, ofPolicy, note)
}
