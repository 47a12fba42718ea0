package policy

import (
	"slices"
	"strings"

	"sallyport/services/operation"
)

// Call is what is tried.
type Call struct {
	Operation operation.Operation
	// Outer is the name of the execute call around it, or empty.
	Outer string
}

// familySet has a bit for each family.
type familySet uint8

const (
	read familySet = 1 << iota
	create
	update
	remove
	manage
	// write is everything but read.
	write = create | update | remove | manage
)

var familyBits = map[operation.Family]familySet{
	operation.Read: read, operation.Create: create, operation.Update: update,
	operation.Delete: remove, operation.Manage: manage,
}

// familyTerms are the terms that mean a family.
var familyTerms = map[string]familySet{
	"read*": read, "create*": create, "update*": update, "delete*": remove, "manage*": manage, "write*": write,
}

// target is a call as patterns look at it: folded, its families as bits.
type target struct {
	name, other, outer, product string
	verbs                       []string
	families                    familySet
	// letters are those of all its texts.
	letters letters
}

func newTarget(c Call) target {
	t := unfolded(c)
	foldAll(&t.name, &t.other, &t.outer, &t.product)
	t.spell()
	return t
}

// spell notes the letters of a folded target.
func (t *target) spell() {
	t.letters = lettersOf(t.name) | lettersOf(t.other) | lettersOf(t.outer) | lettersOf(t.product)
	for _, verb := range t.verbs {
		t.letters |= lettersOf(verb)
	}
}

func unfolded(c Call) target {
	t := target{name: c.Operation.Name, other: c.Operation.Other, outer: c.Outer, product: c.Operation.Product, verbs: c.Operation.Verbs}
	for _, verb := range t.verbs {
		t.families |= familyBits[operation.FamilyOf(verb)]
	}
	return t
}

// operationPattern is a compiled operation pattern (section 3): all of its terms must match.
type operationPattern []term

// term matches in one of five ways. Each but glob is without a star, or a family's name and one.
type term struct {
	way way
	// text is folded; written is as it was written, which people know it by and which tells where the
	// words of a name begin.
	text    string
	written string
	family  familySet
	glob    *glob
	// letters are those that a text must have to fit the glob.
	letters letters
}

type way uint8

const (
	byName way = iota
	byNameOrProduct
	byFamilyToDeny
	byFamilyToAllow
	byGlob
)

func compileOperation(pattern string, effect Effect) operationPattern {
	fields := strings.Fields(pattern)
	var terms operationPattern
	for _, field := range fields {
		if field != "*" {
			terms = append(terms, compileTerm(field, len(fields) == 1, effect))
		}
	}
	return terms
}

func compileTerm(written string, alone bool, effect Effect) term {
	text := operation.Fold(written)
	if !strings.Contains(text, "*") {
		if alone {
			return term{way: byName, text: text, written: written}
		}
		return term{way: byNameOrProduct, text: text, written: written}
	}
	family, ok := familyTerms[text]
	switch {
	case !ok:
		return term{way: byGlob, text: text, written: written, glob: compileGlob(text), letters: lettersOf(strings.ReplaceAll(text, "*", ""))}
	case effect == Allow:
		return term{way: byFamilyToAllow, text: text, written: written, family: family}
	}
	return term{way: byFamilyToDeny, text: text, written: written, family: family}
}

func (p operationPattern) matches(t *target) bool {
	for i := range p {
		if !p[i].matches(t) {
			return false
		}
	}
	return true
}

func (m *term) matches(t *target) bool {
	switch m.way {
	case byName:
		return t.named(m.text)
	case byNameOrProduct:
		return m.text == t.product || t.named(m.text)
	case byFamilyToDeny:
		// A doubtful operation falls on the safe side: one verb is enough to deny, and what has no
		// known verb might write.
		return t.families&m.family != 0 || t.families == 0 && m.family == write
	case byFamilyToAllow:
		return t.families != 0 && t.families&^m.family == 0
	case byGlob:
		return m.letters&^t.letters == 0 && m.globs(t)
	}
	return false
}

// named compares with names that aren't empty: the text of a term never is.
func (t *target) named(name string) bool {
	return name == t.name || name == t.other || name == t.outer
}

func (m *term) globs(t *target) bool {
	for _, text := range [...]string{t.name, t.other, t.outer, t.product} {
		if text != "" && m.glob.matches(text) {
			return true
		}
	}
	return slices.ContainsFunc(t.verbs, m.glob.matches)
}

// Matching returns the calls that an operation pattern matches in a rule of an effect. It returns
// nothing for a blank pattern.
func Matching(pattern string, effect Effect, calls []Call) []Call {
	if strings.TrimSpace(pattern) == "" {
		return nil
	}
	compiled := compileOperation(pattern, effect)
	var found []Call
	for _, call := range calls {
		t := newTarget(call)
		if compiled.matches(&t) {
			found = append(found, call)
		}
	}
	return found
}
