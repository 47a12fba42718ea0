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
	// Keys that are none of them: documents have the same few over and over.
	var harmless [64][]byte
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
		if quote <= 0 || value[quote] != '"' || value[quote-1] == '\\' && escaped(value, quote) {
			continue
		}
		start, hash := quote, uint(0)
		for start > 0 && value[start-1] != '"' {
			start--
			hash = hash*31 + uint(value[start])
		}
		if start > 1 && value[start-2] == '\\' {
			start = quoteBefore(value, quote) + 1
		}
		key, known := value[start:quote], &harmless[hash%uint(len(harmless))]
		if string(*known) == string(key) && len(key) > 0 {
			continue
		}
		if k.mean(key) {
			return true
		}
		*known = key
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
