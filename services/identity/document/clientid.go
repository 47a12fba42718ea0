// Package document fetches client ID metadata documents: descriptions of OAuth clients at the https
// URL that is their client_id (draft-ietf-oauth-client-id-metadata-document). Anybody can name a URL,
// so a fetch reaches public addresses only and is bounded in every way.
package document

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Any is the only domain of a list that lets documents come from anywhere.
const Any = "any"

// maxClientIDBytes bounds a URL; the vendors' have 60 at most.
const maxClientIDBytes = 512

// Names says whether a client_id names a document, rightly or not. Ids that Sallyport gives out have no colon.
func Names(clientID string) bool { return strings.Contains(clientID, ":") }

// hostName is a host name of at least two labels. An IP address has no label that begins with a letter
// at its end.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`)

// plainPath is a path that every reader reads alike: no dot segments, nothing encoded, nothing twice.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~!$&'()*+,;=:@.-]+)+/?$`)

// Check reads a client_id as the URL of a document, or says what is wrong with it (section 3 of the
// draft, and stricter: no query, no port that is the default, no other way to write the same URL).
func Check(clientID string) (*url.URL, error) {
	if len(clientID) > maxClientIDBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", maxClientIDBytes)
	}
	u, err := url.Parse(clientID)
	switch {
	case err != nil || u.Scheme != "https" || u.Opaque != "" || !strings.HasPrefix(clientID, "https://"):
		return nil, fmt.Errorf("it isn't an https address")
	case u.User != nil, strings.ContainsAny(clientID, "?#@"):
		return nil, fmt.Errorf("it has a user name, a query or a fragment")
	case u.Port() == "443", strings.HasPrefix(u.Port(), "0"), u.Port() == "" && u.Host != u.Hostname():
		return nil, fmt.Errorf("it names the port in a way that isn't needed")
	case !plainPath.MatchString(u.Path) || u.RawPath != "" || slices.ContainsFunc(strings.Split(u.Path, "/"), isDots):
		return nil, fmt.Errorf("its path is missing, or isn't a plain one")
	case clientID != "https://"+u.Host+u.Path:
		return nil, fmt.Errorf("it isn't written in the plainest way")
	}
	_, err = netip.ParseAddr(u.Hostname())
	if err == nil || u.Hostname() != "localhost" && !hostName.MatchString(u.Hostname()) {
		return nil, fmt.Errorf("its host isn't a name in small letters with a dot in it")
	}
	return u, nil
}

func isDots(segment string) bool { return segment == "." || segment == ".." }

// allows says whether the domains let a document come from there. A port other than 443 has to be
// named.
func allows(domains []string, u *url.URL) bool {
	return slices.ContainsFunc(domains, func(domain string) bool {
		name, port, _ := strings.Cut(domain, ":")
		if port != u.Port() {
			return false
		}
		parent, wild := strings.CutPrefix(name, "*.")
		return name == Any && u.Hostname() != "localhost" || name == u.Hostname() ||
			wild && strings.HasSuffix(u.Hostname(), "."+parent)
	})
}

// checkDomain says what is wrong with an entry of the domains.
func checkDomain(domain string) error {
	name, port, hasPort := strings.Cut(domain, ":")
	number, err := netip.ParseAddrPort("0.0.0.0:" + port)
	bare := strings.TrimPrefix(name, "*.")
	if bare != "localhost" && !hostName.MatchString(bare) || hasPort && (err != nil || number.Port() == 443) {
		return fmt.Errorf("%q isn't a domain: name one as claude.ai, *.example.com, or docs.example.com:8443 where its port isn't 443", domain)
	}
	return nil
}
