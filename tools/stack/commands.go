package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"sallyport/tools/stack/native"
	"sallyport/tools/stack/parts"
)

type upCommand struct{}

func (upCommand) Run(ctx context.Context, f *flags) error {
	stack, err := prepare(ctx, f)
	if err != nil {
		return err
	}
	return stack.Up(ctx)
}

type runCommand struct{}

func (runCommand) Run(ctx context.Context, f *flags) error {
	stack, err := prepare(ctx, f)
	if err != nil {
		return err
	}
	return stack.Run(ctx)
}

// prepare finds out what is in the way before anything is fetched, which can take a minute.
func prepare(ctx context.Context, f *flags) (native.Stack, error) {
	stack, err := f.stack()
	if err != nil {
		return native.Stack{}, err
	}
	fmt.Fprintln(stack.Out, "Starting Sallyport")
	err = stack.Preflight()
	if err != nil {
		return native.Stack{}, err
	}
	stack.Parts, err = parts.Ensure(ctx, stack.Out)
	return stack, err
}

type downCommand struct{}

func (downCommand) Run(f *flags) error {
	stack, err := f.stack()
	if err != nil {
		return err
	}
	return stack.Down()
}

type cleanCommand struct{}

func (cleanCommand) Run(f *flags) error {
	stack, err := f.stack()
	if err != nil {
		return err
	}
	return stack.Clean()
}

type watchCommand struct{}

func (watchCommand) Run(ctx context.Context, f *flags) error {
	stack, err := f.stack()
	if err != nil {
		return err
	}
	return stack.Watch(ctx)
}

type partsCommand struct {
	JSON bool `name:"json" help:"As JSON, as parts.json in the cache has it."`
}

func (p partsCommand) Run(ctx context.Context) error {
	paths, err := parts.Ensure(ctx, os.Stderr)
	if err != nil {
		return err
	}
	if p.JSON {
		return json.NewEncoder(os.Stdout).Encode(paths)
	}
	fmt.Printf("Envoy          %s\nRedis          %s\nElasticsearch  %s\nJava           %s\n",
		paths.Envoy, paths.RedisServer, paths.ElasticsearchHome, paths.JavaHome)
	return nil
}
