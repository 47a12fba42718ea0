// Command identity runs the identity service.
package main

import (
	"context"

	"sallyport/services/identity"
	"sallyport/services/internal/process"
)

func main() {
	var cfg identity.Config
	process.Main("identity", "Signs assistants in: an OAuth authorization server to them, an OAuth client to Atlassian.", &cfg,
		func(_ context.Context, p *process.Process) error { return identity.Start(p, cfg) })
}
