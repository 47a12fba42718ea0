package accesslog

import (
	"net/http"
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
)

// unrecorded says why a request has no record, or "" where it has one, or wasn't for the MCP endpoint. Nobody
// is known for it, or nothing that it asked for: it is counted, and not stored.
func unrecorded(entry *accesslogv3.HTTPAccessLogEntry) string {
	path, _, _ := strings.Cut(entry.GetRequest().GetPath(), "?")
	if len(noteOf(entry).IDs) > 0 || path != "/mcp" && path != "" {
		return ""
	}
	status := entry.GetResponse().GetResponseCode().GetValue()
	switch details := entry.GetResponse().GetResponseCodeDetails(); {
	case details == "ext_authz_denied" && status != http.StatusServiceUnavailable:
		return "unauthenticated"
	case strings.HasPrefix(details, "ext_authz"):
		// authz couldn't write down what it decided, or didn't answer.
		return "undecided"
	case status == http.StatusRequestTimeout || strings.HasPrefix(details, "downstream_remote_disconnect") || strings.HasPrefix(details, "downstream_local_disconnect"):
		// Its body never came to an end, or whoever sent it left before it was decided on.
		return "incomplete"
	case path == "" || status == http.StatusBadRequest:
		return "malformed"
	}
	return "not_mcp"
}
