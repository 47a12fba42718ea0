// Command chaos breaks a Sallyport of its own, part by part, while people's assistants call through it,
// and then compares what was answered, what reached Atlassian and what is recorded. It is what
// `make chaos` calls.
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

const about = `Breaks a Sallyport of its own while people's assistants call through it, and shows that every call that was answered, and every call that reached Atlassian, has exactly one record. It needs what make build makes.

Examples:
  chaos                                 # every fault once
  chaos --quick                         # the same in about ten minutes
  chaos --fault redis --runs 10         # one fault, ten times
  chaos --fault redis --seed 1748       # the same moments again
  chaos --fault elasticsearch --away 1h # Elasticsearch away for an hour

Exit codes: 0 where nothing was lost and nothing is twice, 1 where something was, 2 for a command line that isn't understood, 3 where it can't be found out.`

func main() { os.Exit(start()) }

func start() int {
	var f flags
	kong.Parse(&f, kong.Name("chaos"), kong.Description(about), kong.UsageOnError(), kong.Exit(func(code int) {
		if code != 0 {
			code = exitUsage
		}
		os.Exit(code)
	}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	program, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return exitUnable
	}
	t := newTrial(f, filepath.Dir(filepath.Dir(program)))
	results, err := t.run(ctx)
	if f.JSON {
		_ = json.NewEncoder(os.Stdout).Encode(results) // whoever reads it has gone where this fails
	} else {
		printTable(os.Stdout, results)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v (logs: %s)\n", err, f.Dir)
		return exitUnable
	}
	fmt.Fprintln(os.Stderr, "Logs:", filepath.Join(f.Dir, "logs"))
	for _, r := range results {
		if !r.OK() {
			return exitNo
		}
	}
	return 0
}
