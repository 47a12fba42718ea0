package operation

import (
	"strings"
	"unicode"
)

// split splits a name at separators and camel humps, in lower case: JQLSearch is jql search.
func split(name string) []string {
	var list []string
	runes := []rune(name)
	start := 0
	flush := func(end int) {
		if end > start {
			list = append(list, strings.ToLower(string(runes[start:end])))
		}
		start = end
	}
	for i, r := range runes {
		switch {
		case separator(r):
			flush(i)
			start = i + 1
		case i > start && unicode.IsUpper(r):
			lowerBefore := !unicode.IsUpper(runes[i-1])
			lowerAfter := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if lowerBefore || lowerAfter {
				flush(i)
			}
		}
	}
	flush(len(runes))
	return list
}

func separator(r rune) bool {
	return strings.ContainsRune("_-./:", r) || unicode.IsSpace(r)
}
