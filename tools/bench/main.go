// Command bench measures what Sallyport adds to a call, beside an Envoy that does less and less. It is what
// `make bench` calls.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes, those of the command sallyport.
const (
	exitUsage  = 2
	exitUnable = 3
)

const about = `Measures what Sallyport adds to a call. One Envoy has a listener for each arm, and the arms take turns: Envoy alone (a), with an access log (b), with an ext_authz service that allows everything (c), and Sallyport whole with 10 and 1,000 rules (d, d1000), and with 10 while Elasticsearch stands still (e). With --opa, opa-envoy-plugin takes turns too, as the ext_authz service with the same 10 rules in Rego (tools/bench/opa). Everything is on this machine's loopback, and shares its cores with what measures. It needs what make build makes, and a machine that does nothing else.

Examples:
  bench                                   # everything, about half an hour
  bench --sizes 4096 --no-stream          # one size of body
  bench --each 3s --rounds 1 --arms c,d   # for a look after a change
  bench --opa ./opa-envoy-plugin          # that program beside Sallyport
  bench --json > before.json

Exit codes: 0 measured, 2 for a command line that isn't understood, 3 where it can't be measured.`

func main() { os.Exit(start()) }

func start() int {
	var f flags
	parsed := kong.Parse(&f, kong.Name("bench"), kong.Description(about), kong.UsageOnError(), kong.Exit(func(code int) {
		if code != 0 {
			code = exitUsage
		}
		os.Exit(code)
	}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	switch parsed.Command() {
	case "upstream":
		return serving(ctx, serveUpstream, f.Upstream.Listen)
	case "noop":
		return serving(ctx, serveNoop, f.Noop.Listen)
	}
	program, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return exitUnable
	}
	b := &bench{flags: f, root: filepath.Dir(filepath.Dir(program)), progress: os.Stderr, started: time.Now()}
	results, err := b.run(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v (logs: %s)\n", err, f.Dir)
		return exitUnable
	}
	if f.JSON {
		_ = json.NewEncoder(os.Stdout).Encode(results) // whoever reads it has gone where this fails
	} else {
		printTables(os.Stdout, results)
	}
	return 0
}
