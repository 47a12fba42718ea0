package main

import (
	"fmt"
	"slices"
)

// policyChanges are the differences between two policies, by the ids of rules. A rule that was
// moved is one that isn't in the same order with the others that are in both.
type policyChanges struct {
	DefaultChanged bool     `json:"default_changed"`
	Added          []string `json:"added"`
	Removed        []string `json:"removed"`
	Changed        []string `json:"changed"`
	Moved          []string `json:"moved"`
}

func compare(was, is policyText) policyChanges {
	changes := policyChanges{
		DefaultChanged: was.Default != is.Default,
		Added:          []string{}, Removed: []string{}, Changed: []string{}, Moved: []string{},
	}
	oldPlace, newPlace := places(was), places(is)
	var kept []int
	for _, r := range is.Rules {
		place, ok := oldPlace[r.ID]
		if !ok {
			changes.Added = append(changes.Added, r.ID)
			continue
		}
		kept = append(kept, place)
		if was.Rules[place] != r {
			changes.Changed = append(changes.Changed, r.ID)
		}
	}
	for _, r := range was.Rules {
		if _, ok := newPlace[r.ID]; !ok {
			changes.Removed = append(changes.Removed, r.ID)
		}
	}
	stay := longestRising(kept)
	for _, place := range kept {
		if !slices.Contains(stay, place) {
			changes.Moved = append(changes.Moved, was.Rules[place].ID)
		}
	}
	return changes
}

func places(p policyText) map[string]int {
	at := make(map[string]int, len(p.Rules))
	for i, r := range p.Rules {
		at[r.ID] = i
	}
	return at
}

// longestRising returns a longest rising subsequence: the rules that needn't be called moved.
func longestRising(sequence []int) []int {
	// best[n] is the rising subsequence of n+1 numbers that ends lowest.
	var best [][]int
	for _, n := range sequence {
		at, _ := slices.BinarySearchFunc(best, n, func(s []int, n int) int { return s[len(s)-1] - n })
		var longer []int
		if at > 0 {
			longer = append(longer, best[at-1]...)
		}
		longer = append(longer, n)
		if at == len(best) {
			best = append(best, longer)
		} else {
			best[at] = longer
		}
	}
	if len(best) == 0 {
		return nil
	}
	return best[len(best)-1]
}

// lines tells the changes to people, with the numbers that rules have now, or had when removed.
func (c policyChanges) lines(was, is policyText) []string {
	var lines []string
	if c.DefaultChanged && was.Default != "" {
		lines = append(lines, fmt.Sprintf("default was %s", was.Default))
	}
	before, after := places(was), places(is)
	for _, id := range c.Added {
		lines = append(lines, fmt.Sprintf("+ rule %d: %s", after[id]+1, is.Rules[after[id]]))
	}
	for _, id := range c.Removed {
		lines = append(lines, fmt.Sprintf("- rule %d: %s", before[id]+1, was.Rules[before[id]]))
	}
	for _, id := range c.Changed {
		lines = append(lines, fmt.Sprintf("~ rule %d: %s", after[id]+1, is.Rules[after[id]]),
			fmt.Sprintf("         was: %s", was.Rules[before[id]]))
	}
	for _, id := range c.Moved {
		lines = append(lines, fmt.Sprintf("> rule %d was rule %d: %s", after[id]+1, before[id]+1, is.Rules[after[id]]))
	}
	if len(lines) == 0 {
		lines = append(lines, "Nothing is different from before.")
	}
	return lines
}
