package redact

import (
	"bytes"

	"sallyport/services/internal/activity"
)

// concern reports whether there may be something to cut. Calls have nothing nearly always, and most of what
// they wait for here is this, so it looks at colons alone: what is before one in quotes is a key, or what
// stands between two texts of which the second begins with a colon, in which no key is.
func (k *Keys) concern(value []byte) bool {
	if large(value) {
		return true
	}
	var harmless lately
	for at := 0; ; {
		next := bytes.IndexByte(value[at:], ':')
		if next < 0 {
			return false
		}
		quote := at + next - 1
		at += next + 1
		for quote > 0 && blank(value[quote]) {
			quote--
		}
		if quote <= 0 || value[quote] != '"' || escaped(value, quote) {
			continue
		}
		key := value[quoteBefore(value, quote)+1 : quote]
		if harmless.has(key) {
			continue
		}
		if k.mean(key) {
			return true
		}
		harmless.add(key)
	}
}

// large reports whether a text may be larger than is recorded: it has one of these places in it, and no
// quote for that long around it.
func large(value []byte) bool {
	const step = activity.MaxText / 2
	for place := step; place < len(value); place += step {
		before := quoteBefore(value, place)
		if quoteAfter(value, place)-before > activity.MaxText {
			return true
		}
	}
	return false
}

// quoteBefore returns the last place before another that has a quote which isn't escaped, or -1.
func quoteBefore(value []byte, at int) int {
	for {
		at = bytes.LastIndexByte(value[:at], '"')
		if at < 0 || !escaped(value, at) {
			return at
		}
	}
}

// quoteAfter returns the first such place from another on, or the value's length.
func quoteAfter(value []byte, at int) int {
	for {
		next := bytes.IndexByte(value[at:], '"')
		if next < 0 {
			return len(value)
		}
		at += next
		if !escaped(value, at) {
			return at
		}
		at++
	}
}

// escaped reports whether what is at a place has a backslash before it that isn't escaped itself.
func escaped(value []byte, at int) bool {
	slashes := 0
	for slashes < at && value[at-1-slashes] == '\\' {
		slashes++
	}
	return slashes%2 == 1
}

// lately remembers keys that were found harmless: documents have the same few over and over.
type lately [64][]byte

func (l *lately) place(key []byte) *[]byte {
	if len(key) == 0 {
		return &l[0]
	}
	return &l[(uint(len(key))+uint(key[0])+7*uint(key[len(key)/2])+31*uint(key[len(key)-1]))%uint(len(l))]
}

func (l *lately) has(key []byte) bool {
	known := *l.place(key)
	return known != nil && bytes.Equal(known, key)
}

func (l *lately) add(key []byte) { *l.place(key) = key }
