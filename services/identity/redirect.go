package identity

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const (
	maxRedirects     = 20
	maxRedirectBytes = 2048
)

// checkRedirect says why a redirect URI can't be registered, or nil. privateSchemes are those of
// known apps; any other could be claimed by any app on a machine, or be executed by the browser.
func checkRedirect(redirect string, privateSchemes []string) error {
	if len(redirect) > maxRedirectBytes {
		return fmt.Errorf("a redirect URI is longer than %d bytes", maxRedirectBytes)
	}
	// Browsers read backslashes, blanks and characters beyond ASCII in other ways than Go does.
	odd := strings.IndexFunc(redirect, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' })
	u, err := url.Parse(redirect)
	switch {
	case odd >= 0 || err != nil || u.Opaque != "" || u.Scheme == "":
		return fmt.Errorf("the redirect URI %q isn't an absolute address in plain ASCII", redirect)
	case strings.Contains(redirect, "#"):
		return fmt.Errorf("the redirect URI %q has a fragment", redirect)
	case u.User != nil:
		return fmt.Errorf("the redirect URI %q has a user name in it", redirect)
	case u.Host == "" || u.Hostname() == "":
		return fmt.Errorf("the redirect URI %q names no host", redirect)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u), slices.Contains(privateSchemes, u.Scheme):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("the redirect URI %q must use https; http is for localhost, 127.0.0.1 and [::1]", redirect)
	}
	return fmt.Errorf("the redirect URI %q uses the scheme %q, which isn't known here", redirect, u.Scheme)
}

// isLoopback says whether codes sent there stay on the person's own machine.
func isLoopback(u *url.URL) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, strings.ToLower(u.Hostname()))
}

// redirectAllowed says whether a redirect URI is one of the registered ones: the same string, or,
// for http on loopback, the same but for the port, which such clients choose when they start
// (RFC 8252 section 7.3).
func redirectAllowed(asked string, registered []string) bool {
	if slices.Contains(registered, asked) {
		return true
	}
	u, err := url.Parse(asked)
	if err != nil || checkRedirect(asked, nil) != nil || u.Scheme != "http" {
		return false
	}
	return slices.ContainsFunc(registered, func(known string) bool {
		k, err := url.Parse(known)
		return err == nil && k.Scheme == "http" && isLoopback(k) && withoutPort(k) == withoutPort(u)
	})
}

func withoutPort(u *url.URL) string {
	c := *u
	c.Host = strings.ToLower(u.Hostname())
	return c.String()
}
