package policy

import (
	"strings"

	"sallyport/services/operation"
)

// glob is a compiled pattern in which * stands for any characters, none included. Matching takes
// time linear in the text, whatever the pattern: names come from people's requests.
type glob struct {
	first, last string
	middle      []string
	// exact says that there is no star, so that first is the whole pattern.
	exact bool
}

// compileGlob compiles a folded pattern.
func compileGlob(pattern string) *glob {
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return &glob{first: pattern, exact: true}
	}
	g := &glob{first: pieces[0], last: pieces[len(pieces)-1]}
	for _, piece := range pieces[1 : len(pieces)-1] {
		if piece != "" {
			g.middle = append(g.middle, piece)
		}
	}
	return g
}

// matches reports whether the pattern is the whole of a folded text. Each piece is taken where it
// comes first, which leaves the most room to those after it.
func (g *glob) matches(text string) bool {
	if g.exact {
		return text == g.first
	}
	if len(text) < len(g.first)+len(g.last) || !strings.HasPrefix(text, g.first) || !strings.HasSuffix(text, g.last) {
		return false
	}
	text = text[len(g.first) : len(text)-len(g.last)]
	for _, piece := range g.middle {
		at := strings.Index(text, piece)
		if at < 0 {
			return false
		}
		text = text[at+len(piece):]
	}
	return true
}

// letters is a set of bytes, of which some share a bit. What lacks a letter of a pattern doesn't fit
// it, which is known sooner than by comparing.
type letters uint64

func lettersOf(text string) letters {
	var set letters
	for i := range len(text) {
		set |= 1 << (text[i] % 64)
	}
	return set
}

// foldAll folds texts where they are, and allocates once for all of them.
func foldAll(texts ...*string) {
	all, ends := make([]byte, 0, 512), make([]int, 0, 8)
	for _, text := range texts {
		all = operation.AppendFolded(all, *text)
		ends = append(ends, len(all))
	}
	folded, start := string(all), 0
	for i, end := range ends {
		*texts[i] = folded[start:end]
		start = end
	}
}
