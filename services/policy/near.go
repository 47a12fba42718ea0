package policy

import (
	"maps"
	"slices"
	"strings"

	"sallyport/services/operation"
)

// nearMost is how many near misses are named.
const nearMost = 3

// nearOperations returns patterns that match a known operation and look like one that doesn't: with
// another term for each that matches nothing by itself.
func (l *linter) nearOperations(pattern string) []string {
	fields := strings.Fields(pattern)
	alone := len(fields) == 1
	matches := func(pattern string) bool { return len(Matching(pattern, Deny, l.known.Operations)) > 0 }
	var near []string
	for i, field := range fields {
		if !alone && matches(field+" *") {
			continue
		}
		for _, term := range l.nearTerms(field, alone) {
			candidate := strings.Join(slices.Replace(slices.Clone(fields), i, i+1, term), " ")
			if !slices.Contains(near, candidate) && matches(candidate) {
				near = append(near, candidate)
			}
		}
	}
	return near[:min(len(near), nearMost)]
}

// nearTerms returns terms that look like one: of verbs, products, families and names.
func (l *linter) nearTerms(term string, alone bool) []string {
	var verbs, products, names []string
	for _, call := range l.known.Operations {
		names = append(names, call.Operation.Name)
		verbs = append(verbs, call.Operation.Verbs...)
		products = append(products, call.Operation.Product)
	}
	var candidates []string
	for _, verb := range sorted(verbs) {
		candidates = append(candidates, verb+"*")
	}
	for _, product := range sorted(products) {
		switch {
		case product == "":
		case alone:
			candidates = append(candidates, product+"*", product+" *")
		default:
			candidates = append(candidates, product)
		}
	}
	candidates = append(candidates, slices.Sorted(maps.Keys(familyTerms))...)
	near := nearest(term, append(candidates, sorted(names)...))
	if family := operation.FamilyOf(strings.Trim(operation.Fold(term), "*")); family != "" {
		// A verb means more as its family.
		near = append([]string{string(family) + "*"}, near...)
	}
	return near
}

// sorted is a list in order, each text once.
func sorted(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
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
