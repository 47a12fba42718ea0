package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestUpstreamAnswersClients has the SDK's client ask the MCP server what gateways ask.
func TestUpstreamAnswersClients(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(answer))
	defer server.Close()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: server.URL + "/mcp"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	listed, err := session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range listed.Tools {
		names = append(names, tool.Name)
	}
	if diff := cmp.Diff([]string{edits, deletes}, names); diff != "" {
		t.Error(diff)
	}
	for range 2 { // the second call has another id
		result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: edits, Arguments: object{"text": strings.Repeat("long ", 100)}})
		if err != nil {
			t.Fatal(err)
		}
		text := result.Content[0].(*mcp.TextContent).Text
		if !strings.Contains(text, "answer answer") || len(text) < 300 {
			t.Errorf("answered %q", text)
		}
	}
}

// standIn is a gateway by the SDK's server, with sessions and names of its own, that decides by a function.
func standIn(t *testing.T, allows func(token, tool string) bool) string {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "gateway", Version: "1"}, nil)
	for _, tool := range []string{edits, deletes} {
		server.AddTool(&mcp.Tool{Name: "atlassian__" + tool, InputSchema: object{"type": "object"}},
			func(_ context.Context, request *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				token := strings.TrimPrefix(request.Extra.Header.Get("Authorization"), "Bearer ")
				return &mcp.CallToolResult{IsError: !allows(token, tool), Content: []mcp.Content{&mcp.TextContent{Text: answerText}}}, nil
			})
	}
	gateway := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(gateway.Close)
	return gateway.URL + "/mcp"
}

func TestGatewayDecides(t *testing.T) {
	ana, bo := strings.TrimSpace(gatewayAllowed), strings.TrimSpace(gatewayDenied)
	for name, test := range map[string]struct {
		allows  func(token, tool string) bool
		refused string
	}{
		"by the rules":     {allows: func(token, tool string) bool { return token == ana || token == bo && tool == edits }},
		"allows all":       {func(string, string) bool { return true }, "went through"},
		"whoever is known": {func(token, _ string) bool { return token == ana || token == bo }, "went through"},
		"any token":        {func(token, tool string) bool { return token != bo || tool == edits }, "went through"},
		"denies all":       {func(string, string) bool { return false }, "blocked"},
		"one person":       {func(token, _ string) bool { return token == ana }, "blocked"},
	} {
		t.Run(name, func(t *testing.T) {
			url := standIn(t, test.allows)
			c, err := gatewayDecides(t.Context(), callOf(url, strings.Split(url, "/")[2], "", 300, false))
			switch {
			case test.refused == "" && err != nil:
				t.Fatal(err)
			case test.refused != "":
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("%v is not about what %s", err, test.refused)
				}
				return
			}
			if c.tool != "atlassian__"+edits || c.session == "" || c.token != ana {
				t.Errorf("it is called as %+v", c)
			}
		})
	}
}

func TestGatewayFlag(t *testing.T) {
	folder := t.TempDir()
	script, plain := filepath.Join(folder, "start.sh"), filepath.Join(folder, "README")
	for path, mode := range map[string]os.FileMode{script: 0o755, plain: 0o644} {
		err := os.WriteFile(path, nil, mode)
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ name, script, says string }{
		"a script":             {"toolhive", script, ""},
		"an arm's name":        {"c", script, "no other arm's"},
		"a path for a name":    {"../c", script, "small letters"},
		"none":                 {"toolhive", filepath.Join(folder, "none"), "can be executed"},
		"a folder":             {"toolhive", folder, "can be executed"},
		"it can't be executed": {"toolhive", plain, "can be executed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := run{Gateway: map[string]string{test.name: test.script}}
			err := r.readGateway(test.name, test.script)
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%v doesn't say %q", err, test.says)
			}
		})
	}
}

// TestUsageOfFamily counts the memory of a shell and of what it started.
func TestUsageOfFamily(t *testing.T) {
	// Both end when there is nothing more to read.
	shell := exec.CommandContext(t.Context(), "sh", "-c", `sh -c "echo; read line"; true`)
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = out.Read(make([]byte, 1))
	if err != nil {
		t.Fatal(err)
	}
	alone, err := usageOf(map[string]int{"sh": shell.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	together, err := usageOfFamily(shell.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if together.Memory < alone["sh"].Memory*3/2 {
		t.Errorf("%d bytes together, of which the shell has %d", together.Memory, alone["sh"].Memory)
	}
	err = in.Close()
	if err == nil {
		err = shell.Wait()
	}
	if err != nil {
		t.Error(err)
	}
}
