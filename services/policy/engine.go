package policy

import (
	"fmt"
	"strings"

	"sallyport/services/operation"
)

// Class is how sure the identity of an assistant is.
type Class string

// The classes (section 4).
const (
	Verified Class = "verified"
	Claimed  Class = "claimed"
	Unknown  Class = "unknown"
)

// Client is the assistant.
type Client struct {
	Key, Name string
	Class     Class
}

// Group is an Atlassian group.
type Group struct{ ID, Name string }

// Subject is the person.
type Subject struct {
	AccountID, Email string
	Groups           []Group
	// GroupsKnown is false where the groups couldn't be learned.
	GroupsKnown bool
}

// Call is what is tried. Outer is the name of the execute call around it, or empty.
type Call struct {
	Operation operation.Operation
	Outer     string
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

// Engine is a compiled policy. It is safe for concurrent use.
type Engine struct {
	fallback Effect
	rules    []compiled
}

type compiled struct {
	Rule
	client    func(Client) bool
	who       func(Subject) (match, groupsUnknown bool)
	operation []term
}

// Compile compiles a policy, after filling in what was left out, or says everything that is wrong
// with it.
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
	e := &Engine{fallback: filled.Default, rules: make([]compiled, len(filled.Rules))}
	for i, r := range filled.Rules {
		e.rules[i] = compiled{r, compileClient(r.Client), compileWho(r.Who, r.Effect), compileOperation(r.Operation, r.Effect)}
	}
	return e, nil
}

// Decide returns the decision of the first enforced rule that matches, or the default's.
func (e *Engine) Decide(c Client, s Subject, call Call) Decision {
	var d Decision
	t := newTarget(call)
	for i := range e.rules {
		r := &e.rules[i]
		match, groupsUnknown := r.matches(c, s, t)
		d.GroupsUnknown = d.GroupsUnknown || groupsUnknown
		switch {
		case !match:
		case r.Mode == Enforce:
			d.Allowed, d.Rule, d.RuleID, d.Note = r.Effect == Allow, i+1, r.ID, r.Note
			return d
		case d.MonitorRule == 0:
			d.MonitorRule, d.MonitorEffect = i+1, r.Effect
		}
	}
	d.Allowed = e.fallback == Allow
	return d
}

func (r *compiled) matches(c Client, s Subject, t target) (match, groupsUnknown bool) {
	for _, term := range r.operation {
		if !term(t) {
			return false, false
		}
	}
	if r.Verified && c.Class != Verified || !r.client(c) {
		return false, false
	}
	return r.who(s)
}

// Sentence is what the assistant shows of a block: what, by which rule and its note, and whom to
// ask.
func (d Decision) Sentence(name, contact string) string {
	reason := "No rule of your organization's policy for AI assistants allows it."
	if d.Rule > 0 {
		reason = fmt.Sprintf("Rule %d of your organization's policy for AI assistants forbids it.", d.Rule)
		if d.Note != "" {
			reason = fmt.Sprintf("Rule %d of your organization's policy for AI assistants says: %s.", d.Rule, strings.TrimRight(d.Note, ". "))
		}
	}
	return fmt.Sprintf("Sallyport blocked %s. %s If you need this, ask %s.", name, reason, contact)
}
