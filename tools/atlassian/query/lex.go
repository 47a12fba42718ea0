package query

import (
	"strings"
	"unicode"
)

type tokenKind int

const (
	end tokenKind = iota
	word
	quoted
	symbol
)

// token is one lexical unit; at is its 1-based character position, which errors name as Jira's do.
type token struct {
	kind tokenKind
	text string
	at   int
}

// is reports whether the token is the given keyword or symbol. Quoted text is never a keyword.
func (t token) is(text string) bool {
	return (t.kind == word || t.kind == symbol) && strings.EqualFold(t.text, text)
}

const symbols = "=!<>~(),"

func lex(d Dialect, text string) ([]token, error) {
	var tokens []token
	runes := []rune(text)
	for i := 0; i < len(runes); {
		switch r := runes[i]; {
		case unicode.IsSpace(r):
			i++
		case r == '"' || r == '\'':
			value, next, ok := lexQuoted(runes, i)
			if !ok {
				return nil, d.errorf("The quoted string '%s' has not been completed. (line 1, character %d)", string(runes[i+1:]), i+1)
			}
			tokens = append(tokens, token{quoted, value, i + 1})
			i = next
		case strings.ContainsRune(symbols, r):
			size := 1
			if i+1 < len(runes) && twoRunes(r, runes[i+1]) {
				size = 2
			}
			tokens = append(tokens, token{symbol, string(runes[i : i+size]), i + 1})
			i += size
		default:
			start := i
			for i < len(runes) && !unicode.IsSpace(runes[i]) && !strings.ContainsRune(symbols+`"'`, runes[i]) {
				i++
			}
			tokens = append(tokens, token{word, string(runes[start:i]), start + 1})
		}
	}
	return append(tokens, token{end, "", len(runes) + 1}), nil
}

func twoRunes(first, second rune) bool {
	switch first {
	case '!':
		return second == '=' || second == '~'
	case '<', '>':
		return second == '='
	}
	return false
}

// lexQuoted reads the quoted text that starts at i. A backslash keeps the next character as it is, so
// that "\"two words\"" reaches a text search with the quotation marks that make it a phrase.
func lexQuoted(runes []rune, i int) (value string, next int, ok bool) {
	quote := runes[i]
	var b strings.Builder
	for i++; i < len(runes); i++ {
		switch {
		case runes[i] == '\\' && i+1 < len(runes):
			i++
			b.WriteRune(runes[i])
		case runes[i] == quote:
			return b.String(), i + 1, true
		default:
			b.WriteRune(runes[i])
		}
	}
	return "", i, false
}
