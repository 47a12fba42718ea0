// Package atlassian is Sallyport as an OAuth client of Atlassian: it discovers the authorization
// server behind the Rovo MCP server, registers there, signs people in and keeps their tokens fresh,
// and finds out who they are, which site they chose and which groups they are in.
package atlassian

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// callTimeout bounds one call to Atlassian.
	callTimeout = 10 * time.Second
	// maxAnswerBytes bounds what is read of an answer.
	maxAnswerBytes = 1 << 20
)

// Config says where Atlassian is.
type Config struct {
	// MCPURL is the Rovo MCP server. Its query is for tool calls only; without it, it is the
	// resource that tokens are asked for.
	MCPURL string
	// APIURL is the base of Atlassian's REST API, for /me.
	APIURL string
	// Callback is Sallyport's redirect URI.
	Callback string
	// IssuerTolerance accepts authorization server metadata that names another issuer than the
	// protected resource does, as Atlassian's did until August 2026.
	IssuerTolerance bool
	// Scopes to ask for; those that the protected resource lists where empty.
	Scopes []string
	// Called is told what became of each call of a tool, and why tools weren't listed; nil where nobody
	// wants to know. IP allowlists apply to calls of tools, and Who may find out by other means.
	Called func(context.Context, error)
}

// Client calls Atlassian. It is safe for concurrent use.
type Client struct {
	cfg      Config
	resource string
	http     *http.Client

	// mu guards discovered, which is replaced as a whole.
	mu         sync.Mutex
	discovered *server
}

// New returns a client. It calls nobody yet.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.MCPURL)
	if err != nil {
		return nil, fmt.Errorf("the address of Atlassian's MCP server: %w", err)
	}
	if u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("the address of Atlassian's MCP server must be like https://mcp.atlassian.com/v2/mcp, got %q", cfg.MCPURL)
	}
	u.RawQuery, u.Fragment = "", ""
	client := NewHTTPClient()
	client.Transport = refusals{client.Transport}
	return &Client{cfg: cfg, resource: u.String(), http: client}, nil
}

func (c *Client) called(ctx context.Context, err error) {
	if c.cfg.Called != nil {
		c.cfg.Called(ctx, err)
	}
}

// NewHTTPClient returns a client for calls to Atlassian: bounded in time, and following no
// redirects, which would carry a token or a secret to a place that nobody configured.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: callTimeout,
			MaxIdleConnsPerHost:   16,
			IdleConnTimeout:       90 * time.Second,
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// statusError is an answer with a status that says no.
type statusError struct {
	url    string
	status int
	// retryAfter is the header of that name.
	retryAfter string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answered with status %d", e.url, e.status)
}

// fetch sends a request and reads an answer in JSON into v.
func fetch(client *http.Client, r *http.Request, v any) error {
	r.Header.Set("Accept", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", r.URL.Redacted(), err)
	}
	if response.StatusCode != http.StatusOK {
		return &statusError{r.URL.Redacted(), response.StatusCode, response.Header.Get("Retry-After")}
	}
	err = json.Unmarshal(body, v)
	if err != nil {
		return fmt.Errorf("the answer of %s isn't the JSON it should be", r.URL.Redacted())
	}
	return nil
}
