package atlassian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// discoveryLife is how long metadata is used before it is fetched again.
const discoveryLife = 10 * time.Minute

// server is what is known about Atlassian's authorization server.
type server struct {
	oauthex.AuthServerMeta
	// named is the issuer as the protected resource names it.
	named     string
	scopes    []string
	fetchedAt time.Time
}

// discover finds the authorization server: the protected resource metadata of the MCP server
// (RFC 9728) names it, its own metadata (RFC 8414) has the endpoints. The tenant id in the issuer
// has changed before, so nothing is built in.
func (c *Client) discover(ctx context.Context) (*server, error) {
	c.mu.Lock()
	known := c.discovered
	c.mu.Unlock()
	if known != nil && time.Since(known.fetchedAt) < discoveryLife {
		return known, nil
	}
	found, err := c.fetchServer(ctx)
	if err != nil {
		if known != nil {
			// Atlassian's endpoints hardly ever move; those known an hour ago are the best guess.
			return known, nil
		}
		return nil, fmt.Errorf("discovering Atlassian's authorization server: %w", err)
	}
	c.mu.Lock()
	c.discovered = found
	c.mu.Unlock()
	return found, nil
}

// Check returns an error where Atlassian's MCP server, or the authorization server that it names, doesn't answer
// as it should. It asks now, whatever is known already, and without a token.
func (c *Client) Check(ctx context.Context) error {
	_, err := c.fetchServer(ctx)
	return err
}

// Resource is the MCP server that tokens are asked for.
func (c *Client) Resource() string { return c.resource }

func (c *Client) fetchServer(ctx context.Context) (*server, error) {
	at, err := wellKnown(c.resource, "oauth-protected-resource")
	if err != nil {
		return nil, err
	}
	var resource oauthex.ProtectedResourceMetadata
	err = c.get(ctx, at, &resource)
	if err != nil {
		return nil, err
	}
	if resource.Resource != c.resource {
		return nil, fmt.Errorf("%s describes the resource %q instead of %q", at, resource.Resource, c.resource)
	}
	if len(resource.AuthorizationServers) == 0 {
		return nil, fmt.Errorf("%s names no authorization server", at)
	}
	found := &server{named: resource.AuthorizationServers[0], scopes: resource.ScopesSupported, fetchedAt: time.Now()}
	err = c.fetchMetadata(ctx, found)
	if err != nil {
		return nil, err
	}
	return found, c.check(found)
}

// fetchMetadata tries the places where RFC 8414 section 3 and OpenID Connect put the metadata.
func (c *Client) fetchMetadata(ctx context.Context, s *server) error {
	inserted, err := wellKnown(s.named, "oauth-authorization-server")
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(s.named, "/")
	for _, at := range []string{inserted, base + "/.well-known/oauth-authorization-server", base + "/.well-known/openid-configuration"} {
		err = c.get(ctx, at, &s.AuthServerMeta)
		var refused *statusError
		if !errors.As(err, &refused) || refused.status >= http.StatusInternalServerError {
			return err
		}
	}
	return err
}

// check refuses metadata that would send people or tokens to the wrong place.
func (c *Client) check(s *server) error {
	if s.Issuer != s.named && !c.cfg.IssuerTolerance {
		return fmt.Errorf("the metadata of %s names the issuer %q; if Atlassian really is that way, allow it with --issuer-tolerance", s.named, s.Issuer)
	}
	if !slices.Contains(s.CodeChallengeMethodsSupported, "S256") {
		return fmt.Errorf("%s doesn't offer PKCE with S256", s.named)
	}
	for name, endpoint := range map[string]string{
		"authorization": s.AuthorizationEndpoint, "token": s.TokenEndpoint, "registration": s.RegistrationEndpoint,
	} {
		err := c.checkEndpoint(name, endpoint)
		if err != nil {
			return fmt.Errorf("%s: %w", s.named, err)
		}
	}
	return nil
}

// checkEndpoint refuses an endpoint that tokens or people may not be sent to.
func (c *Client) checkEndpoint(name, endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || strings.HasPrefix(c.resource, "https:")) {
		return fmt.Errorf("the %s endpoint is %q, which isn't usable", name, endpoint)
	}
	return nil
}

func (c *Client) get(ctx context.Context, at string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	return fetch(c.http, r, v)
}

// wellKnown inserts a well-known name between the host and the path of address (RFC 8615).
func wellKnown(address, name string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("%q isn't an address", address)
	}
	return u.Scheme + "://" + u.Host + "/.well-known/" + name + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}

// Scopes say what a person is asked to give.
type Scopes int

const (
	// AllScopes are all that assistants may need, for as long as they are connected.
	AllScopes Scopes = iota
	// PersonScopes are for finding out who the person is, once.
	PersonScopes
	// SiteScopes are for finding out which sites the person has besides, once. Atlassian lists no site to a token
	// that may do nothing there, so they are AllScopes without a refresh token.
	SiteScopes
)

// scopesToAsk are the scopes to ask for. Without offline_access there is no refresh token.
func (c *Client) scopesToAsk(s *server, which Scopes) []string {
	if which == PersonScopes {
		return personScopes(s.scopes)
	}
	scopes := c.cfg.Scopes
	if len(scopes) == 0 {
		scopes = s.scopes
	}
	offline := func(scope string) bool { return scope == "offline_access" }
	switch {
	case which == SiteScopes:
		scopes = slices.DeleteFunc(slices.Clone(scopes), offline)
	case !slices.ContainsFunc(scopes, offline):
		scopes = append(slices.Clone(scopes), "offline_access")
	}
	return scopes
}

// personScopes are those that tell who somebody is, without any that the server doesn't have: it would
// refuse the whole sign-in.
func personScopes(supported []string) []string {
	wanted := []string{"read:me", "read:account"}
	known := slices.DeleteFunc(slices.Clone(wanted), func(scope string) bool { return !slices.Contains(supported, scope) })
	if len(known) == 0 {
		return wanted
	}
	return known
}
