package operation

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// split splits a name at separators and camel humps, in lower case: JQLSearch is jql search.
func split(name string) []string {
	// All words stand in one text, and ends are the places in it where they end.
	text, ends := make([]byte, 0, 64), make([]int, 0, 16)
	flush := func() {
		if len(text) > 0 && (len(ends) == 0 || ends[len(ends)-1] < len(text)) {
			ends = append(ends, len(text))
		}
	}
	before := ' '
	for i, r := range name {
		hump := unicode.IsUpper(r) && (!unicode.IsUpper(before) || lowerSecond(name[i:]))
		if hump || separator(r) {
			flush()
		}
		if !separator(r) {
			text = utf8.AppendRune(text, unicode.ToLower(r))
		}
		before = r
	}
	flush()
	words, whole, start := make([]string, len(ends)), string(text), 0
	for i, end := range ends {
		words[i], start = whole[start:end], end
	}
	return words
}

// lowerSecond reports whether the second rune of a text is a lower-case letter.
func lowerSecond(text string) bool {
	_, size := utf8.DecodeRuneInString(text)
	second, _ := utf8.DecodeRuneInString(text[size:])
	return unicode.IsLower(second)
}

func separator(r rune) bool {
	return strings.ContainsRune("_-./:", r) || unicode.IsSpace(r)
}
