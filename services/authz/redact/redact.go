package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/services/internal/activity"
)

// The notes in the place of what was cut out. They don't say how long a secret is.
const note = "[%s was cut out: the key looks secret]"

var kinds = map[byte]string{'"': "a text", '{': "an object", '[': "a list"}

// joined runs the words of a text together.
var joined = strings.NewReplacer("_", "", "-", "", " ", "")

// Value returns JSON without the values of these keys, at any depth, and with texts of more than
// activity.MaxText bytes cut, each with a note; everything else is as it came. Where nothing is cut it
// is the same slice. JSON inside a text is a text. It must be valid, but may have a name twice.
func (k *Keys) Value(value []byte) []byte {
	if !k.concern(value) {
		return value
	}
	var out []byte
	kept := 0
	replace := func(from, to int, by []byte) {
		out = append(append(out, value[kept:from]...), by...)
		kept = to
	}
	for at := 0; at < len(value); {
		quote := bytes.IndexByte(value[at:], '"')
		if quote < 0 {
			break
		}
		start := at + quote
		at = stringEnd(value, start)
		colon := space(value, at)
		if colon == len(value) || value[colon] != ':' {
			if short, ok := shortened(value[start:at]); ok {
				replace(start, at, short)
			}
			continue
		}
		key := value[start+1 : at-1]
		at = space(value, colon+1)
		if !k.mean(key) {
			continue
		}
		end := valueEnd(value, at)
		if kind, ok := worth(value[at:end]); ok {
			replace(at, end, fmt.Appendf(nil, `"`+note+`"`, kind))
		}
		at = end
	}
	if kept == 0 {
		return value
	}
	return append(out, value[kept:]...)
}

// Body returns what may be recorded of a body that couldn't be read as MCP, cut to activity.MaxText bytes.
// Of one that isn't JSON and has one of the keys' names in it nothing is: where its value ends can't be told.
func (k *Keys) Body(body []byte) string {
	if json.Valid(body) {
		return activity.Cut(k.Value(body))
	}
	text := strings.ToLower(joined.Replace(string(body)))
	// A name could be written with escapes too.
	suspect := strings.Contains(text, `\u`)
	for name := range k.secret {
		suspect = suspect || strings.Contains(text, name)
	}
	if suspect {
		return fmt.Sprintf("[%d bytes were cut out: they aren't JSON, and a key in them looks secret]", len(body))
	}
	return activity.Cut(body)
}

// worth reports whether a value can be a secret, and what kind of value it is.
func worth(value []byte) (kind string, ok bool) {
	switch {
	case len(value) == 0 || bytes.IndexByte([]byte("tfn"), value[0]) >= 0 || string(value) == `""`:
		return "", false
	case kinds[value[0]] != "":
		return kinds[value[0]], true
	}
	return "a number", true
}

// shortened returns a text, in quotes, that is larger than is recorded, cut.
func shortened(quoted []byte) ([]byte, bool) {
	if len(quoted) <= activity.MaxText {
		return nil, false
	}
	plain, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		// Only invalid UTF-8 can do this, which is what unread bodies may have.
		plain = quoted
	}
	if len(plain) <= activity.MaxText {
		return nil, false
	}
	short, err := jsontext.AppendQuote(nil, activity.Cut(plain))
	return short, err == nil
}

// stringEnd returns the place after a string that begins at a place.
func stringEnd(value []byte, start int) int { return min(quoteAfter(value, start+1)+1, len(value)) }

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// space returns the first place from a place on that isn't white space.
func space(value []byte, at int) int {
	for at < len(value) && blank(value[at]) {
		at++
	}
	return at
}

// valueEnd returns the place after a value that begins at a place.
func valueEnd(value []byte, at int) int {
	for depth := 0; at < len(value); {
		switch value[at] {
		case '"':
			at = stringEnd(value, at)
		case '{', '[':
			depth++
			at++
			continue
		case '}', ']':
			depth--
			at++
		case ',', ':', ' ', '\t', '\r', '\n':
			at++
			continue
		default:
			at = scalarEnd(value, at)
		}
		if depth <= 0 {
			return at
		}
	}
	return len(value)
}

// scalarEnd returns the place after a number, true, false or null.
func scalarEnd(value []byte, at int) int {
	for at < len(value) && bytes.IndexByte([]byte(",]} \t\r\n"), value[at]) < 0 {
		at++
	}
	return at
}
