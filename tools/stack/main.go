// Command stack runs Sallyport on one machine, without Docker and without root. It is what
// `make run`, `make up` and `make down` call.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"sallyport/tools/stack/native"
	"sallyport/tools/stack/parts"
)

type flags struct {
	RunDir    string `help:"Folder for data, logs, secrets and state.json." default:".run" type:"path"`
	PortBase  string `help:"First of the ports." env:"PORT_BASE" placeholder:"8800"`
	Atlassian string `help:"Leave out for the stand-in, or rovo for Atlassian's real server." env:"ATLASSIAN" placeholder:"rovo"`

	Up    struct{} `cmd:"" help:"Start in the background and return when everything is ready."`
	Run   struct{} `cmd:"" help:"Start, and stay in the foreground until Ctrl-C."`
	Down  struct{} `cmd:"" help:"Stop what up or run started."`
	Parts struct{} `cmd:"" help:"Fetch Envoy, Valkey and Elasticsearch, and say where they are."`
}

const about = `Runs Sallyport on this machine.

Examples:
  stack run                                   # start, watch, Ctrl-C to stop
  PORT_BASE=9800 stack up                     # in the background, on other ports
  ATLASSIAN=rovo stack run                    # with Atlassian's real server
  stack down                                  # stop`

func main() {
	var f flags
	chosen := kong.Parse(&f, kong.Name("stack"), kong.Description(about), kong.UsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, f, chosen.Command())
	if errors.Is(err, context.Canceled) {
		err = errors.New("stopped before everything was ready")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags, command string) error {
	if command == "parts" {
		paths, err := parts.Ensure(ctx, os.Stderr)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(paths)
	}
	ports, err := native.ParsePorts(f.PortBase)
	if err != nil {
		return err
	}
	atlassian, err := native.ParseAtlassian(f.Atlassian, ports)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	stack := native.Stack{Root: filepath.Dir(filepath.Dir(program)), RunDir: f.RunDir, Ports: ports, Atlassian: atlassian, Out: os.Stdout}
	if command == "down" {
		return stack.Down()
	}
	fmt.Fprintln(stack.Out, "Starting Sallyport")
	stack.Parts, err = parts.Ensure(ctx, stack.Out)
	if err != nil {
		return err
	}
	if command == "up" {
		return stack.Up(ctx)
	}
	return stack.Run(ctx)
}
