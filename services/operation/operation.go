// Package operation says what the name of a tool or method means: its words, product, verbs and
// families (the rule language, section 2).
package operation

import (
	"slices"
	"strings"
)

// Operation is what a name means.
type Operation struct {
	// Name is the name as it came.
	Name string
	// Words are those of the name, in lower case.
	Words []string
	// Other is the name that Atlassian's other server version has for it; empty for most.
	Other string
	// Product is jira, confluence, ...; empty where the name doesn't tell.
	Product string
	// Verbs are the verbs that say what is done; empty where none is known.
	Verbs []string
}

// Parse reads a name, in whatever case. fetchID is the id argument of a fetch call, which names the
// product there. It costs about a microsecond; callers who see the same names may keep the answers.
func Parse(name, fetchID string) Operation {
	list := split(name)
	folded := Fold(name)
	return Operation{
		Name: name, Words: list, Other: otherNames[folded],
		Product: productOf(folded, list, fetchID), Verbs: verbsIn(folded, list),
	}
}

// Families are the families of its verbs, each once, in the order of the verbs.
func (o Operation) Families() []string {
	var list []string
	for _, verb := range o.Verbs {
		family := string(families[verb])
		if !slices.Contains(list, family) {
			list = append(list, family)
		}
	}
	return list
}

// FamilyOf returns the family of a verb, or "" for a word that is none.
func FamilyOf(verb string) Family { return families[verb] }

func productOf(name string, list []string, fetchID string) string {
	for _, word := range list {
		if products[word] {
			return word
		}
	}
	switch {
	case slices.ContainsFunc(list, func(w string) bool { return jiraWords[w] }):
		return "jira"
	case slices.ContainsFunc(list, func(w string) bool { return confluenceWords[w] }):
		return "confluence"
	case name == "fetch":
		// ari:cloud:PRODUCT:SITE:TYPE/ID
		rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(fetchID)), "ari:cloud:")
		found, _, more := strings.Cut(rest, ":")
		if ok && more {
			return found
		}
	}
	return ""
}

func verbsIn(name string, list []string) []string {
	if readNames[name] {
		return []string{"get"}
	}
	// Words before the first verb don't count, so bulk, batch, multi and async need no mention.
	list = slices.DeleteFunc(slices.Clone(list), func(w string) bool { return products[w] })
	first := slices.IndexFunc(list, func(w string) bool { return families[w] != "" })
	if first < 0 {
		return nil
	}
	found := []string{list[first]}
	for i := first + 1; i+1 < len(list) && joins[list[i]] && families[list[i+1]] != ""; i += 2 {
		found = append(found, list[i+1])
	}
	return found
}
