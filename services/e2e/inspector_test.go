package e2e_test

import (
	"encoding/json"
	"slices"
	"testing"

	"sallyport/services/internal/nativetest"
)

// inspector is MCP Inspector's CLI. Each of its calls is a process.
type inspector struct {
	command
	start []string
}

// newInspector speaks MCP of an era: legacy or modern.
func newInspector(t *testing.T, who *user, era string) *inspector {
	t.Helper()
	c := newCommand(t, who, inspectorCLI)
	// There is neither a keychain here nor a terminal.
	c.env = append(c.env, "MCP_INSPECTOR_SECRET_STORE=file", "MCP_AUTO_OPEN_ENABLED=true")
	return &inspector{c, []string{
		c.only(t, "node_modules/node-linux-*/bin/node"), "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js",
		"--cli", sallyport.MCPURL, "--format", "json", "--protocol-era", era,
		"--callback-url", "http://" + nativetest.FreeAddress(t) + "/oauth/callback",
	}}
}

func (c *inspector) ask(t *testing.T, answer any, arguments ...string) error {
	t.Helper()
	said, err := c.run(t.Context(), slices.Concat(c.start, arguments)...)
	if said == "" {
		return err
	}
	// A result that is an error has an exit code of its own.
	failed := json.Unmarshal([]byte(said), answer)
	if failed != nil {
		t.Fatalf("the Inspector said %s: %v", said, failed)
	}
	return nil
}

func (c *inspector) list(t *testing.T) ([]string, error) {
	t.Helper()
	var answer struct{ Result toolNames }
	err := c.ask(t, &answer, "--method", "tools/list")
	return answer.Result.names(), err
}

func (c *inspector) call(t *testing.T, tool string, arguments map[string]any) (string, bool, error) {
	t.Helper()
	given, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Result toolResult }
	err = c.ask(t, &answer, "--method", "tools/call", "--tool-name", tool, "--tool-args-json", string(given))
	return answer.Result.text(), answer.Result.IsError, err
}

func (*inspector) restart(*testing.T) {}
