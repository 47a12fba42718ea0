package rovo

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"
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
