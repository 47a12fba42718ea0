// Command stack runs Sallyport on one machine, without Docker and without root. It is what
// `make run`, `make up` and `make down` call.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

const about = `Runs Sallyport on this machine.

Examples:
  stack run                                   # start, watch, Ctrl-C to stop
  PORT_BASE=9800 stack up                     # in the background, on other ports
  stack up --run-dir /tmp/second              # a second one (with a PORT_BASE of its own)
  ATLASSIAN=rovo stack run                    # with Atlassian's real server
  MCP_UPSTREAM=http://127.0.0.1:9000/mcp stack run   # calls go to a server of your own
  stack parts --json                          # where the native parts are, for scripts
  stack down                                  # stop`

func main() {
	var f flags
	chosen := kong.Parse(&f, kong.Name("stack"), kong.Description(about), kong.UsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	chosen.BindTo(ctx, (*context.Context)(nil))
	err := chosen.Run(&f)
	if errors.Is(err, context.Canceled) {
		err = errors.New("stopped before everything was ready")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}
