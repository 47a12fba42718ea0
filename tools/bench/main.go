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
		return b.startSoak(ctx)
	}
	results, err := b.run(ctx)
	if err != nil {
		return b.unable(err)
	}
	if f.JSON {
		printJSON(results)
	} else {
		printTables(os.Stdout, b.Run.arms(), results)
	}
	return 0
}

// unable says what it couldn't do, and returns the exit code for that.
func (b *bench) unable(err error) int {
	fmt.Fprintf(os.Stderr, "bench: %v (logs: %s)\n", err, b.Dir)
	return exitUnable
}

// printJSON prints results for scripts.
func printJSON(results any) {
	_ = json.NewEncoder(os.Stdout).Encode(results) // whoever reads it has gone where this fails
}
