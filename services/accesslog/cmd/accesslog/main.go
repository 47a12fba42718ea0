// Command accesslog runs the access log service.
package main

import (
	"context"

	"sallyport/services/accesslog"
	"sallyport/services/internal/process"
)

func main() {
	var cfg accesslog.Config
	process.Main("accesslog", "Joins Envoy's access log with the decisions and indexes both into Elasticsearch.", &cfg,
		func(ctx context.Context, p *process.Process) error { return accesslog.Start(ctx, p, cfg) })
}
