package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// maxMetadata bounds a metadata document.
const maxMetadata = 64 << 10

// authorizationServer is where one signs in, by its metadata (RFC 8414).
type authorizationServer struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	RevocationEndpoint    string `json:"revocation_endpoint"`
}

// discover asks the admin API at an origin where one signs in (RFC 9728), and that server what its endpoints
// are.
func discover(ctx context.Context, origin string) (authorizationServer, error) {
	err := mustBeSafe(origin)
	if err != nil {
		return authorizationServer{}, err
	}
	var resource struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
	}
	err = getMetadata(ctx, origin+"/.well-known/oauth-protected-resource", &resource)
	if err != nil {
		return authorizationServer{}, advice("%s doesn't say where to sign in: %w. Check --server, and that Sallyport's console URL is set.", origin, err)
	}
	// Tokens for this address must come from a server that it names itself (RFC 9728 section 3.3).
	if resource.Resource != origin {
		return authorizationServer{}, advice("What answers at %s calls itself %q: name it like that by --server.", origin, resource.Resource)
	}
	if len(resource.Servers) != 1 {
		return authorizationServer{}, advice("%s names %d places to sign in, and one is needed.", origin, len(resource.Servers))
	}
	issuer := resource.Servers[0]
	err = mustBeSafe(issuer)
	if err != nil {
		return authorizationServer{}, err
	}
	var server authorizationServer
	err = getMetadata(ctx, issuer+"/.well-known/oauth-authorization-server", &server)
	if err != nil {
		return server, advice("%s, where one signs in, doesn't answer as it should: %w. Try again in a moment.", issuer, err)
	}
	if server.Issuer != issuer {
		return server, advice("%s, where one signs in, calls itself %q, so it isn't trusted.", issuer, server.Issuer)
	}
	for _, endpoint := range []string{server.AuthorizationEndpoint, server.TokenEndpoint, server.RevocationEndpoint} {
		err = mustBeSafe(endpoint)
		if err != nil {
			return server, err
		}
	}
	return server, nil
}

// mustBeSafe refuses addresses where tokens could be read on the way.
func mustBeSafe(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return advice("%q is no address to sign in at.", address)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return advice("%s isn't https, so what you sign in with could be read on the way: name an https:// URL by --server.", address)
}

func getMetadata(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	response, err := noRedirects.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return json.NewDecoder(io.LimitReader(response.Body, maxMetadata)).Decode(into)
}

// originOf is the address of the admin API as tokens for it name it: http:// where there is no TLS, without
// the port that goes without saying.
func originOf(server string) (string, error) {
	address, transport, err := target(server)
	if err != nil {
		return "", err
	}
	scheme, usual := "http", "80"
	if transport.Info().SecurityProtocol == "tls" {
		scheme, usual = "https", "443"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	host = strings.ToLower(host)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == usual {
		return scheme + "://" + host, nil
	}
	return scheme + "://" + host + ":" + port, nil
}
