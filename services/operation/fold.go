package operation

import (
	"unicode"
	"unicode/utf8"
)

// Fold makes texts equal that differ only in case, as strings.EqualFold sees it.
func Fold(text string) string {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(AppendFolded(nil, text))
		}
	}
	return text
}

// AppendFolded appends what Fold makes of a text.
func AppendFolded(to []byte, text string) []byte {
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			for _, r := range text[i:] {
				to = utf8.AppendRune(to, foldRune(r))
			}
			return to
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

// foldRune returns the one rune that stands for all that differ from it in case: the smallest, but
// the lower case of A to Z.
func foldRune(r rune) rune {
	smallest := r
	if r >= utf8.RuneSelf {
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			smallest = min(smallest, other)
		}
	}
	if 'A' <= smallest && smallest <= 'Z' {
		return smallest + 'a' - 'A'
	}
	return smallest
}
