package main

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// policyChanges are the differences between two policies as JSON, by the ids of rules. A rule that
// was moved is one that isn't in the same order with the others that are in both.
type policyChanges struct {
	DefaultChanged bool     `json:"default_changed"`
	Added          []string `json:"added"`
	Removed        []string `json:"removed"`
	Changed        []string `json:"changed"`
	Moved          []string `json:"moved"`
}

func newPolicyChanges(changes []*adminv1.PolicyChange) policyChanges {
	p := policyChanges{Added: []string{}, Removed: []string{}, Changed: []string{}, Moved: []string{}}
	for _, c := range changes {
		switch c.GetKind() {
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_DEFAULT:
			p.DefaultChanged = true
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_ADDED:
			p.Added = append(p.Added, c.GetAfter().GetId())
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_REMOVED:
			p.Removed = append(p.Removed, c.GetBefore().GetId())
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_CHANGED:
			p.Changed = append(p.Changed, c.GetAfter().GetId())
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_MOVED:
			p.Moved = append(p.Moved, c.GetAfter().GetId())
		default:
		}
	}
	return p
}

// changeLines tells changes to people, a line or two each, with the numbers that rules have after,
// or had where they were removed.
func changeLines(indent string, changes []*adminv1.PolicyChange) []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, indent+fmt.Sprintf(format, args...)) }
	for _, c := range changes {
		before, after := newRuleText(c.GetBefore()), newRuleText(c.GetAfter())
		switch c.GetKind() {
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_DEFAULT:
			add("~ default: %s", effectWords[c.GetDefaultAfter()])
			if was := effectWords[c.GetDefaultBefore()]; was != "" {
				add("     was: %s", was)
			}
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_ADDED:
			add("+ rule %d: %s", c.GetNumberAfter(), after)
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_REMOVED:
			add("- rule %d: %s", c.GetNumberBefore(), before)
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_CHANGED:
			add("~ rule %d: %s", c.GetNumberAfter(), after)
			add("     was: %s", before)
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_MOVED:
			add("> rule %d was rule %d: %s", c.GetNumberAfter(), c.GetNumberBefore(), after)
		default:
		}
	}
	return lines
}

func showChanges(t *terminal, indent string, changes []*adminv1.PolicyChange) {
	for _, line := range changeLines(indent, changes) {
		t.printf("%s\n", t.paint(printable(line), changeTints[line[len(indent)]]))
	}
}

// changeTints are the colours of changes by the sign that they begin with.
var changeTints = map[byte]tint{'+': green, '-': red, '~': yellow, '>': yellow, ' ': faint}

// byWhom says who saved something when, and why.
func byWhom(who string, at *timestamppb.Timestamp, message string) string {
	text := "on " + at.AsTime().Local().Format(time.DateTime)
	if who != "" {
		text += " by " + who
	}
	if message != "" {
		text += fmt.Sprintf(" (%s)", strings.TrimRight(message, "."))
	}
	return text
}
