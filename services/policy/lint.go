package policy

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"sallyport/services/operation"
)

// FindingKind is what kind of thing is probably not meant.
type FindingKind string

// The kinds of findings.
const (
	Unreachable     FindingKind = "unreachable"
	MatchesNothing  FindingKind = "matches_nothing"
	AllowBeforeDeny FindingKind = "allow_before_deny"
	NoSuchGroup     FindingKind = "no_such_group"
)

// Finding is one thing that is allowed in a policy, and probably not meant.
type Finding struct {
	Kind FindingKind
	// Rule is the number of the rule, counted from 1; Field its place, such as rules[2].operation,
	// counted from 0.
	Rule  int
	Field string
	// Sentence says what is wrong and what would be right; Near what may be meant instead.
	Sentence string
	Near     []string
}

// Known is what a policy is compared with. What is nil isn't known, and not checked.
type Known struct {
	// Operations are those that the site offers or that were called.
	Operations []Call
	// Groups are those of the site.
	Groups []Group
}

// examples is how many operations or rules a finding names before it counts them.
const examples = 3

// Lint returns what is probably not meant, in the order of the rules: rules that can never be reached,
// patterns that match no known operation, allow rules wider than a deny rule below them, and groups
// that don't exist.
func (e *Engine) Lint(known Known) []Finding {
	l := &linter{engine: e, known: known, coverage: newCoverage(known), matched: make([]places, len(e.rules)), hidden: make([]bool, len(e.rules))}
	for i := range e.rules {
		l.matched[i] = l.matching(e.rules[i].operation)
		l.hidden[i] = l.reach(i)
		l.matchesNothing(i)
		l.group(i)
	}
	for i := range e.rules {
		l.allowBeforeDeny(i)
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return a.Rule - b.Rule })
	return l.findings
}

type linter struct {
	*coverage

	engine *Engine
	known  Known
	// matched are the known operations that each rule's pattern matches; hidden says of each rule that
	// it is never reached.
	matched  []places
	hidden   []bool
	findings []Finding
}

func (l *linter) report(kind FindingKind, rule int, field, sentence string, near ...string) {
	place := strings.TrimSuffix(fmt.Sprintf("rules[%d].%s", rule, field), ".")
	l.findings = append(l.findings, Finding{Kind: kind, Rule: rule + 1, Field: place, Sentence: sentence, Near: near})
}

// reach reports a rule that an earlier one leaves nothing to, and whether it did.
func (l *linter) reach(i int) bool {
	e := l.engine
	for earlier := range i {
		r := &e.rules[earlier]
		// A monitoring rule only keeps others from being recorded as the first.
		if r.mode == Monitor && e.rules[i].mode == Enforce || !l.rule(r, &e.rules[i], e.source[earlier], e.source[i]) {
			continue
		}
		what := "Rule %d is never reached: rule %d, which %s, matches everything that it matches. Move it above rule %[2]d, or remove it."
		if r.mode == Monitor {
			what = "Rule %d is never recorded: rule %d, which %s, matches everything that it matches. Remove one of them."
		}
		l.report(Unreachable, i, "", fmt.Sprintf(what, i+1, earlier+1, doing(e.source[earlier])))
		return true
	}
	return false
}

// doing says what a rule does, after "which".
func doing(r Rule) string {
	if r.Mode == Monitor {
		return "only monitors"
	}
	return verbOf(r.Effect) + " " + fmt.Sprintf("%q", r.Operation)
}

// matchesNothing reports an operation pattern that matches no known operation.
func (l *linter) matchesNothing(i int) {
	pattern := l.engine.source[i].Operation
	if l.targets == nil || l.matched[i].count() > 0 || len(l.engine.rules[i].operation) == 0 {
		return
	}
	near := l.nearOperations(pattern)
	hint := "Check its spelling, or leave it for a tool that is yet to come."
	if len(near) > 0 {
		hint = fmt.Sprintf("Perhaps %s is meant.", listed(quoted(near), "or"))
	}
	l.report(MatchesNothing, i, "operation", fmt.Sprintf("%q matches no operation that the site offers or that was ever called. %s", pattern, hint), near...)
}

// matching are the known operations that a pattern matches.
func (l *linter) matching(p operationPattern) places {
	found := make(places, (len(l.targets)+63)/64)
	for at := range l.targets {
		if p.matches(&l.targets[at]) {
			found[at/64] |= 1 << (at % 64)
		}
	}
	return found
}

// allowBeforeDeny reports an allow rule that lets through what deny rules below it are about, though
// it is wider than they are and so no exception from them.
func (l *linter) allowBeforeDeny(allow int) {
	e := l.engine
	if l.hidden[allow] || !e.rules[allow].decides(Allow) {
		return
	}
	var denying []string
	lets := make(places, len(l.matched[allow]))
	through := l.through(allow)
	for i := allow + 1; i < len(e.rules); i++ {
		if l.hidden[i] || !e.rules[i].decides(Deny) || !l.wider(allow, i) {
			continue
		}
		exception := l.matched[allow].without(l.matched[i]).count() == 0
		both := through.without(through.without(l.matched[i]))
		if exception || both.count() == 0 {
			continue
		}
		denying = append(denying, fmt.Sprint(i+1))
		lets.add(both)
	}
	what := "Rule %d allows %s before rule %s, which would deny that, is reached. Move rule %[3]s above it, or make rule %[1]d narrower."
	switch {
	case len(denying) == 0:
		return
	case len(denying) > 1:
		what = "Rule %d allows %s before rules %s, which would deny that, are reached. Move them above it, or make rule %[1]d narrower."
	}
	l.report(AllowBeforeDeny, allow, "operation", fmt.Sprintf(what, allow+1, l.names(lets), listed(shortened(denying), "and")))
}

func (r *compiled) decides(effect Effect) bool { return r.effect == effect && r.mode == Enforce }

// wider reports whether a rule is about all of the assistants and people that another is about, as
// long as everybody's groups are known.
func (l *linter) wider(i, than int) bool {
	e := l.engine
	r := e.source[i]
	r.Effect = Deny
	return e.rules[i].client.covers(&e.rules[than].client, r.Client, e.source[than].Client) && l.who(r, e.source[than])
}

// through are the known operations that a rule decides about, as far as those above it leave any.
func (l *linter) through(i int) places {
	left := l.matched[i]
	for earlier := range i {
		if l.engine.rules[earlier].mode == Enforce && l.wider(earlier, i) {
			left = left.without(l.matched[earlier])
		}
	}
	return left
}

// places is a set of known operations, with a bit for each.
type places []uint64

func (p places) count() int {
	count := 0
	for _, word := range p {
		count += bits.OnesCount64(word)
	}
	return count
}

func (p places) add(other places) {
	for i := range p {
		p[i] |= other[i]
	}
}

// without is a new set, of those that aren't in another.
func (p places) without(other places) places {
	left := make(places, len(p))
	for i := range p {
		left[i] = p[i] &^ other[i]
	}
	return left
}

// names lists some operations by name.
func (l *linter) names(set places) string {
	var names []string
	for at, call := range l.known.Operations {
		if set[at/64]&(1<<(at%64)) != 0 {
			names = append(names, call.Operation.Name)
		}
	}
	return listed(shortened(sorted(names)), "and")
}

// shortened is a list of a few, and how many more there are.
func shortened(list []string) []string {
	if len(list) <= examples+1 {
		return list
	}
	return append(list[:examples:examples], fmt.Sprintf("%d more", len(list)-examples))
}

// group reports a rule for a group that the site doesn't have.
func (l *linter) group(i int) {
	kind, name, _ := strings.Cut(l.engine.source[i].Who, ":")
	name = strings.TrimSpace(name)
	if kind != "group" || l.known.Groups == nil {
		return
	}
	var names []string
	for _, g := range l.known.Groups {
		if g.ID == name || operation.Fold(g.Name) == operation.Fold(name) {
			return
		}
		names = append(names, g.Name, g.ID)
	}
	near := nearest(name, names)
	for n := range near {
		near[n] = "group:" + near[n]
	}
	hint := "Check its spelling; `sallyport groups list` shows those there are."
	if len(near) > 0 {
		hint = fmt.Sprintf("Perhaps %s is meant.", listed(quoted(near), "or"))
	}
	l.report(NoSuchGroup, i, "who", fmt.Sprintf("The site has no group %q, so the rule matches nobody whose groups are known. %s", name, hint), near...)
}

// listed is a list as people read it.
func listed(words []string, join string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + join + " " + words[len(words)-1]
}

func quoted(words []string) []string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = fmt.Sprintf("%q", word)
	}
	return list
}
