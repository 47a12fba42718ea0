package authz

import (
	"slices"
	"strings"
)

// forwarded are the headers of an assistant's that go on to Atlassian, beside those whose names begin
// with mcp-. A list of what passes can't be got around by a name that nobody thought of.
var forwarded = []string{
	"accept", "accept-encoding", "accept-language", "cache-control", "content-length", "content-type", "last-event-id",
	"traceparent", "tracestate", "user-agent",
	// Replaced here by the person's own token.
	"authorization",
	// Envoy's own: the request id, and what it needs for the connection.
	"x-request-id", "connection", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
}

// ofSessions are headers that mean nothing in a stateless revision, and must not reach a server that
// would read them all the same.
var ofSessions = []string{"mcp-session-id", "last-event-id"}

// withheld are the names of the request's headers that don't go on to Atlassian.
func (r request) withheld() []string {
	var names []string
	for name := range r.headers {
		if strings.HasPrefix(name, ":") {
			continue
		}
		known := slices.Contains(forwarded, name) || strings.HasPrefix(name, "mcp-")
		if !known || r.stateless() && slices.Contains(ofSessions, name) {
			names = append(names, name)
		}
	}
	return names
}
