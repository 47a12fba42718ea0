// Command admin runs the admin service.
package main

import (
	"context"

	"sallyport/services/admin"
	"sallyport/services/internal/process"
)

func main() {
	var cfg admin.Config
	process.Main("admin", "Answers the console and the CLI: the policy, what assistants did, and how Sallyport is.", &cfg,
		func(ctx context.Context, p *process.Process) error { return admin.Start(ctx, p, cfg) })
}
