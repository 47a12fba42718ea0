package policy

import (
	"strings"
	"unicode"

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

// assistant is a client as patterns look at it. It is read when the first rule asks.
type assistant struct {
	Client
	read                           bool
	key, name, keyWords, nameWords string
}

func (a *assistant) fill() {
	a.read = true
	a.key, a.name = operation.Fold(a.Key), operation.Fold(a.Name)
	a.keyWords, a.nameWords = words(a.key), words(a.name)
}

// clientPattern is a compiled client pattern (section 4).
type clientPattern struct {
	any, verified bool
	glob          glob
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
	if p.verified && a.Class != Verified {
		return false
	}
	if p.any {
		return true
	}
	if !a.read {
		a.fill()
	}
	return p.glob.matches(a.key) || p.glob.matches(a.name) ||
		p.words != "" && (strings.HasPrefix(a.keyWords, p.words) || strings.HasPrefix(a.nameWords, p.words))
}

// words are a name's words with a blank after each, so that one name begins with the words of
// another where its text begins with the other's.
func words(name string) string {
	list := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, " ") + " "
}
