// Command compose brings up deploy/compose.yaml as it is, in a Docker of its own, with images that are made of the
// real programs on this machine and go by the official images' names. It is what `make test-compose` calls.
package main

import (
	"context"
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
	Dir    string `help:"Folder for logs. It is emptied first." default:".run/compose" type:"path"`
	Check  bool   `help:"Only say what this machine lacks for it."`
	Inside bool   `hidden:"" help:"It runs in namespaces of its own already."`
}

const about = `Brings up deploy/compose.yaml with stand-in images, uses it with an MCP client, and looks whether all is there after down and up. It needs root, Docker's daemon (Debian: docker.io), and what make test-compose builds. It runs in a network of its own and leaves nothing behind but the images in the cache.

Exit codes: 0 where all was as it should be, 1 where something wasn't, 2 for a command line that isn't understood, 3 where it can't be found out.`

func main() { os.Exit(start()) }

func start() int {
	var f flags
	kong.Parse(&f, kong.Name("compose"), kong.Description(about), kong.UsageOnError(), kong.Exit(func(code int) {
		if code != 0 {
			code = exitUsage
		}
		os.Exit(code)
	}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	program, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		return exitUnable
	}
	if f.Check {
		err = preflight()
		if err != nil {
			fmt.Fprintln(os.Stderr, "compose:", err)
			return exitUnable
		}
		return 0
	}
	t := newTrial(filepath.Dir(filepath.Dir(program)), f.Dir)
	if !f.Inside {
		err = t.prepare(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, "compose:", err)
			return exitUnable
		}
		return isolated(ctx, program, "--inside", "--dir", f.Dir)
	}
	err = t.run(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "compose: %v (logs: %s)\n", err, f.Dir)
		return exitNo
	}
	t.say("All was as it should be")
	return 0
}
