package authz

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// loopback are the hosts of pages that this machine itself serves, such as MCP Inspector's.
var loopback = []string{"localhost", "127.0.0.1", "::1"}

// originOf is the origin of a URL as browsers write it in Origin (RFC 6454, section 6.1), or an error
// where the text isn't an origin: a scheme and a host, and nothing else.
func originOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Path+u.RawQuery+u.Fragment != "" || u.ForceQuery {
		return "", fmt.Errorf("%q is no origin: give a scheme and a host, such as https://inspector.example.com", text)
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	return u.Scheme + "://" + host, nil
}

// origins are those that browsers may send requests from beside loopback ones: Sallyport's own, and
// those of the configuration.
func (c Config) origins() ([]string, error) {
	var all []string
	for _, text := range append([]string{c.PublicURL}, c.AllowedOrigins...) {
		origin, err := originOf(strings.TrimSuffix(text, "/"))
		if err != nil {
			return nil, err
		}
		all = append(all, origin)
	}
	return all, nil
}

// fromAllowedOrigin says whether a request may come from where it says it does. Only browsers send
// Origin; other programs don't, and nothing is asked of them.
func (s *Server) fromAllowedOrigin(r request) bool {
	given := r.headers["origin"]
	if len(given) == 0 {
		return true
	}
	if len(given) > 1 {
		return false
	}
	if slices.Contains(s.origins, given[0]) {
		return true
	}
	origin, err := originOf(given[0])
	if err != nil {
		return false
	}
	u, err := url.Parse(origin)
	return err == nil && slices.Contains(loopback, u.Hostname())
}
