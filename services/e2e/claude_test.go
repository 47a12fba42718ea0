package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// claudeCode is Claude Code, with a script in place of the model.
type claudeCode struct {
	command
	program string
	model   *script
}

// newClaudeCode is one where Sallyport knows the document that describes it, or one where documents can't
// be fetched.
func newClaudeCode(t *testing.T, who *user, described bool) *claudeCode {
	t.Helper()
	knowClaude(t, described)
	c := &claudeCode{command: newCommand(t, who, claudeCLI), model: &script{}}
	model := httptest.NewServer(c.model)
	t.Cleanup(model.Close)
	c.env = append(c.env, "ANTHROPIC_BASE_URL="+model.URL, "ANTHROPIC_API_KEY=none", "DISABLE_AUTOUPDATER=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1")
	c.program = c.only(t, "node_modules/@anthropic-ai/claude-code-linux-*/claude")
	c.mcp(t, "add", "--transport", "http", "sallyport", sallyport.MCPURL)
	c.wants(t, "Needs authentication")
	c.login(t)
	c.wants(t, "Connected")
	return c
}

// mcp runs one of the claude mcp commands.
func (c *claudeCode) mcp(t *testing.T, arguments ...string) string {
	t.Helper()
	said, err := c.run(t.Context(), append([]string{c.program, "mcp"}, arguments...)...)
	if err != nil {
		t.Fatalf("claude mcp %q: %v\n%s", arguments, err, said)
	}
	return said
}

// wants checks the state of the server in both commands that say it.
func (c *claudeCode) wants(t *testing.T, state string) {
	t.Helper()
	for _, command := range [][]string{{"list"}, {"get", "sallyport"}} {
		said := c.mcp(t, command...)
		if !strings.Contains(said, state) {
			t.Errorf("claude mcp %q says %s, want %s", command, said, state)
		}
	}
}

// login signs in, which takes a terminal.
func (c *claudeCode) login(t *testing.T) {
	t.Helper()
	said, err := c.run(t.Context(), inTerminal(c.program, "mcp", "login", "sallyport")...)
	if err != nil {
		t.Fatalf("claude mcp login: %v\n%s", err, said)
	}
}

const claudePrefix = "mcp__sallyport__"

// ask has Claude Code work at one request, without anybody at its terminal, and returns the tools of
// Sallyport's that it has.
func (c *claudeCode) ask(t *testing.T) (tools []string, _ error) {
	t.Helper()
	said, err := c.run(t.Context(), withoutInput(c.program, "--print", "Go on.", "--allowedTools", claudePrefix+"*", "--output-format", "stream-json", "--verbose")...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	first, _, _ := strings.Cut(said, "\n")
	var begun struct{ Tools []string }
	err = json.Unmarshal([]byte(first), &begun)
	for _, tool := range begun.Tools {
		if name, ours := strings.CutPrefix(tool, claudePrefix); ours {
			tools = append(tools, name)
		}
	}
	return tools, err
}

func (c *claudeCode) list(t *testing.T) ([]string, error) {
	t.Helper()
	c.model.plays("", nil)
	return c.ask(t)
}

func (c *claudeCode) call(t *testing.T, tool string, arguments map[string]any) (string, bool, error) {
	t.Helper()
	c.model.plays(claudePrefix+tool, arguments)
	tools, err := c.ask(t)
	if err != nil {
		return "", false, err
	}
	if len(tools) == 0 {
		return "", false, errors.New("Claude Code has no tools of Sallyport's")
	}
	result := c.model.told()
	return result.text(), result.IsError, nil
}

func (*claudeCode) restart(*testing.T) {}

// script answers as a model does (POST /v1/messages of the Messages API, as a stream): with the use of
// one tool, and, once that has a result, with a word.
type script struct {
	mu        sync.Mutex
	tool      string
	arguments map[string]any
	// result is what the model was told of the use.
	result modelResult
}

// modelResult is a tool_result block.
type modelResult struct {
	Type string
	// Content is a text, or a list of blocks.
	Content json.RawMessage
	IsError bool `json:"is_error"`
}

func (r modelResult) text() string {
	var text string
	if json.Unmarshal(r.Content, &text) == nil {
		return text
	}
	var blocks toolResult
	_ = json.Unmarshal(r.Content, &blocks.Content)
	return blocks.text()
}

func (s *script) plays(tool string, arguments map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tool, s.arguments, s.result = tool, arguments, modelResult{}
}

func (s *script) told() modelResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var asked struct {
		Messages []struct{ Content json.RawMessage }
	}
	if r.URL.Path != "/v1/messages" || json.NewDecoder(r.Body).Decode(&asked) != nil || len(asked.Messages) == 0 {
		http.NotFound(w, r)
		return
	}
	var last []modelResult
	_ = json.Unmarshal(asked.Messages[len(asked.Messages)-1].Content, &last)
	for _, block := range last {
		if block.Type == "tool_result" {
			s.result = block
		}
	}
	block := map[string]any{"type": "text", "text": ""}
	delta := map[string]any{"type": "text_delta", "text": "Done."}
	reason := "end_turn"
	if s.tool != "" && s.result.Type == "" {
		given, _ := json.Marshal(s.arguments)
		block = map[string]any{"type": "tool_use", "id": "toolu_1", "name": s.tool, "input": map[string]any{}}
		delta = map[string]any{"type": "input_json_delta", "partial_json": string(given)}
		reason = "tool_use"
	}
	usage := map[string]any{"input_tokens": 1, "output_tokens": 1}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, event := range []map[string]any{
		{"type": "message_start", "message": map[string]any{"id": "msg_1", "type": "message", "role": "assistant", "model": "script", "content": []any{}, "usage": usage}},
		{"type": "content_block_start", "index": 0, "content_block": block},
		{"type": "content_block_delta", "index": 0, "delta": delta},
		{"type": "content_block_stop", "index": 0},
		{"type": "message_delta", "delta": map[string]any{"stop_reason": reason}, "usage": usage},
		{"type": "message_stop"},
	} {
		data, _ := json.Marshal(event)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event["type"], data)
	}
}
