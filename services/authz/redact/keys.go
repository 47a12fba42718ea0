// Package redact cuts out of what is recorded what must not be: values under keys that look secret, and
// texts that are too large.
package redact

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Keys are the keys whose values are cut out.
type Keys struct {
	// secret and harmless are words of keys, run together in lower case.
	secret, harmless map[string]bool
	// lengths are those of secret, as bits, by the first byte.
	lengths [256]uint64
}

// maxName is how many letters and digits the name of a key has at most.
const maxName = 63

// Parse reads names of keys, such as password or apiKey. One that begins with ! is an exception. A key is
// meant if the name's words stand in it as whole words, however both are written: apiKey means api_key,
// X-API-Key and myApiKey, and not monkey.
func Parse(names []string) (*Keys, error) {
	k := &Keys{secret: map[string]bool{}, harmless: map[string]bool{}}
	for _, name := range names {
		plain, exception := strings.CutPrefix(strings.TrimSpace(name), "!")
		text, _ := words(nil, nil, []byte(plain))
		if len(text) == 0 || len(text) > maxName {
			return nil, fmt.Errorf("%q isn't the name of a key: give up to %d letters or digits, such as password or apiKey", name, maxName)
		}
		if exception {
			k.harmless[string(text)] = true
			continue
		}
		k.secret[string(text)] = true
		k.lengths[text[0]] |= 1 << len(text)
	}
	if len(k.secret) == 0 {
		return nil, fmt.Errorf("there is no key whose values are cut out: give at least one, such as password")
	}
	return k, nil
}

// mean reports whether a key, as JSON has it between quotes, is one of them.
func (k *Keys) mean(key []byte) bool {
	if bytes.IndexByte(key, '\\') >= 0 {
		plain, err := jsontext.AppendUnquote(nil, slices.Concat([]byte{'"'}, key, []byte{'"'}))
		if err == nil {
			key = plain
		}
	}
	var room [64]byte
	var places [16]int
	text, ends := words(room[:0], places[:0], key)
	return k.isSecret(text, ends) && !isHarmless(k.harmless, text, ends)
}

// isSecret reports whether words that follow each other, run together, are the name of a secret.
func (k *Keys) isSecret(text []byte, ends []int) bool {
	start := 0
	for i, next := range ends {
		lengths := k.lengths[text[start]]
		for _, end := range ends[i:] {
			if lengths>>(end-start)&1 == 1 && k.secret[string(text[start:end])] {
				return true
			}
		}
		start = next
	}
	return false
}

// isHarmless reports the same of an exception.
func isHarmless(exceptions map[string]bool, text []byte, ends []int) bool {
	start := 0
	for i, next := range ends {
		for _, end := range ends[i:] {
			if exceptions[string(text[start:end])] {
				return true
			}
		}
		start = next
	}
	return false
}

// words appends the words of a key to text, in lower case and without what separates them, and where each
// ends to ends. Words are told by what is neither letter nor digit, by camel humps, and by where digits
// begin and end.
func words(text []byte, ends []int, key []byte) ([]byte, []int) {
	before := other
	for i := 0; i < len(key); {
		r, size := rune(key[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(key[i:])
		}
		now := kindOf(r)
		i += size
		begins := now != before && (before != upper || now != lower) || now == upper && i < len(key) && kindOf(first(key[i:])) == lower
		if begins && len(text) > 0 && (len(ends) == 0 || ends[len(ends)-1] < len(text)) {
			ends = append(ends, len(text))
		}
		if now != other {
			text = utf8.AppendRune(text, folded(r))
		}
		before = now
	}
	if len(text) > 0 && (len(ends) == 0 || ends[len(ends)-1] < len(text)) {
		ends = append(ends, len(text))
	}
	return text, ends
}

// kind is what matters of a letter.
type kind int

const (
	other kind = iota
	lower
	upper
	digit
)

func kindOf(r rune) kind {
	switch {
	case 'a' <= r && r <= 'z':
		return lower
	case 'A' <= r && r <= 'Z':
		return upper
	case '0' <= r && r <= '9':
		return digit
	case r < utf8.RuneSelf:
		return other
	case unicode.IsUpper(r):
		return upper
	case unicode.IsLetter(r):
		return lower
	case unicode.IsDigit(r):
		return digit
	}
	return other
}

func folded(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case r < utf8.RuneSelf:
		return r
	}
	return unicode.ToLower(r)
}

func first(text []byte) rune {
	r, _ := utf8.DecodeRune(text)
	return r
}
