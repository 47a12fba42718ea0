package policy

import (
	"strings"

	"sallyport/services/operation"
)

// Whether one pattern covers another: whatever the second matches, the first does too. They are sure
// where they say yes; where they say no, the first may still cover the second.

// covers reports whether r matches whatever other does.
func (r *compiled) covers(other *compiled, source, otherSource Rule) bool {
	return r.client.covers(&other.client, source.Client, otherSource.Client) &&
		coversWho(source, otherSource) && r.operation.covers(other.operation)
}

// covers reports the same of clients; the texts are those of the patterns.
func (p *clientPattern) covers(other *clientPattern, text, otherText string) bool {
	switch {
	case p.verified && !other.verified:
		return false
	case p.any, strings.EqualFold(strings.TrimSpace(text), strings.TrimSpace(otherText)):
		return true
	case p.words != "" && other.words != "":
		return strings.HasPrefix(other.words, p.words)
	}
	return p.glob.covers(&other.glob)
}

// coversWho reports the same of people. Where groups are unknown a deny rule for a group matches, and
// an allow rule for it doesn't.
func coversWho(r, other Rule) bool {
	if r.Who == "any" {
		return true
	}
	kind, name, _ := strings.Cut(r.Who, ":")
	otherKind, otherName, _ := strings.Cut(other.Who, ":")
	if kind != otherKind || fold(strings.TrimSpace(name)) != fold(strings.TrimSpace(otherName)) {
		return false
	}
	return kind == "user" || r.Effect == Deny || other.Effect == Allow
}

// covers reports the same of operations: each term must be wider than one of the other's.
func (p operationPattern) covers(other operationPattern) bool {
	for i := range p {
		found := false
		for j := range other {
			found = found || p[i].covers(&other[j])
		}
		if !found {
			return false
		}
	}
	return true
}

func (m *term) covers(other *term) bool {
	if other.way == byName {
		return m.coversName(other)
	}
	switch m.way {
	case byName:
		return false
	case byNameOrProduct:
		return other.way == byNameOrProduct && m.text == other.text
	case byFamilyToDeny:
		// To deny, "write*" is also what has no known verb; all others are families alone.
		return other.way == byFamilyToAllow && other.family&^m.family == 0 ||
			other.way == byFamilyToDeny && other.family&^m.family == 0
	case byFamilyToAllow:
		return other.way == byFamilyToAllow && other.family&^m.family == 0
	case byGlob:
		return other.way == byGlob && m.glob.covers(&other.glob)
	}
	return false
}

// coversName reports whether a term matches every call that goes by a name. Through an execute tool
// that can be any call, and of a fetch only its arguments tell the product.
func (m *term) coversName(name *term) bool {
	if m.way == byName && m.text == name.text {
		return true
	}
	if strings.HasPrefix(name.text, "execute") || name.text == "fetch" {
		return false
	}
	op := operation.Parse(name.written, "")
	t := newTarget(Call{Operation: op})
	if op.Other == "" {
		return m.matches(&t)
	}
	other := newTarget(Call{Operation: operation.Parse(op.Other, "")})
	return m.matches(&t) && m.matches(&other)
}

// covers reports the same of globs, where both say what a text begins with and nothing more.
func (g *glob) covers(other *glob) bool {
	open := func(g *glob) bool { return !g.exact && g.last == "" && len(g.middle) == 0 }
	return open(g) && !other.exact && strings.HasPrefix(other.first, g.first)
}
