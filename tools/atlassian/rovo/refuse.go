package rovo

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sallyport/tools/atlassian/rest"
)

// addressText is what Atlassian says where an IP allowlist doesn't have the caller's address.
const addressText = "You don't have permission to connect from this IP address. Please ask your admin for access."

// refuseAddress answers with HTTP status 403 where the switch address says so, and reports whether.
func (s *Server) refuseAddress(w http.ResponseWriter) bool {
	if s.switches.Values().Address != "status" {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(map[string]string{"error": "forbidden", "message": addressText})
	return true
}

// refuseTools lets calls of tools fail where the switch address says so.
func (s *Server) refuseTools(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, request mcp.Request) (mcp.Result, error) {
		if method != "tools/call" || s.switches.Values().Address != "tool" {
			return next(ctx, method, request)
		}
		text, err := json.Marshal(map[string]any{"error": true, "message": addressText})
		return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: string(text)}}}, err
	}
}

// withAPITokens lets the classic token of the service account in where the switch api_tokens says so,
// to a server without tools: without Rovo's scopes it has hardly any.
func (s *Server) withAPITokens(next http.Handler) http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: "atlassian-mcp-server", Version: "1.0.0"}, nil)
	bare := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{DisableLocalhostProtection: true})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		email, token, basic := r.BasicAuth()
		known := email == rest.ServiceEmail && subtle.ConstantTimeCompare([]byte(token), []byte(rest.APIToken)) == 1
		if basic && known && s.switches.Values().APITokens {
			bare.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
