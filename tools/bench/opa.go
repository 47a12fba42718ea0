package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
)

// The tokens of opa/people.yaml: of somebody who may do what is called, and of one who may not delete.
const (
	opaAllowed = "opa-token-of-ana-3ykT0vVfGq1mC7xZr9LwPbN5A2sHdE8u"
	opaDenied  = "opa-token-of-bo-8QeR4uWnJc6yB2pMt0KzXfV7S1gDhLa9"
)

// startOPA starts opa-envoy-plugin with the rules of the folder opa. It writes no log of its decisions, with which
// it would be slower, and asks nobody for its updates.
func (b *bench) startOPA(ctx context.Context) error {
	address, own := fmt.Sprintf("127.0.0.1:%d", b.ports["opa ext_authz"]), fmt.Sprintf("127.0.0.1:%d", b.ports["opa HTTP"])
	folder := filepath.Join(b.root, "tools", "bench", "opa")
	return b.own.start(ctx, "opa", b.ports["opa ext_authz"], b.Run.OPA, "run", "--server", "--disable-telemetry", "--log-level", "error", "--addr", own,
		"--set", "plugins.envoy_ext_authz_grpc.addr="+address, "--set", "plugins.envoy_ext_authz_grpc.path=sallyport/allow",
		filepath.Join(folder, "policy.rego"), filepath.Join(folder, "people.yaml"))
}

// opaDecides returns an error unless opa-envoy-plugin blocks what the rules deny: a call that deletes, of somebody
// in a team that may not, and one with a token that nobody has.
func opaDecides(ctx context.Context, c call) error {
	denied, unknown := c.of(deletes), c
	denied.token, unknown.token = opaDenied, "nobody's"
	for _, d := range []call{denied, unknown} {
		status, _, text, err := d.send(ctx)
		if err != nil {
			return err
		}
		if status != http.StatusForbidden {
			return fmt.Errorf("a call of %s that the rules of opa-envoy-plugin deny was answered %d with %.300s", d.tool, status, text)
		}
	}
	// The same person may edit, and somebody else delete.
	edits, deletes := c, c.of(deletes)
	edits.token = opaDenied
	return errors.Join(edits.once(ctx), deletes.once(ctx))
}
