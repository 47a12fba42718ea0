package envoyconf

import (
	"fmt"
	"regexp"
	"strings"
)

// Origins are those of web pages that may use the MCP endpoint, beside those of this machine. Envoy
// tells browsers of them, and authz refuses all others.
type Origins []string

var origin = regexp.MustCompile(`^https?://[a-z0-9.-]+(:[0-9]+)?$`)

// ParseOrigins reads the setting SALLYPORT_ALLOWED_ORIGINS.
func ParseOrigins(given []string) (Origins, error) {
	for _, text := range given {
		if !origin.MatchString(text) {
			return nil, fmt.Errorf("SALLYPORT_ALLOWED_ORIGINS has %q: give origins as browsers write them, such as https://inspector.example.com", text)
		}
	}
	return given, nil
}

// Pattern is the expression that Envoy compares an Origin with, as a whole.
func (o Origins) Pattern(publicURL string) string {
	all := []string{`https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?`, regexp.QuoteMeta(publicURL)}
	for _, text := range o {
		all = append(all, regexp.QuoteMeta(text))
	}
	return strings.Join(all, "|")
}
