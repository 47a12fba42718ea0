package oauth

import (
	"regexp"
	"strings"
)

// allowed reports whether a redirect address matches one entry of the administrator's domain list:
// an exact origin, which covers its paths too, or a pattern in which * stands for anything within a host
// or a path segment, ** for anything, and {a,b} for either.
func allowed(domains []string, redirect string) bool {
	for _, entry := range domains {
		if origin := strings.TrimSuffix(entry, "/"); strings.Count(origin, "/") == 2 && strings.HasPrefix(redirect, origin+"/") {
			return true
		}
		if pattern, err := regexp.Compile(domainPattern(entry)); err == nil && pattern.MatchString(redirect) {
			return true
		}
	}
	return false
}

func domainPattern(entry string) string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(entry); i++ {
		switch c := entry[i]; {
		case c == '*' && i+1 < len(entry) && entry[i+1] == '*':
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/@]*")
		case c == '{':
			b.WriteString("(?:")
			depth++
		case c == '}' && depth > 0:
			b.WriteString(")")
			depth--
		case c == ',' && depth > 0:
			b.WriteString("|")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return "^" + b.String() + "$"
}
