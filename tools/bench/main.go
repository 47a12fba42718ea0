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
	exitGrows  = 1
	exitUsage  = 2
	exitUnable = 3
)

const about = `Measures what Sallyport adds to a call. One Envoy has a listener for each arm, and the arms take turns: Envoy alone (a), with an access log (b), with an ext_authz service that allows everything (c), and Sallyport whole with 10 and 1,000 rules (d, d1000; d100 if it is asked for), and with 10 while Elasticsearch stands still (e). With --opa, opa-envoy-plugin takes turns too, as the ext_authz service with the same 10 rules in Rego (tools/bench/opa). The arms d2 and d4 are d with two and four processes of authz. Everything is on this machine's loopback, and shares its cores with what measures. It needs what make build makes, and a machine that does nothing else.

Examples:
  bench                                   # everything, about half an hour
  bench --sizes 4096 --no-stream          # one size of body
  bench --each 3s --rounds 1 --arms c,d   # for a look after a change
  bench --opa ./opa-envoy-plugin          # that program beside Sallyport
  bench --arms d,d2,d4 --no-stream        # more processes of authz
  bench --json > before.json

bench soak calls at half of the most calls a second for 40 minutes while policies are saved, connections ended and made anew, and groups changed, and says what of memory, goroutines, descriptors, waiting records and latency grows.

Exit codes: 0 measured, 1 where something grew or failed during a soak, 2 for a command line that isn't understood, 3 where it can't be measured.`

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
	if parsed.Command() == "soak" {
		return startSoak(ctx, b)
	}
	results, err := b.run(ctx)
	if err != nil {
		return unable(b, err)
	}
	if f.JSON {
		printJSON(results)
	} else {
		printTables(os.Stdout, results)
	}
	return 0
}

func startSoak(ctx context.Context, b *bench) int {
	came, err := b.soak(ctx)
	if err != nil {
		return unable(b, err)
	}
	if b.JSON {
		printJSON(came)
	} else {
		came.print(os.Stdout)
	}
	if !came.OK() {
		return exitGrows
	}
	return 0
}

func unable(b *bench, err error) int {
	fmt.Fprintf(os.Stderr, "bench: %v (logs: %s)\n", err, b.Dir)
	return exitUnable
}

func printJSON(results any) {
	_ = json.NewEncoder(os.Stdout).Encode(results) // whoever reads it has gone where this fails
}
