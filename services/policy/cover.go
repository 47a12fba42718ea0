package policy

import (
	"strings"

	"sallyport/services/operation"
)

// coverage tells whether one pattern covers another: whatever the second matches, the first does too.
// It is sure where it says yes; where it says no, the first may still cover the second.
type coverage struct {
	// targets are the known operations; nil where none is known.
	targets []target
	// groupIDs are those of the site; nil where its groups aren't known.
	groupIDs map[string]bool
	// named are the operations that a name without a star means.
	named map[string][]target
}

func newCoverage(known Known) *coverage {
	c := &coverage{named: map[string][]target{}}
	if known.Operations != nil {
		c.targets = make([]target, len(known.Operations))
	}
	for i, call := range known.Operations {
		c.targets[i] = newTarget(call)
	}
	if known.Groups != nil {
		c.groupIDs = map[string]bool{}
	}
	for _, g := range known.Groups {
		c.groupIDs[g.ID] = true
	}
	return c
}

// rule reports whether r matches whatever other does.
func (c *coverage) rule(r, other *compiled, source, otherSource Rule) bool {
	return r.client.covers(&other.client, source.Client, otherSource.Client) &&
		c.who(source, otherSource) && c.operation(r.operation, other.operation)
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
	return p.glob.covers(other.glob)
}

// who reports the same of people. Where groups are unknown a deny rule for a group matches, and an
// allow rule for it doesn't.
func (c *coverage) who(r, other Rule) bool {
	if r.Who == "any" {
		return true
	}
	kind, name, _ := strings.Cut(r.Who, ":")
	otherKind, otherName, _ := strings.Cut(other.Who, ":")
	if kind != otherKind || !c.same(kind, strings.TrimSpace(name), strings.TrimSpace(otherName)) {
		return false
	}
	return kind == "user" || r.Effect == Deny || other.Effect == Allow
}

// same reports whether two names are of the same person or group. Case matters in ids: those of
// people have no @, and those of groups are known or not.
func (c *coverage) same(kind, name, other string) bool {
	switch {
	case name == other:
		return true
	case operation.Fold(name) != operation.Fold(other):
		return false
	case kind == "user":
		return strings.Contains(name, "@")
	}
	return c.groupIDs != nil && !c.groupIDs[name] && !c.groupIDs[other]
}

// operation reports the same of operations: each term must be wider than one of the other's.
func (c *coverage) operation(p, other operationPattern) bool {
	for i := range p {
		found := false
		for j := range other {
			found = found || c.term(&p[i], &other[j])
		}
		if !found {
			return false
		}
	}
	return true
}

func (c *coverage) term(m, other *term) bool {
	if other.way == byName {
		return c.name(m, other)
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
		return other.way == byGlob && m.glob.covers(other.glob)
	}
	return false
}

// name reports whether a term matches every call that goes by a name. Through an execute tool that
// can be any call.
func (c *coverage) name(m, name *term) bool {
	if m.way == byName && m.text == name.text {
		return true
	}
	if strings.HasPrefix(name.text, "execute") {
		return false
	}
	for _, t := range c.meant(name) {
		if !m.matches(&t) {
			return false
		}
	}
	return true
}

// meant are the operations that a name means: those known, or else it and its other name as they are
// written. The words of a name, and so its product and verbs, are those of the case it is written in.
func (c *coverage) meant(name *term) []target {
	meant, ok := c.named[name.written]
	if ok {
		return meant
	}
	for _, t := range c.targets {
		// Another call of it may be direct, and a fetch may be of any product.
		t.outer = ""
		if t.name == "fetch" {
			t.product = ""
		}
		if t.named(name.text) {
			meant = append(meant, t)
		}
	}
	if len(meant) == 0 {
		op := operation.Parse(name.written, "")
		meant = append(meant, newTarget(Call{Operation: op}))
		if op.Other != "" {
			meant = append(meant, newTarget(Call{Operation: operation.Parse(op.Other, "")}))
		}
	}
	c.named[name.written] = meant
	return meant
}

// covers reports the same of globs, where both say what a text begins with and nothing more.
func (g *glob) covers(other *glob) bool {
	open := func(g *glob) bool { return !g.exact && g.last == "" && len(g.middle) == 0 }
	return open(g) && !other.exact && strings.HasPrefix(other.first, g.first)
}
