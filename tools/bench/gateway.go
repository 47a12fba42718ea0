package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The tokens of gateways/README.md: of somebody who may do what is called, and of one who may not delete.
var (
	//go:embed gateways/ana.jwt
	gatewayAllowed string
	//go:embed gateways/bo.jwt
	gatewayDenied string
)

// gatewayProtocol is the version of MCP that is offered to a gateway that wants a session.
const gatewayProtocol = "2025-11-25"

// startGateways starts the gateways that take turns, each by its script. What a script is told is in gateways/README.md.
func (b *bench) startGateways(ctx context.Context) error {
	upstream := fmt.Sprintf("http://127.0.0.1:%d", b.ports["upstream"])
	for _, a := range b.Run.arms() {
		if a.script == "" {
			continue
		}
		folder := filepath.Join(b.Dir, a.name)
		err := os.MkdirAll(folder, 0o755)
		if err != nil {
			return err
		}
		// env becomes the script, as the script becomes its program.
		err = b.own.start(ctx, a.process(), b.ports[a.name], "env", fmt.Sprintf("PORT=%d", b.ports[a.name]), "UPSTREAM="+upstream+"/mcp",
			"KEYS="+upstream+keysPath, "RUN="+folder, "ENVOY="+b.stack.Parts.Envoy, a.script)
		if err != nil {
			return err
		}
	}
	return nil
}

// greeted is the call as a gateway wants it: within a session, if it has sessions, and of the tool by the name that it
// gives it. A gateway that has just begun to listen may not answer yet.
func (c call) greeted(ctx context.Context) (call, error) {
	for started := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		greeted, err := c.greet(ctx)
		if err == nil || time.Since(started) > startTimeout || ctx.Err() != nil {
			return greeted, err
		}
	}
}

func (c call) greet(ctx context.Context) (call, error) {
	if c.once(ctx) == nil {
		return c, nil
	}
	c.protocol = gatewayProtocol
	answer, session, err := c.ask(ctx, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"`+gatewayProtocol+
		`","capabilities":{},"clientInfo":{"name":"Sallyport bench","version":"1"}}}`)
	if err != nil {
		return c, err
	}
	if answer.Result.ProtocolVersion == "" {
		return c, fmt.Errorf("%s doesn't begin a session", c.url)
	}
	c = c.within(session, answer.Result.ProtocolVersion)
	_, _, err = c.ask(ctx, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	if err != nil {
		return c, err
	}
	answer, _, err = c.ask(ctx, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
	if err != nil {
		return c, err
	}
	for _, tool := range answer.Result.Tools {
		prefix, found := strings.CutSuffix(tool.Name, edits)
		if found {
			c.prefix = prefix
			return c.of(edits), nil
		}
	}
	return c, fmt.Errorf("%s doesn't list the tool %s", c.url, edits)
}

// greeting is what a gateway answers.
type greeting struct {
	Result struct {
		ProtocolVersion string
		Tools           []struct{ Name string }
	}
}

// ask sends a message in place of the call's, and returns what is answered and the session it belongs to.
func (c call) ask(ctx context.Context, message string) (answer greeting, session string, _ error) {
	c.body = []byte(message)
	status, header, text, err := c.send(ctx)
	if err == nil && status >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s answered %s by %d with %.300s", c.url, message, status, text)
	}
	if err == nil && len(bytes.TrimSpace(text)) > 0 {
		err = json.Unmarshal(messageOf(text), &answer)
	}
	return answer, header.Get("Mcp-Session-Id"), err
}

// gatewayDecides returns the call as a gateway wants it, and an error unless the gateway blocks what the rules deny: a
// call that deletes, of somebody in a team that may not, and one with a token that nobody gave.
func gatewayDecides(ctx context.Context, c call) (call, error) {
	c.token = strings.TrimSpace(gatewayAllowed)
	allowed, err := c.greeted(ctx)
	if err != nil {
		return c, err
	}
	other := c
	other.token = strings.TrimSpace(gatewayDenied)
	other, err = other.greeted(ctx)
	if err != nil {
		return c, err
	}
	unknown := allowed
	unknown.token = "nobody's"
	for _, denied := range []call{other.of(deletes), unknown} {
		if denied.once(ctx) == nil {
			return c, fmt.Errorf("a call of %s that the rules deny went through %s", denied.tool, c.url)
		}
	}
	// The same person may edit, and somebody else delete.
	return allowed, errors.Join(other.once(ctx), allowed.of(deletes).once(ctx), allowed.once(ctx))
}
