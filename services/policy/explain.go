package policy

import (
	"fmt"
	"strings"

	"sallyport/services/operation"
)

// Step is how one rule was read on the way to a decision.
type Step struct {
	// Rule is its number, counted from 1.
	Rule    int
	RuleID  string
	Matches bool
	// Decides is false for a rule that matches and only monitors.
	Decides bool
	// Reason says why, in a sentence.
	Reason string
}

// Explain decides as Decide does, and returns how each rule up to the one that decides was read.
func (e *Engine) Explain(c Client, s Subject, call Call) (Decision, []Step) {
	decision := e.Decide(c, s, call)
	last := len(e.rules)
	if decision.Rule > 0 {
		last = decision.Rule
	}
	x := &explanation{call: call, client: c, target: newTarget(call), assistant: newAssistant(c), person: person{Subject: s, email: operation.Fold(s.Email)}}
	steps := make([]Step, last)
	for i := range steps {
		steps[i] = x.step(e, i)
	}
	return decision, steps
}

// explanation is what rules are explained about.
type explanation struct {
	call      Call
	client    Client
	target    target
	assistant assistant
	person    person
}

// reading is how one pattern of a rule was read. A trivial one matches everything.
type reading struct {
	matches, trivial bool
	reason           string
}

func (x *explanation) step(e *Engine, i int) Step {
	r, source := &e.rules[i], e.source[i]
	step := Step{Rule: i + 1, RuleID: r.id, Matches: true}
	var reasons []string
	for _, read := range []reading{
		x.readOperation(r.operation, source), x.readClient(&r.client, source), x.readWho(&r.who, &e.directory, source),
	} {
		if !read.matches {
			// What else might match doesn't matter then.
			return Step{Rule: i + 1, RuleID: r.id, Reason: "It doesn't match: " + read.reason + "."}
		}
		if !read.trivial {
			reasons = append(reasons, read.reason)
		}
	}
	step.Reason = "It matches everything."
	if len(reasons) > 0 {
		step.Reason = "It matches: " + strings.Join(reasons, "; ") + "."
	}
	step.Decides = r.mode == Enforce
	if !step.Decides {
		step.Reason += " It only monitors, so the next rules go on."
	}
	return step
}

func (x *explanation) readOperation(p operationPattern, source Rule) reading {
	if len(p) == 0 {
		return reading{matches: true, trivial: true}
	}
	var reasons []string
	for i := range p {
		matches, reason := x.readTerm(&p[i])
		if !matches {
			return reading{reason: reason}
		}
		reasons = append(reasons, reason)
	}
	return reading{matches: true, reason: fmt.Sprintf("%q is meant by %q, since %s", x.call.Operation.Name, source.Operation, strings.Join(reasons, " and "))}
}

// readTerm says why a term matches or doesn't.
func (x *explanation) readTerm(m *term) (bool, string) {
	matches := m.matches(&x.target)
	name := x.call.Operation.Name
	switch m.way {
	case byName, byNameOrProduct:
		switch {
		case !matches && m.way == byNameOrProduct:
			return false, fmt.Sprintf("%q is neither of the product %q nor named so", name, m.written)
		case !matches:
			return false, fmt.Sprintf("%q isn't the operation %q", name, m.written)
		case m.text == x.target.name:
			return true, "that is its name"
		case m.text == x.target.other:
			return true, fmt.Sprintf("%q is another name of it", m.written)
		case m.text == x.target.outer:
			return true, fmt.Sprintf("it is called through %q", m.written)
		}
		return true, fmt.Sprintf("it is of the product %q", m.written)
	case byFamilyToDeny, byFamilyToAllow:
		return matches, x.familyReason(m, matches)
	case byGlob:
		if matches {
			return true, fmt.Sprintf("%q fits %q", m.written, x.fits(m))
		}
		return false, fmt.Sprintf("%q fits neither the name %q nor its product or verbs", m.written, name)
	}
	return matches, ""
}

// fits is the part of the call that a glob matches, as it is written.
func (x *explanation) fits(m *term) string {
	o := x.call.Operation
	for _, text := range append([]string{o.Name, o.Other, x.call.Outer, o.Product}, o.Verbs...) {
		if text != "" && m.glob.matches(operation.Fold(text)) {
			return text
		}
	}
	return ""
}

func (x *explanation) familyReason(m *term, matches bool) string {
	verbs := make([]string, len(x.target.verbs))
	for i, verb := range x.target.verbs {
		verbs[i] = fmt.Sprintf("%s (%s)", verb, operation.FamilyOf(verb))
	}
	list := strings.Join(verbs, ", ")
	switch {
	case len(verbs) == 0 && matches:
		return fmt.Sprintf("%q has no verb that is known, so it might write", x.call.Operation.Name)
	case len(verbs) == 0:
		return fmt.Sprintf("%q has no verb that is known, so it isn't in the family %q", x.call.Operation.Name, m.written)
	case matches && len(verbs) == 1:
		return "its verb is " + list
	case matches && m.way == byFamilyToAllow:
		return "all of its verbs are of that family: " + list
	case matches:
		return "one of its verbs is of that family: " + list
	case m.way == byFamilyToAllow && x.target.families&m.family != 0:
		return fmt.Sprintf("not all verbs of %q are in the family %q: %s", x.call.Operation.Name, m.written, list)
	}
	return fmt.Sprintf("%q isn't in the family %q: its verbs are %s", x.call.Operation.Name, m.written, list)
}

func (x *explanation) readClient(p *clientPattern, source Rule) reading {
	a := x.client
	switch {
	case p.verified && a.Class != Verified:
		return reading{reason: fmt.Sprintf("the rule is only for assistants whose identity is verified, and that of %q is %s", orElse(a.Name, a.Key), orElse(string(a.Class), string(Unknown)))}
	case !p.matches(&x.assistant):
		return reading{reason: fmt.Sprintf("the rule is for the assistant %q, and this is %q (key %q)", source.Client, orElse(a.Name, a.Key), a.Key)}
	case p.any && !p.verified:
		return reading{matches: true, trivial: true}
	case p.any:
		return reading{matches: true, reason: fmt.Sprintf("the identity of %q is verified", orElse(a.Name, a.Key))}
	}
	return reading{matches: true, reason: fmt.Sprintf("%q is the assistant %q", orElse(a.Name, a.Key), source.Client)}
}

func (x *explanation) readWho(w *whoPattern, d *directory, source Rule) reading {
	matches, unknown := w.matches(&x.person, d, source.Effect)
	_, name, _ := strings.Cut(source.Who, ":")
	who, named := "this person", orElse(x.person.Email, x.person.AccountID)
	if named != "" {
		who = fmt.Sprintf("%q", named)
	}
	switch {
	case w.kind == anybody:
		return reading{matches: true, trivial: true}
	case unknown && matches:
		return reading{matches: true, reason: fmt.Sprintf("the groups of %s aren't known, so a deny rule for the group %q is taken as matching", who, name)}
	case unknown:
		return reading{reason: fmt.Sprintf("the groups of %s aren't known, so an allow rule for the group %q is taken as not matching", who, name)}
	case w.kind == inGroup && matches:
		return reading{matches: true, reason: fmt.Sprintf("%s is in the group %q", who, name)}
	case w.kind == inGroup:
		return reading{reason: fmt.Sprintf("%s isn't in the group %q", who, name)}
	case matches:
		return reading{matches: true, reason: fmt.Sprintf("this is %q", name)}
	}
	if named == "" {
		return reading{reason: fmt.Sprintf("the rule is for %q, and this person isn't named", name)}
	}
	return reading{reason: fmt.Sprintf("the rule is for %q, and this is %s", name, who)}
}

// DecidedBy says in a sentence which rules would decide an operation, whoever calls it by whichever
// assistant: those that match it, in order, up to the first that matches everybody.
func (e *Engine) DecidedBy(call Call) string {
	t := newTarget(call)
	var parts []string
	for i := range e.rules {
		r, source := &e.rules[i], e.source[i]
		if r.mode != Enforce || !r.operation.matches(&t) {
			continue
		}
		about := source.about()
		if about == "" {
			return sentence(append(parts, fmt.Sprintf("rule %d %s it%s", i+1, verbOf(r.effect), elsewhere(parts))))
		}
		parts = append(parts, fmt.Sprintf("rule %d %s it %s", i+1, verbOf(r.effect), about))
	}
	return sentence(append(parts, fmt.Sprintf("the default %s it%s", verbOf(e.fallback), elsewhere(parts))))
}

// about says for whom a rule is, empty where that is everybody by any assistant.
func (r Rule) about() string {
	var parts []string
	if r.Client != "*" {
		parts = append(parts, fmt.Sprintf("by the assistant %q", r.Client))
	}
	if r.Verified {
		parts = append(parts, "where the assistant is verified")
	}
	if r.Who != "any" {
		parts = append(parts, "for "+r.Who)
	}
	return strings.Join(parts, " ")
}

func verbOf(effect Effect) string {
	if effect == Allow {
		return "allows"
	}
	return "blocks"
}

func elsewhere(before []string) string {
	if len(before) > 0 {
		return " for all others"
	}
	return ""
}

func sentence(parts []string) string {
	text := strings.Join(parts, "; ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}
