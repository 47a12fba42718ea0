package assistant

import (
	"slices"
	"strings"
)

// Disagrees says whether what an assistant calls itself in MCP's clientInfo isn't what it registered as,
// by the key that rules use: it is the name of another known assistant, or a known assistant doesn't go
// by it. One that says nothing disagrees with nothing.
func (t *Table) Disagrees(key, infoName string) bool {
	if infoName == "" {
		return false
	}
	claimed := t.claimed(infoName)
	if len(claimed) > 0 {
		return !slices.Contains(claimed, key)
	}
	return t.goesBy(key)
}

// claimed are the keys of the assistants that go by a name; none where nobody known does.
func (t *Table) claimed(infoName string) []string {
	for _, c := range t.Claims {
		if c.Via != "" && strings.Contains(infoName, " (via "+c.Via) {
			return c.Keys
		}
	}
	for _, c := range t.Claims {
		if slices.ContainsFunc(c.Info, func(n string) bool { return strings.EqualFold(n, infoName) }) {
			return c.Keys
		}
	}
	return nil
}

// goesBy says whether it is known what an assistant calls itself.
func (t *Table) goesBy(key string) bool {
	for _, c := range t.Claims {
		if slices.Contains(c.Keys, key) {
			return true
		}
	}
	return false
}
