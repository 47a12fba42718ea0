package policy

import (
	"slices"
	"strings"

	"sallyport/services/operation"
)

// glob reports whether a pattern matches the whole of a text; * stands for any characters. Both
// are in lower case. It is linear but for one step back per star.
func glob(pattern, text string) bool {
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// subject of a match: an operation's names, product and verbs in lower case.
type target struct {
	name, other, outer, product string
	verbs                       []string
}

func newTarget(c Call) target {
	return target{
		name: strings.ToLower(c.Operation.Name), other: strings.ToLower(c.Operation.Other), outer: strings.ToLower(c.Outer),
		product: c.Operation.Product, verbs: c.Operation.Verbs,
	}
}

func (t target) named(name string) bool {
	return name == t.name || t.other != "" && name == t.other || t.outer != "" && name == t.outer
}

// term is one term of an operation pattern.
type term func(target) bool

// compileOperation compiles an operation pattern (section 3): all of its terms must match.
func compileOperation(pattern string, effect Effect) []term {
	fields := strings.Fields(strings.ToLower(pattern))
	terms := make([]term, 0, len(fields))
	for _, field := range fields {
		if field != "*" {
			terms = append(terms, compileTerm(field, len(fields) == 1, effect))
		}
	}
	return terms
}

func compileTerm(text string, alone bool, effect Effect) term {
	if !strings.Contains(text, "*") {
		return func(t target) bool { return t.named(text) || !alone && t.product == text }
	}
	family, ok := familyTerms[text]
	if ok {
		return familyTerm(family, effect)
	}
	return func(t target) bool {
		return glob(text, t.name) || t.other != "" && glob(text, t.other) || t.outer != "" && glob(text, t.outer) ||
			t.product != "" && glob(text, t.product) ||
			slices.ContainsFunc(t.verbs, func(v string) bool { return glob(text, v) })
	}
}

// familyTerms are the terms that mean a family; each says whether a verb is in it.
var familyTerms = map[string]func(verb string) bool{
	"read*":   in(operation.Read),
	"create*": in(operation.Create),
	"update*": in(operation.Update),
	"delete*": in(operation.Delete),
	"manage*": in(operation.Manage),
	"write*":  func(verb string) bool { return operation.FamilyOf(verb) != operation.Read },
}

func in(family operation.Family) func(string) bool {
	return func(verb string) bool { return operation.FamilyOf(verb) == family }
}

// familyTerm reads a family by the rule's effect, so that a doubtful operation falls on the safe
// side: any verb is enough to deny, and all are needed to allow.
func familyTerm(member func(string) bool, effect Effect) term {
	if effect == Allow {
		return func(t target) bool {
			return len(t.verbs) > 0 && !slices.ContainsFunc(t.verbs, func(v string) bool { return !member(v) })
		}
	}
	// What has no known verb might write, as "write" is everything but read; it is in no other family.
	doubtful := member("")
	return func(t target) bool {
		return len(t.verbs) == 0 && doubtful || slices.ContainsFunc(t.verbs, member)
	}
}

// compileClient compiles a client pattern (section 4).
func compileClient(pattern string) func(Client) bool {
	pattern = strings.ToLower(strings.TrimSpace(pattern))
	if pattern == "*" {
		return func(Client) bool { return true }
	}
	if strings.Contains(pattern, "*") {
		return func(c Client) bool {
			return glob(pattern, strings.ToLower(c.Key)) || glob(pattern, strings.ToLower(c.Name))
		}
	}
	wanted := clientWords(pattern)
	return func(c Client) bool {
		return strings.EqualFold(pattern, c.Key) || strings.EqualFold(pattern, c.Name) ||
			beginsWith(clientWords(c.Key), wanted) || beginsWith(clientWords(c.Name), wanted)
	}
}

func clientWords(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" -_./:()\t", r) })
}

func beginsWith(words, beginning []string) bool {
	return len(beginning) > 0 && len(words) >= len(beginning) && slices.Equal(words[:len(beginning)], beginning)
}

// compileWho compiles a pattern of section 5. A person whose groups can't be learned is taken to
// be in the group of a deny rule and not in that of an allow rule.
func compileWho(pattern string, effect Effect) func(Subject) (match, groupsUnknown bool) {
	kind, name, _ := strings.Cut(pattern, ":")
	switch kind {
	case "group":
		name = strings.TrimSpace(name)
		return func(s Subject) (bool, bool) {
			if !s.GroupsKnown {
				return effect == Deny, true
			}
			return slices.ContainsFunc(s.Groups, func(g Group) bool { return g.ID == name || strings.EqualFold(g.Name, name) }), false
		}
	case "user":
		name = strings.TrimSpace(name)
		return func(s Subject) (bool, bool) {
			return s.AccountID == name || s.Email != "" && strings.EqualFold(s.Email, name), false
		}
	}
	return func(Subject) (bool, bool) { return true, false }
}
