package policy

import (
	"maps"
	"slices"
	"strings"

	"sallyport/services/operation"
)

// nearMost is how many near misses are named.
const nearMost = 3

// nearOperations returns patterns that match a known operation and look like one that doesn't.
func (l *linter) nearOperations(pattern operationPattern) []string {
	var words, names []string
	for _, call := range l.known.Operations {
		names = append(names, call.Operation.Name)
		words = append(words, call.Operation.Verbs...)
		words = append(words, call.Operation.Product)
	}
	slices.Sort(words)
	var candidates, texts []string
	for _, word := range slices.Compact(words) {
		if word != "" {
			candidates = append(candidates, word+"*", word+" *")
		}
	}
	candidates = append(candidates, slices.Sorted(maps.Keys(familyTerms))...)
	slices.Sort(names)
	candidates = append(candidates, names...)
	for _, term := range pattern {
		texts = append(texts, term.text)
	}
	near := nearest(strings.Join(texts, " "), candidates)
	if family := operation.FamilyOf(strings.Trim(pattern[0].text, "*")); len(pattern) == 1 && family != "" {
		// A verb means more as its family.
		near = append([]string{string(family) + "*"}, near...)
	}
	var matching []string
	for _, candidate := range near {
		if !slices.Contains(matching, candidate) && len(Matching(candidate, Deny, l.known.Operations)) > 0 {
			matching = append(matching, candidate)
		}
	}
	return matching[:min(len(matching), nearMost)]
}

// nearest returns the candidates that are most like a text, nearest first: a third of its characters
// may be another, and case and stars don't count.
func nearest(text string, candidates []string) []string {
	plain := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(operation.Fold(s), "*", "")) }
	wanted := plain(text)
	type scored struct {
		text  string
		score int
	}
	var found []scored
	for _, candidate := range candidates {
		// Names are short; the bound keeps what is compared so.
		if len(candidate) > 128 || len(wanted) > 128 {
			continue
		}
		score := distance(wanted, plain(candidate))
		if score <= max(1, len(wanted)/3) {
			found = append(found, scored{candidate, score})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.score - b.score })
	var near []string
	for _, f := range found {
		if !slices.Contains(near, f.text) && len(near) < nearMost {
			near = append(near, f.text)
		}
	}
	return near
}

// distance is Levenshtein's: how many bytes to insert, remove or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
