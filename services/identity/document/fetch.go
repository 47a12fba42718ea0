package document

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"code.dny.dev/ssrf"
	"github.com/go-json-experiment/json"
)

const (
	// timeout bounds a fetch from looking up the name to the last byte: a person waits for it, and
	// assistants give up soon.
	timeout = 5 * time.Second
	// maxBytes is the size that the draft recommends as limit.
	maxBytes       = 5 << 10
	maxHeaderBytes = 16 << 10
)

// Config says where documents may come from. Its zero value lets none be fetched.
type Config struct {
	// Domains are host names, *.example.com for those below one, or Any alone. A port other than 443 is
	// named with the host, and localhost by itself.
	Domains []string
	// Networks are addresses that may be reached although they aren't public.
	Networks []netip.Prefix
	// CAFile holds further certificate authorities in PEM; empty for the system's alone.
	CAFile string
	// Resolver is the DNS server that is asked, host:port; empty for the system's.
	Resolver string
	// Proxy is the HTTP proxy through which documents are fetched; empty for none. A proxy looks names
	// up itself, so addresses can't be checked here, and Domains have to name whom to trust.
	Proxy string
}

// Document is what a client says of itself. Of what it could say, only this is used: nothing that it
// links to is ever fetched.
type Document struct {
	ClientID        string   `json:"client_id"`
	Name            string   `json:"client_name"`
	RedirectURIs    []string `json:"redirect_uris"`
	TokenAuthMethod string   `json:"token_endpoint_auth_method"`
	Secret          string   `json:"client_secret"`
	// Fresh is how long it may be used without being fetched again.
	Fresh time.Duration `json:"-"`
}

// Problem is why a document can't be used, as a sentence for the person who signs in.
type Problem struct {
	Reason string
	// Unreachable is set where no answer came at all, rather than a wrong one.
	Unreachable bool
}

func (p *Problem) Error() string { return p.Reason }

func wrong(format string, args ...any) error { return &Problem{Reason: fmt.Sprintf(format, args...)} }

// Fetcher fetches documents. It is safe for concurrent use.
type Fetcher struct {
	domains []string
	client  *http.Client
}

// New returns a fetcher, or says all that is wrong with cfg.
func New(cfg Config) (*Fetcher, error) {
	transport := &http.Transport{
		// Never the one of the environment: it would be trusted without having been asked for.
		Proxy:                  nil,
		DialContext:            guarded(cfg).DialContext,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	var problems []error
	if !slices.Equal(cfg.Domains, []string{Any}) {
		for _, domain := range cfg.Domains {
			problems = append(problems, checkDomain(domain))
		}
	}
	if cfg.Proxy != "" {
		proxy, err := url.Parse(cfg.Proxy)
		if err != nil || proxy.Host == "" || proxy.Scheme != "http" && proxy.Scheme != "https" {
			problems = append(problems, fmt.Errorf("the proxy must be like http://proxy.example.com:3128, got %q", cfg.Proxy))
		}
		if slices.Contains(cfg.Domains, Any) {
			problems = append(problems, errors.New("behind a proxy the domains must be named: it looks names up itself, so private addresses can't be refused here"))
		}
		transport.Proxy = http.ProxyURL(proxy)
		transport.DialContext = (&net.Dialer{}).DialContext
	}
	roots, err := authorities(cfg.CAFile)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &Fetcher{
		domains: cfg.Domains,
		client: &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}, errors.Join(append(problems, err)...)
}

// guarded returns a dialer that looks a name up once and checks each address at the moment it is
// dialled, so that a second, other answer of the DNS can't slip in between.
func guarded(cfg Config) *net.Dialer {
	var v4, v6 []netip.Prefix
	for _, network := range cfg.Networks {
		if network.Addr().Is4() {
			v4 = append(v4, network)
		} else {
			v6 = append(v6, network)
		}
	}
	// Ports are decided with the domain (allows).
	guard := ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	dialer := &net.Dialer{Control: guard.Safe}
	if cfg.Resolver != "" {
		dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, cfg.Resolver)
		}}
	}
	return dialer
}

// authorities are the system's, and those of a file where one is named.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's certificate authorities: %w", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading certificate authorities: %w", err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificates in PEM", file)
	}
	return roots, nil
}

// Allows says why a client_id can't be that of a document here, or nil: what is wrong with the URL, or
// that its domain isn't allowed. It fetches nothing.
func (f *Fetcher) Allows(clientID string) error {
	u, err := Check(clientID)
	if err != nil {
		return wrong("Your assistant calls itself %.100q, which can't be the address of a description of it: %s.", clientID, err)
	}
	if !allows(f.domains, u) {
		return wrong("Sallyport doesn't take descriptions of assistants from %s. Ask your Atlassian admin to allow it.", u.Host)
	}
	return nil
}

// Fetch fetches the document of a client_id. What makes it unusable is a *Problem.
func (f *Fetcher) Fetch(ctx context.Context, clientID string) (Document, error) {
	var none Document
	err := f.Allows(clientID)
	if err != nil {
		return none, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, clientID, nil)
	if err != nil {
		return none, wrong("The address %q can't be asked for.", clientID)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "Sallyport")
	response, err := f.client.Do(request)
	if err != nil {
		return none, unreachable(clientID, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBytes+1))
	if err != nil {
		return none, unreachable(clientID, err)
	}
	document, err := read(clientID, response, body)
	document.Fresh = freshness(response.Header)
	return document, err
}

// unreachable is the problem of a fetch that brought no answer. Which address was refused isn't said:
// the one who asked may not know the network that Sallyport is in.
func unreachable(clientID string, err error) error {
	reason := "it doesn't answer"
	var timedOut net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return wrong("Your assistant describes itself at %s, which isn't an address on the public internet.", clientID)
	case errors.As(err, &certificate):
		reason = "its certificate isn't trusted here"
	case errors.As(err, &timedOut) && timedOut.Timeout():
		reason = fmt.Sprintf("it doesn't answer within %d seconds", int(timeout.Seconds()))
	}
	return &Problem{Reason: fmt.Sprintf("Your assistant describes itself at %s, and Sallyport can't read that: %s.", clientID, reason), Unreachable: true}
}

func isJSON(kind string) bool {
	return kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
}

// sharedSecrets are the ways to authenticate that a document can't be used with: everybody can read it.
var sharedSecrets = []string{"client_secret_basic", "client_secret_post", "client_secret_jwt"}

// read reads an answer as the document of a client_id. A client that could authenticate by a key is
// taken as one that doesn't: the metadata offers nothing else.
func read(clientID string, response *http.Response, body []byte) (Document, error) {
	var d Document
	refuse := func(reason string) (Document, error) {
		return Document{}, wrong("Your assistant describes itself at %s, and Sallyport can't use that: %s.", clientID, reason)
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return refuse("it leads elsewhere, and redirects aren't followed")
	case response.StatusCode != http.StatusOK:
		return refuse(fmt.Sprintf("it answers with status %d", response.StatusCode))
	case err != nil || !isJSON(kind):
		return refuse("it isn't sent as JSON")
	case response.Header.Get("Content-Encoding") != "":
		return refuse("it is sent compressed")
	case len(body) > maxBytes:
		return refuse(fmt.Sprintf("it is longer than %d bytes", maxBytes))
	}
	err = json.Unmarshal(body, &d)
	switch {
	case err != nil:
		return refuse("it isn't a JSON object of client metadata")
	case d.ClientID != clientID:
		return refuse("it is the description of another client_id")
	case d.Secret != "" || slices.Contains(sharedSecrets, d.TokenAuthMethod):
		return refuse("it wants a shared secret, which a public description can't have")
	}
	return d, nil
}
