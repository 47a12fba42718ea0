package policy

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sallyport/services/operation"
)

// FuzzGlob compares with regular expressions, and folding with strings.EqualFold.
func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{
		{"*", ""}, {"", ""}, {"a", "A"}, {"a*", "abc"}, {"*c", "abc"}, {"a*c", "ac"}, {"a*c", "a"}, {"ab*ba", "aba"},
		{"*b*", "abc"}, {"a*b*c", "aXbXbXc"}, {"**", "x"}, {"a**c", "abc"}, {"*ab*ab*", "abab"}, {"*ab*ab*", "aab"},
		{"\u017f*", "S"}, {"k", "\u212a"}, {"\u03c3", "\u03c2"}, {"\u0130", "i"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || len(pattern) > 500 {
			return
		}
		pieces := strings.Split(operation.Fold(pattern), "*")
		for i := range pieces {
			pieces[i] = regexp.QuoteMeta(pieces[i])
		}
		g := compileGlob(operation.Fold(pattern))
		want := regexp.MustCompile(`(?s)\A` + strings.Join(pieces, ".*") + `\z`).MatchString(operation.Fold(text))
		if got := g.matches(operation.Fold(text)); got != want {
			t.Errorf("%q and %q: got %t", pattern, text, got)
		}
		if got, want := operation.Fold(pattern) == operation.Fold(text), strings.EqualFold(pattern, text); got != want {
			t.Errorf("folded, %q and %q are equal: %t", pattern, text, got)
		}
		if operation.Fold(operation.Fold(text)) != operation.Fold(text) {
			t.Errorf("folding %q twice makes a difference", text)
		}
	})
}

// TestGlobIsLinear would never end with a matcher that tries every place for every star.
func TestGlobIsLinear(t *testing.T) {
	g := compileGlob(strings.Repeat("a*", 1000) + "b")
	text := strings.Repeat("a", 1<<20) + "c"
	start := time.Now()
	for range 100 {
		if g.matches(text) {
			t.Fatal("it matches")
		}
		g.matches(text[:len(text)-1] + "b")
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}
