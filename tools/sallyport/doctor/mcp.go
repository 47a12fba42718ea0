package doctor

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var mcpSteps = []step{
	{"name", lookUpName, false}, {"port", openPort, false}, {"certificate", checkCertificate, false}, {"challenge", checkChallenge, false},
	{"clock", checkClock, true}, {"resource", checkResource, false}, {"sign-in", checkSignIn, false},
}

// initialize is how an assistant begins (MCP 2025-11-25, lifecycle).
const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"sallyport-doctor","version":"1"}}}`

// resourceMetadata finds where a challenge says that the protected resource is described (RFC 9728 section 5.1).
var resourceMetadata = regexp.MustCompile(`(?i)^bearer .*resource_metadata="([^"]+)"`)

// elsewhere finds where Envoy says that one should connect to, if not by this name.
var elsewhere = regexp.MustCompile(`doesn't go by this name\. Connect to (\S+)`)

// anotherPath finds where Envoy says that one should connect to, if not at this path.
var anotherPath = regexp.MustCompile(`There is nothing here\. Assistants connect to (\S+)`)

// checkChallenge begins as an assistant does that has no token yet: it is to be told where to sign in.
func checkChallenge(ctx context.Context, w *way) Finding {
	a, err := ask(ctx, http.MethodPost, w.url.String(), initialize)
	if err != nil {
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("%s takes the connection, but doesn't answer: %s.", w.url, reason(err)),
			Remedy: "Look into the log of Envoy, or of what stands before it.",
		}
	}
	w.answer = a
	for _, challenge := range a.header.Values("WWW-Authenticate") {
		if found := resourceMetadata.FindStringSubmatch(challenge); found != nil && a.status == http.StatusUnauthorized {
			w.metadata = found[1]
		}
	}
	if w.metadata == "" {
		return w.unchallenged(a)
	}
	if w.metadata != w.wellKnown() {
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("Sallyport answers, but takes itself to be elsewhere: it sends assistants to %s.", w.metadata),
			Remedy: fmt.Sprintf("Set SALLYPORT_PUBLIC_URL to %s for Envoy, authz, identity and admin, and restart them; or connect assistants to the URL that is set.", w.origin()),
		}
	}
	return Finding{State: OK, Sentence: "An assistant without a token is told where to sign in."}
}

// unchallenged says why an answer may not be what an assistant needs.
func (w *way) unchallenged(a *answer) Finding {
	f := Finding{State: Problem}
	other, path := elsewhere.FindSubmatch(a.body), anotherPath.FindSubmatch(a.body)
	switch {
	case path != nil:
		f.Sentence = fmt.Sprintf("Sallyport answers, but there is nothing at %s: assistants connect to %s.", w.url, path[1])
		f.Remedy = fmt.Sprintf("Give the assistant the URL %s, with its path.", path[1])
	case other != nil:
		f.Sentence = fmt.Sprintf("Sallyport answers, but doesn't go by the name %s: it is set to %s.", w.url.Host, other[1])
		f.Remedy = fmt.Sprintf("Set SALLYPORT_PUBLIC_URL to %s for Envoy, authz, identity and admin, and restart them; or let the proxy before Envoy pass the Host header on.", w.origin())
	case strings.Contains(string(a.body), "Sallyport can't decide"):
		f.Sentence = "Envoy answers, but authz doesn't: every call is refused with 503."
		f.Remedy = "Start authz, and look into its log if it ends again; `sallyport status` says how it is."
	case a.status == http.StatusBadGateway || a.status == http.StatusServiceUnavailable || a.status == http.StatusGatewayTimeout:
		f.Sentence = fmt.Sprintf("What stands before Sallyport answers %s: it doesn't reach Envoy.", statusText(a.status))
		f.Remedy = "Start Envoy, and check the address to which the proxy sends requests: Envoy's port for assistants is 8800."
	case a.status >= 300 && a.status < 400:
		f.Sentence = fmt.Sprintf("%s redirects to %s: an assistant doesn't follow.", w.url, a.header.Get("Location"))
		f.Remedy = "Let what stands before Envoy pass /mcp, /oauth/ and /.well-known/ through, without a sign-in of its own and without a redirect; or connect to where it leads."
	default:
		f.Sentence = fmt.Sprintf("Something else answers at %s, with %s: Sallyport answers 401 and says where to sign in.", w.url, statusText(a.status))
		f.Remedy = "Let the proxy send this name, with its path, to Envoy's port for assistants (8800), and pass WWW-Authenticate on; or correct SALLYPORT_PUBLIC_URL."
	}
	return f
}

// origin is the URL without its path.
func (w *way) origin() string { return w.url.Scheme + "://" + w.url.Host }

// wellKnown is where the resource has to be described (RFC 9728 section 3.1).
func (w *way) wellKnown() string {
	return w.origin() + "/.well-known/oauth-protected-resource" + strings.TrimSuffix(w.url.EscapedPath(), "/")
}

// checkResource reads what the challenge leads to: it has to describe this very URL (RFC 9728 section 3.3).
func checkResource(ctx context.Context, w *way) Finding {
	var resource struct {
		Resource string
		Servers  []string `json:"authorization_servers"`
	}
	err := askMetadata(ctx, w.metadata, &resource)
	switch {
	case err != nil:
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("%s, which tells where to sign in, can't be read: %v.", w.metadata, err),
			Remedy: "Start identity, and look into its log; let the proxy before Envoy pass /.well-known/ through.",
		}
	case resource.Resource != w.url.String():
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("The metadata is of %s, and assistants connect to %s: they refuse to sign in.", resource.Resource, w.url),
			Remedy: fmt.Sprintf("Set SALLYPORT_PUBLIC_URL to %s for Envoy, authz, identity and admin, and restart them; or connect assistants to %s.", w.origin(), resource.Resource),
		}
	case len(resource.Servers) == 0:
		return Finding{State: Problem, Sentence: w.metadata + " names no place to sign in.", Remedy: "Let the proxy before Envoy pass /.well-known/ to identity as it is."}
	}
	w.issuer = resource.Servers[0]
	return Finding{State: OK, Sentence: "It is described as " + resource.Resource + "."}
}

// checkSignIn reads what the authorization server says of itself (RFC 8414).
func checkSignIn(ctx context.Context, w *way) Finding {
	var server struct {
		Issuer        string
		Authorization string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		Challenges    []string `json:"code_challenge_methods_supported"`
	}
	err := askMetadata(ctx, w.issuer+"/.well-known/oauth-authorization-server", &server)
	f := Finding{State: Problem, Remedy: "Start identity with the same SALLYPORT_PUBLIC_URL as Envoy, and let the proxy before Envoy pass /.well-known/ and /oauth/ through."}
	switch {
	case err != nil:
		f.Sentence = fmt.Sprintf("%s, where one signs in, doesn't say how: %v.", w.issuer, err)
	case server.Issuer != w.issuer:
		f.Sentence = fmt.Sprintf("%s, where one signs in, calls itself %q: assistants don't trust it.", w.issuer, server.Issuer)
	case server.Authorization == "" || server.Token == "" || !slices.Contains(server.Challenges, "S256"):
		f.Sentence = w.issuer + ", where one signs in, isn't one for assistants: it lacks an endpoint, or PKCE with S256."
	default:
		return Finding{State: OK, Sentence: "One signs in at " + w.issuer + "."}
	}
	return f
}
