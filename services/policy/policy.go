// Package policy is the rule language: a default and an ordered list of rules, of which the first
// that matches decides.
package policy

import (
	"fmt"
	"strings"
)

// MaxRules is how many rules a policy may have.
const MaxRules = 1000

// Effect is what a rule, or the default, does to a call.
type Effect string

// The effects.
const (
	Allow Effect = "allow"
	Deny  Effect = "deny"
)

// Mode says whether a rule decides or only watches.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce"
	Monitor Mode = "monitor"
)

// Policy is a default and rules, in order.
type Policy struct {
	Default Effect `json:"default"`
	Rules   []Rule `json:"rules"`
}

// Rule allows or denies what its patterns match together. Client, Who and Operation are patterns
// of sections 4, 5 and 3 of the rule language.
type Rule struct {
	ID        string `json:"id,omitempty"`
	Client    string `json:"client,omitempty"`
	Who       string `json:"who,omitempty"`
	Operation string `json:"operation,omitempty"`
	Effect    Effect `json:"effect"`
	Note      string `json:"note,omitempty"`
	Mode      Mode   `json:"mode,omitempty"`
	Verified  bool   `json:"verified,omitempty"`
}

// Normalize fills in what was left out: client *, who any, operation *, mode enforce.
func (p *Policy) Normalize() {
	for i := range p.Rules {
		r := &p.Rules[i]
		r.Client = orElse(r.Client, "*")
		r.Who = orElse(r.Who, "any")
		r.Operation = orElse(r.Operation, "*")
		r.Mode = Mode(orElse(string(r.Mode), string(Enforce)))
	}
}

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

// Violation is one thing wrong with a policy.
type Violation struct {
	// Field is the place, such as rules[2].operation, counted from 0.
	Field string
	// Sentence says what is wrong and what would be right.
	Sentence string
}

func (v Violation) String() string { return v.Field + ": " + v.Sentence }

// Validate returns everything that is wrong with a policy; nothing for a good one. It expects what
// was left out to be filled in by Normalize.
func (p *Policy) Validate() []Violation {
	var found []Violation
	report := func(field, format string, arguments ...any) {
		found = append(found, Violation{field, fmt.Sprintf(format, arguments...)})
	}
	if p.Default != Allow && p.Default != Deny {
		report("default", "the default is %q; it must be allow or deny", p.Default)
	}
	if len(p.Rules) > MaxRules {
		report("rules", "there are %d rules; %d are the most", len(p.Rules), MaxRules)
	}
	ids := map[string]int{}
	for i, r := range p.Rules {
		at := func(field string) string { return fmt.Sprintf("rules[%d].%s", i, field) }
		for _, pattern := range []struct{ field, text string }{{"client", r.Client}, {"who", r.Who}, {"operation", r.Operation}} {
			if strings.TrimSpace(pattern.text) == "" {
				report(at(pattern.field), "the pattern is blank; leave it out to match everything")
			}
		}
		if !validWho(r.Who) && strings.TrimSpace(r.Who) != "" {
			report(at("who"), "%q isn't any, group:NAME or user:EMAIL", r.Who)
		}
		if r.Effect != Allow && r.Effect != Deny {
			report(at("effect"), "the effect is %q; it must be allow or deny", r.Effect)
		}
		if r.Mode != Enforce && r.Mode != Monitor {
			report(at("mode"), "the mode is %q; it must be enforce or monitor", r.Mode)
		}
		if first, used := ids[r.ID]; used && r.ID != "" {
			report(at("id"), "rule %d has the id %q too; each rule needs its own", first+1, r.ID)
		}
		ids[r.ID] = i
	}
	return found
}
