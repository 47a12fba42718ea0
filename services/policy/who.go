package policy

import (
	"strings"

	"sallyport/services/operation"
)

// Group is an Atlassian group.
type Group struct{ ID, Name string }

// Subject is the person.
type Subject struct {
	AccountID, Email string
	Groups           []Group
	// GroupsKnown is false where the groups couldn't be learned.
	GroupsKnown bool
}

// person is a subject as patterns look at it. Its groups are read when the first rule asks.
type person struct {
	Subject
	// email is folded.
	email string
	read  bool
	// within has a bit for each place of the engine's directory.
	within [(2*MaxRules + 63) / 64]uint64
}

func (p *person) in(place int) bool { return p.within[place/64]&(1<<(place%64)) != 0 }

// directory gives each group that rules name a place: one as an id, and one as a name.
type directory struct {
	ids, names map[string]int
}

func newDirectory() directory { return directory{map[string]int{}, map[string]int{}} }

func (d *directory) place(table map[string]int, text string) int {
	place, ok := table[text]
	if !ok {
		place = len(d.ids) + len(d.names)
		table[text] = place
	}
	return place
}

// fill marks the groups that the person is in. It happens once for a decision, so that a thousand
// rules for groups don't each go through all groups of the person.
func (d *directory) fill(p *person) {
	p.read = true
	var folded [64]byte
	for _, group := range p.Groups {
		if place, ok := d.ids[group.ID]; ok {
			p.within[place/64] |= 1 << (place % 64)
		}
		if place, ok := d.names[string(operation.AppendFolded(folded[:0], group.Name))]; ok {
			p.within[place/64] |= 1 << (place % 64)
		}
	}
}

// whoPattern is a compiled pattern of section 5.
type whoPattern struct {
	kind whoKind
	// account and email are the two readings of a user pattern; id and name, places in the
	// directory, those of a group pattern.
	account, email string
	id, name       int
}

type whoKind uint8

const (
	anybody whoKind = iota
	inGroup
	isUser
)

// compileWho compiles a valid pattern.
func compileWho(pattern string, d *directory) whoPattern {
	kind, name, _ := strings.Cut(pattern, ":")
	name = strings.TrimSpace(name)
	switch kind {
	case "group":
		return whoPattern{kind: inGroup, id: d.place(d.ids, name), name: d.place(d.names, operation.Fold(name))}
	case "user":
		return whoPattern{kind: isUser, account: name, email: operation.Fold(name)}
	}
	return whoPattern{kind: anybody}
}

// matches reports whether the pattern is about the person. Where the person's groups can't be
// learned, an effect of deny counts as a match and one of allow doesn't.
func (w *whoPattern) matches(p *person, d *directory, effect Effect) (match, groupsUnknown bool) {
	if w.kind == anybody {
		return true, false
	}
	if w.kind == inGroup && !p.GroupsKnown {
		return effect == Deny, true
	}
	if w.kind == isUser {
		return w.account == p.AccountID || w.email == p.email, false
	}
	if !p.read {
		d.fill(p)
	}
	return p.in(w.id) || p.in(w.name), false
}

// validWho reports whether a pattern is of one of the three forms.
func validWho(who string) bool {
	if who == "any" {
		return true
	}
	kind, name, _ := strings.Cut(who, ":")
	return (kind == "group" || kind == "user") && strings.TrimSpace(name) != ""
}
