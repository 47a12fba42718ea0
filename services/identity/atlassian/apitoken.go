package atlassian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
)

// rovoHost is where Atlassian's own MCP server is.
const rovoHost = "mcp.atlassian.com"

// ErrElsewhere means that an MCP server isn't Atlassian's as far as can be told, so that the service
// credential isn't shown to it.
var ErrElsewhere = errors.New("the MCP server isn't at " + rovoHost + ", nor where the service credential is for")

// OpensMCP says whether the service credential opens a session at Atlassian's MCP server, past the
// domains that Rovo allows: API tokens are let in unless an admin has turned them off. A token without
// Rovo's scopes opens a session that has hardly any tools.
func (d *Directory) OpensMCP(ctx context.Context, mcpURL string) (bool, error) {
	server, err := url.Parse(mcpURL)
	if err != nil {
		return false, err
	}
	own, err := url.Parse(d.base)
	if err != nil {
		return false, err
	}
	atRovo := server.Scheme == "https" && server.Host == rovoHost
	if !atRovo && (server.Scheme != own.Scheme || server.Host != own.Host) {
		return false, ErrElsewhere
	}
	client := *d.http
	signing := &signed{by: d, next: d.http.Transport}
	client.Transport = signing
	session, err := connect(ctx, newMCPClient(), mcpURL, &client)
	if err == nil {
		_ = session.Close()
		return true, nil
	}
	switch status := signing.status.Load(); status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return false, nil
	}
	return false, fmt.Errorf("asking whether API tokens are let in: %w", err)
}

// signed sends the service credential with each request, and keeps the last status.
type signed struct {
	by     *Directory
	next   http.RoundTripper
	status atomic.Int64
}

func (s *signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	s.by.sign(r)
	response, err := s.next.RoundTrip(r)
	if err == nil {
		s.status.Store(int64(response.StatusCode))
	}
	return response, err
}
