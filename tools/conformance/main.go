// Command conformance runs the MCP conformance suite against a server directly and through Sallyport,
// and says whether anything passes directly that doesn't through Sallyport. It is what
// `make conformance` calls.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes, those of the command sallyport; 2 is for a command line that isn't understood.
const (
	exitNo     = 1
	exitUsage  = 2
	exitUnable = 3
)

type flags struct {
	Dir  string `help:"Folder for logs and results. It is emptied first." default:".run/conformance" type:"path"`
	JSON bool   `name:"json" help:"The report as JSON."`
}

const about = `Runs the MCP conformance suite against go-sdk's everything-server, directly and through a Sallyport of its own, and compares check by check. Then runs the suite's authorization server scenarios against Sallyport. It needs what make build and make conformance build.

Examples:
  conformance                      # a table, and sentences about what differs
  conformance --json               # for scripts
  conformance --dir /tmp/results   # logs and results elsewhere

Exit codes: 0 where everything that passes directly passes through Sallyport too, 1 where something doesn't, 2 for a command line that isn't understood, 3 where it can't be found out.`

func main() { os.Exit(start()) }

func start() int {
	var f flags
	kong.Parse(&f, kong.Name("conformance"), kong.Description(about), kong.UsageOnError(), kong.Exit(func(code int) {
		if code != 0 {
			code = exitUsage
		}
		os.Exit(code)
	}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	program, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		return exitUnable
	}
	t := trial{root: filepath.Dir(filepath.Dir(program)), dir: f.Dir, progress: os.Stderr}
	result, err := t.run(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("stopped before everything was compared: %w", err)
		}
		fmt.Fprintf(os.Stderr, "conformance: %v (logs: %s)\n", err, f.Dir)
		return exitUnable
	}
	if f.JSON {
		err = json.NewEncoder(os.Stdout).Encode(result)
	} else {
		err = result.print(os.Stdout)
	}
	if err != nil {
		return exitUnable
	}
	fmt.Fprintln(os.Stderr, "Logs and results:", f.Dir)
	if !result.OK {
		return exitNo
	}
	return 0
}
