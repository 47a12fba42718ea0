// Command authz runs the service that decides each request.
package main

import (
	"context"

	"sallyport/services/authz"
	"sallyport/services/internal/process"
)

func main() {
	var cfg authz.Config
	process.Main("authz", "Decides each MCP request by the policy, writes the decision down, and puts the person's Atlassian token in.", &cfg,
		func(ctx context.Context, p *process.Process) error { return authz.Start(ctx, p, cfg) })
}
