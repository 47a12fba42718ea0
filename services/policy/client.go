package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"sallyport/services/operation"
)

// Class is how sure the identity of an assistant is.
type Class string

// The classes (section 4).
const (
	Verified Class = "verified"
	Claimed  Class = "claimed"
	Unknown  Class = "unknown"
)

// Client is the assistant.
type Client struct {
	// Key is short and stable, such as claude-code; Name is what people see, such as Claude Code.
	Key, Name string
	Class     Class
}

// assistant is a client as patterns look at it: folded.
type assistant struct {
	key, name string
	class     Class
}

func newAssistant(c Client) assistant {
	a := assistant{c.Key, c.Name, c.Class}
	foldAll(&a.key, &a.name)
	return a
}

// clientPattern is a compiled client pattern (section 4).
type clientPattern struct {
	any, verified bool
	glob          *glob
	// words are those of a pattern without a star, that a client's words may begin with.
	words string
}

func compileClient(pattern string, verified bool) clientPattern {
	pattern = operation.Fold(strings.TrimSpace(pattern))
	p := clientPattern{any: pattern == "*", verified: verified, glob: compileGlob(pattern)}
	if p.glob.exact {
		p.words = words(pattern)
	}
	return p
}

func (p *clientPattern) matches(a *assistant) bool {
	if p.verified && a.class != Verified {
		return false
	}
	if p.any {
		return true
	}
	return p.glob.matches(a.key) || p.glob.matches(a.name) || p.words != "" && (begins(a.key, p.words) || begins(a.name, p.words))
}

// words are a name's words with a blank after each, so that one name begins with the words of
// another where its words begin with the other's.
func words(name string) string {
	list := strings.FieldsFunc(name, func(r rune) bool { return !inWord(r) })
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, " ") + " "
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// begins reports whether the words of a name begin with others, without making a string of them.
func begins(name, others string) bool {
	within := false
	for _, r := range name {
		switch {
		case inWord(r):
			within = true
		case within:
			within, r = false, ' '
		default:
			continue
		}
		want, size := utf8.DecodeRuneInString(others)
		if r != want {
			return false
		}
		others = others[size:]
		if others == "" {
			return true
		}
	}
	return within && others == " "
}
