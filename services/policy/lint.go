package policy

import (
	"fmt"
	"slices"
	"strings"
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

// examples is how many operations a finding names.
const examples = 3

// Lint returns what is probably not meant, in the order of the rules: rules that can never be reached,
// patterns that match no known operation, allow rules wider than a deny rule below them, and groups
// that don't exist.
func (e *Engine) Lint(known Known) []Finding {
	l := &linter{engine: e, known: known}
	for _, call := range known.Operations {
		l.targets = append(l.targets, newTarget(call))
	}
	for i := range e.rules {
		hidden := l.reach(i)
		l.matchesNothing(i)
		l.group(i)
		if !hidden {
			l.allowBeforeDeny(i)
		}
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return a.Rule - b.Rule })
	return l.findings
}

type linter struct {
	engine   *Engine
	known    Known
	targets  []target
	findings []Finding
}

func (l *linter) report(kind FindingKind, rule int, field string, near []string, format string, args ...any) {
	l.findings = append(l.findings, Finding{
		Kind: kind, Rule: rule + 1, Field: strings.TrimSuffix(fmt.Sprintf("rules[%d].%s", rule, field), "."),
		Sentence: fmt.Sprintf(format, args...), Near: near,
	})
}

// reach reports a rule that an earlier one leaves nothing to, and whether it did.
func (l *linter) reach(i int) bool {
	e := l.engine
	for earlier := range i {
		r := &e.rules[earlier]
		// A monitoring rule only keeps others from being recorded as the first.
		if r.mode == Monitor && e.rules[i].mode == Enforce || !r.covers(&e.rules[i], e.source[earlier], e.source[i]) {
			continue
		}
		what := "Rule %d is never reached: rule %d, which %s, matches everything that it matches. Move it above rule %[2]d, or remove it."
		if r.mode == Monitor {
			what = "Rule %d is never recorded: rule %d, which %s, matches everything that it matches. Remove one of them."
		}
		l.report(Unreachable, i, "", nil, what, i+1, earlier+1, doing(e.source[earlier]))
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
	pattern := l.engine.rules[i].operation
	if l.targets == nil || len(l.matched(i)) > 0 || len(pattern) == 0 {
		return
	}
	near := l.nearOperations(pattern)
	hint := "Check its spelling, or leave it for a tool that is yet to come."
	if len(near) > 0 {
		hint = fmt.Sprintf("Perhaps %s is meant.", listed(quoted(near), "or"))
	}
	l.report(MatchesNothing, i, "operation", near, "%q matches no operation that the site offers or that was ever called. %s", l.engine.source[i].Operation, hint)
}

// matched are the known operations that a rule's pattern matches.
func (l *linter) matched(i int) []int {
	var found []int
	for at := range l.targets {
		if l.engine.rules[i].operation.matches(&l.targets[at]) {
			found = append(found, at)
		}
	}
	return found
}

// allowBeforeDeny reports an allow rule that lets through what a deny rule below it is about, though
// it is wider and so no exception from it.
func (l *linter) allowBeforeDeny(deny int) {
	e := l.engine
	if e.rules[deny].effect != Deny || e.rules[deny].mode != Enforce {
		return
	}
	denied := l.matched(deny)
	for i := range deny {
		r := &e.rules[i]
		if r.effect != Allow || r.mode != Enforce ||
			!r.client.covers(&e.rules[deny].client, e.source[i].Client, e.source[deny].Client) || !widerWho(e.source[i], e.source[deny]) {
			continue
		}
		allowed := l.matched(i)
		both := slices.DeleteFunc(slices.Clone(allowed), func(at int) bool { return !slices.Contains(denied, at) })
		if len(both) == 0 || len(both) == len(allowed) {
			continue
		}
		l.report(AllowBeforeDeny, i, "operation", nil, "Rule %d allows %s before rule %d, which would deny it, is reached. Move rule %[3]d above it, or make rule %[1]d narrower.",
			i+1, l.named(both), deny+1)
	}
}

// widerWho is coversWho for somebody whose groups are known.
func widerWho(r, other Rule) bool {
	r.Effect = Deny
	return coversWho(r, other)
}

// named lists some operations by name.
func (l *linter) named(places []int) string {
	var names []string
	for _, at := range places {
		names = append(names, l.known.Operations[at].Operation.Name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > examples {
		more := len(names) - examples
		names = append(names[:examples:examples], fmt.Sprintf("%d more", more))
	}
	return listed(names, "and")
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
		if g.ID == name || fold(g.Name) == fold(name) {
			return
		}
		names = append(names, g.Name)
	}
	near := nearest(name, names)
	for n := range near {
		near[n] = "group:" + near[n]
	}
	hint := "Check its spelling; `sallyport groups list` shows those there are."
	if len(near) > 0 {
		hint = fmt.Sprintf("Perhaps %s is meant.", listed(quoted(near), "or"))
	}
	l.report(NoSuchGroup, i, "who", near, "The site has no group %q, so the rule matches nobody whose groups are known. %s", name, hint)
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
