package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/oauth2"

	"sallyport/tools/signin"
)

const (
	mcpURL = "http://localhost:8800/mcp"
	policy = `default: allow
rules:
  - operation: createJiraIssue
    effect: deny
    note: not while this is tried
`
	// indexedWithin is how long a record may take to be found.
	indexedWithin = time.Minute
)

// calls are what each person's assistant does, and whether the policy lets it.
var calls = []struct {
	tool      string
	arguments map[string]any
	allowed   bool
}{
	{"getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": "OPS-1"}, true},
	{"createJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "projectKey": "OPS", "issueTypeName": "Task", "summary": "from a container"}, false},
}

// use puts a policy in force, signs two people in with real MCP clients, calls tools, and looks for the records.
func (t *trial) use(ctx context.Context) error {
	file := filepath.Join(t.source, "policy.yaml")
	err := os.WriteFile(file, []byte(policy), 0o600)
	if err != nil {
		return err
	}
	_, err = t.command(ctx, "policy", "apply", file)
	if err != nil {
		return err
	}
	for _, email := range []string{"ana@acme.test", "bo@acme.test"} {
		token, err := signin.In(ctx, mcpURL, "Claude Code", email)
		if err != nil {
			return fmt.Errorf("signing in as %s: %w", email, err)
		}
		t.people = append(t.people, token)
		err = t.call(ctx, token)
		if err != nil {
			return err
		}
	}
	err = t.recorded(ctx)
	if err != nil {
		return err
	}
	t.say("  %d calls, each with its record", t.called)
	return errors.Join(t.ready(ctx), t.withinMemory(ctx))
}

// call has an assistant make all calls.
func (t *trial) call(ctx context.Context, token oauth2.TokenSource) error {
	client := mcp.NewClient(&mcp.Implementation{Name: "compose", Version: "1.0.0"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: mcpURL, HTTPClient: oauth2.NewClient(ctx, token)}, nil)
	if err != nil {
		return fmt.Errorf("connecting an assistant: %w", err)
	}
	defer func() { _ = session.Close() }()
	for _, c := range calls {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: c.tool, Arguments: c.arguments})
		if err != nil {
			return fmt.Errorf("%s: %w", c.tool, err)
		}
		t.called++
		if result.IsError == c.allowed {
			text, _ := json.Marshal(result.Content) // for people to read
			return fmt.Errorf("%s is answered with %s", c.tool, text)
		}
	}
	return nil
}

// recorded waits until there are as many whole records in Elasticsearch as there were calls.
func (t *trial) recorded(ctx context.Context) error {
	for deadline := time.Now().Add(indexedWithin); ; {
		out, err := t.command(ctx, "log", "--limit", "1000", "--json")
		if err != nil {
			return err
		}
		whole := 0
		for line := range strings.Lines(string(out)) {
			var record struct {
				Decision struct{ Effect string }
				Outcome  struct{ Result string }
			}
			err = json.Unmarshal([]byte(line), &record)
			if err != nil {
				return fmt.Errorf("reading the log: %w: %s", err, line)
			}
			if record.Decision.Effect == "blocked" || record.Outcome.Result == "ok" {
				whole++
			}
		}
		if whole == t.called {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("of %d calls %d have a whole record:\n%s", t.called, whole, out)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// ready asks the command line in its container how all parts are.
func (t *trial) ready(ctx context.Context) error {
	out, err := t.compose(ctx, "run", "--rm", "--no-TTY", "sallyport", "status", "--json").Output()
	if err != nil {
		return fmt.Errorf("docker compose run sallyport status: %w: %s", err, complaint(err))
	}
	var status struct {
		Parts []struct{ Name, State, Detail string }
	}
	err = json.Unmarshal(out, &status)
	if err != nil {
		return err
	}
	for _, part := range status.Parts {
		if part.State != "ready" {
			return fmt.Errorf("%s is %s: %s", part.Name, part.State, part.Detail)
		}
	}
	t.say("  all %d parts say that they are ready", len(status.Parts))
	return nil
}

// memoryLimit is nine tenths of what a container of Sallyport's has, in bytes.
const memoryLimit = 256 << 20 * 9 / 10

// withinMemory looks whether services collect garbage before their containers are out of memory. They are asked from
// Elasticsearch's container, which is in a network with them.
func (t *trial) withinMemory(ctx context.Context) error {
	for _, service := range []string{"admin", "accesslog"} {
		out, err := t.compose(ctx, "exec", "--no-TTY", "elasticsearch", "curl", "--silent", "--show-error", "http://"+service+":9090/metrics").Output()
		if err != nil {
			return fmt.Errorf("asking %s for its metrics: %w: %s", service, err, complaint(err))
		}
		_, rest, _ := strings.Cut(string(out), "\ngo_gc_gomemlimit_bytes ")
		value, _, _ := strings.Cut(rest, "\n")
		limit, err := strconv.ParseFloat(value, 64)
		if err != nil || int(limit) != memoryLimit {
			return fmt.Errorf("%s may take %q bytes of memory; want %d", service, value, memoryLimit)
		}
	}
	t.say("  Go knows how much memory the containers have")
	return nil
}

// again takes everything down and brings it up, and looks whether policy, sign-ins and records are there.
func (t *trial) again(ctx context.Context) error {
	kept := [][]string{{"policy", "get"}, {"policy", "history"}, {"log", "--limit", "1000", "--json"}}
	before := make([][]byte, len(kept))
	for i, arguments := range kept {
		out, err := t.command(ctx, arguments...)
		if err != nil {
			return err
		}
		before[i] = out
	}
	err := t.do(ctx, "down")
	if err != nil {
		return err
	}
	err = t.up(ctx)
	if err != nil {
		return err
	}
	for i, arguments := range kept {
		after, err := t.command(ctx, arguments...)
		if err != nil {
			return err
		}
		if string(before[i]) != string(after) {
			return fmt.Errorf("sallyport %s says something else after down and up:\n%s\nbefore:\n%s", strings.Join(arguments, " "), after, before[i])
		}
	}
	t.say("  the policy, its history and all %d records are there", t.called)
	for _, token := range t.people {
		err = t.blocked(ctx, token)
		if err != nil {
			return err
		}
	}
	token, err := signin.In(ctx, mcpURL, "Claude Code", "cy@acme.test")
	if err == nil {
		err = t.call(ctx, token)
	}
	if err != nil {
		return err
	}
	err = t.recorded(ctx)
	if err != nil {
		return err
	}
	t.say("  those who were signed in still are, and %d calls have their records", t.called)
	return t.ready(ctx)
}

// blocked has an assistant that was signed in before make the call that the policy blocks. The stand-in, which
// keeps everything in memory, needn't know its person's tokens any more for that.
func (t *trial) blocked(ctx context.Context, token oauth2.TokenSource) error {
	const body = `{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "createJiraIssue", "arguments": {"cloudId": "acme.atlassian.net", "summary": "again"}}}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, mcpURL, strings.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Mcp-Protocol-Version": "2025-06-18"} {
		request.Header.Set(name, value)
	}
	response, err := oauth2.NewClient(ctx, token).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || !strings.Contains(string(text), "not while this is tried") {
		return fmt.Errorf("an assistant that was signed in before is answered with %s %s", response.Status, text)
	}
	t.called++
	return nil
}

// command runs bin/sallyport as an administrator, at the published port.
func (t *trial) command(ctx context.Context, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, filepath.Join(t.root, "bin", "sallyport"), append(arguments, "--server", "localhost:8801", "--token-file", t.secret("admin.token"))...)
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("sallyport %s: %w: %s", strings.Join(arguments, " "), err, complaint(err))
	}
	return out, nil
}

// complaint is what a program said before it failed.
func complaint(err error) string {
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return strings.TrimSpace(string(failed.Stderr))
	}
	return ""
}
