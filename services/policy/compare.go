package policy

import "slices"

// ChangeKind is what happened to a rule, or to the default, between two policies.
type ChangeKind uint8

// The kinds of change.
const (
	DefaultChanged ChangeKind = iota + 1
	RuleAdded
	RuleRemoved
	RuleChanged
	RuleMoved
)

// Change is one difference between two policies. A rule is the same one where its id is.
type Change struct {
	Kind ChangeKind
	// Before and After are the numbers of the rule, counted from 1; 0 where it isn't in that policy,
	// and for the default.
	Before, After int
}

// Compare returns the differences between two policies: the default first, then rules that were
// added, removed, changed and moved. A rule was moved if it isn't in the same order with the others
// that are in both; a rule can be changed and moved. It expects each rule to have an id of its own, and
// what was left out to be filled in by Normalize.
func Compare(before, after *Policy) []Change {
	var changes []Change
	if before.Default != after.Default {
		changes = append(changes, Change{Kind: DefaultChanged})
	}
	was, is := numbers(before), numbers(after)
	// kept are the numbers before of the rules in both, in their order after.
	var kept []int
	var changed []Change
	for i, r := range after.Rules {
		number, ok := was[r.ID]
		if !ok {
			changes = append(changes, Change{RuleAdded, 0, i + 1})
			continue
		}
		kept = append(kept, number)
		if before.Rules[number-1] != r {
			changed = append(changed, Change{RuleChanged, number, i + 1})
		}
	}
	for i, r := range before.Rules {
		if is[r.ID] == 0 {
			changes = append(changes, Change{RuleRemoved, i + 1, 0})
		}
	}
	changes = append(changes, changed...)
	stay := longestRising(kept)
	for _, number := range kept {
		if _, stays := slices.BinarySearch(stay, number); !stays {
			changes = append(changes, Change{RuleMoved, number, is[before.Rules[number-1].ID]})
		}
	}
	return changes
}

// numbers are the numbers of a policy's rules by id.
func numbers(p *Policy) map[string]int {
	at := make(map[string]int, len(p.Rules))
	for i, r := range p.Rules {
		at[r.ID] = i + 1
	}
	return at
}

// longestRising returns a longest rising subsequence: the rules that needn't be called moved.
func longestRising(sequence []int) []int {
	// tails[n] is the place in sequence where the rising subsequence of n+1 numbers that ends lowest
	// ends; previous is the place before each in the one that ends there.
	var tails []int
	previous := make([]int, len(sequence))
	for place, number := range sequence {
		length, _ := slices.BinarySearchFunc(tails, number, func(tail, number int) int { return sequence[tail] - number })
		previous[place] = -1
		if length > 0 {
			previous[place] = tails[length-1]
		}
		if length == len(tails) {
			tails = append(tails, place)
		} else {
			tails[length] = place
		}
	}
	rising := make([]int, len(tails))
	if len(tails) == 0 {
		return rising
	}
	place := tails[len(tails)-1]
	for i := len(rising) - 1; i >= 0; i-- {
		rising[i], place = sequence[place], previous[place]
	}
	return rising
}
