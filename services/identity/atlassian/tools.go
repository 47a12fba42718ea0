package atlassian

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// Atlassian chooses the size of a page; at 20 tools a page, 50 pages are 1000 tools.
	maxToolPages = 50
	maxTools     = 5000
	// maxToolBytes bounds all answers to one Tools together.
	maxToolBytes = 8 << 20
	// maxToolName is in bytes; MCP recommends 128 characters at most.
	maxToolName = 256
)

// Tool is what a person is offered, as MCP describes it (2025-11-25, server/tools). All of it is the
// server's own word.
type Tool struct {
	Name, Title, Description string
	// InputSchema is the JSON Schema of its arguments in canonical form (RFC 8785), so that the same
	// schema is the same bytes however the server orders it.
	InputSchema jsontext.Value
	// ReadOnly is readOnlyHint.
	ReadOnly bool
	// Destructive is destructiveHint, which is true where the tool doesn't say, and means nothing,
	// so is false here, for a tool that only reads.
	Destructive bool
}

// Tools returns the tools that the holder of the token is offered, in the server's order: those of
// the MCP URL with its query. leftOut says of those it can't return why not. More than 50 pages, 5000
// tools or 8 MiB are an error.
func (c *Client) Tools(ctx context.Context, access string) (tools []Tool, leftOut []string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	described, err := c.listTools(ctx, access, cancel)
	if err != nil {
		// Past a limit the SDK only says that its context has ended.
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		c.called(ctx, err)
		return nil, nil, fmt.Errorf("listing the tools: %w", err)
	}
	seen := map[string]bool{}
	for _, d := range described {
		tool, reason := readTool(d)
		if reason == "" && seen[tool.Name] {
			reason = fmt.Sprintf("%q is listed twice", tool.Name)
		}
		if reason != "" {
			leftOut = append(leftOut, reason)
			continue
		}
		seen[tool.Name] = true
		tools = append(tools, tool)
	}
	return tools, leftOut, nil
}

// listTools reads all pages. It calls stop where the answers are too long.
func (c *Client) listTools(ctx context.Context, access string, stop context.CancelCauseFunc) ([]*mcp.Tool, error) {
	var all []*mcp.Tool
	client := newMCPClient()
	client.AddSendingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
			result, err := next(ctx, method, r)
			page, ok := result.(*mcp.ListToolsResult)
			if err == nil && ok {
				// The session drops tools with a wrong x-mcp-header, which assistants may use.
				all = append(all, page.Tools...)
			}
			return result, err
		}
	})
	bearing := c.bearing(access)
	bearing.Transport = &limited{next: bearing.Transport, stop: stop}
	session, err := connect(ctx, client, c.cfg.MCPURL, bearing)
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close() }()
	params := &mcp.ListToolsParams{}
	for range maxToolPages {
		page, err := session.ListTools(ctx, params)
		if err != nil {
			return nil, err
		}
		if len(all) > maxTools {
			return nil, fmt.Errorf("there are more than %d", maxTools)
		}
		if page.NextCursor == "" {
			return all, nil
		}
		params.Cursor = page.NextCursor
	}
	return nil, fmt.Errorf("there are more than %d pages", maxToolPages)
}

// readTool returns a tool, or why it can't.
func readTool(d *mcp.Tool) (tool Tool, reason string) {
	switch {
	case d == nil:
		return Tool{}, "one is null"
	case d.Name == "":
		return Tool{}, "one has no name"
	case len(d.Name) > maxToolName:
		return Tool{}, fmt.Sprintf("the name %.40q... has more than %d bytes", d.Name, maxToolName)
	}
	schema, err := json.Marshal(d.InputSchema, jsontext.AllowInvalidUTF8(true))
	tool = Tool{
		Name: strings.ToValidUTF8(d.Name, "\uFFFD"), Title: strings.ToValidUTF8(d.Title, "\uFFFD"),
		Description: strings.ToValidUTF8(d.Description, "\uFFFD"), InputSchema: schema, Destructive: true,
	}
	if err == nil {
		err = tool.InputSchema.Canonicalize()
	}
	if err != nil {
		return Tool{}, fmt.Sprintf("the schema of %q can't be read: %v", tool.Name, err)
	}
	if hints := d.Annotations; hints != nil {
		tool.ReadOnly = hints.ReadOnlyHint
		tool.Destructive = !hints.ReadOnlyHint && (hints.DestructiveHint == nil || *hints.DestructiveHint)
	}
	return tool, ""
}

// limited lets answers of maxToolBytes together through, and calls stop past that.
type limited struct {
	next http.RoundTripper
	stop context.CancelCauseFunc
	read atomic.Int64
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(r)
	if err == nil {
		response.Body = &limitedBody{response.Body, l}
	}
	return response, err
}

type limitedBody struct {
	io.ReadCloser
	limit *limited
}

func (b *limitedBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if b.limit.read.Add(int64(n)) > maxToolBytes {
		err = fmt.Errorf("the answers have more than %d bytes", maxToolBytes)
		b.limit.stop(err)
		return 0, err
	}
	return n, err
}
