package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// startReplicas starts as many more processes of authz as the arms need, each with the command line of the stack's
// but for where it listens.
func (b *bench) startReplicas(ctx context.Context) error {
	line, err := b.commandLine(ctx, "authz")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(after(line, "--listen"))
	if err != nil {
		return fmt.Errorf("where authz listens: %w", err)
	}
	b.ports["authz"], err = strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("where authz listens: %w", err)
	}
	for n := 2; b.ports[replicaName(n)] != 0; n++ {
		name := replicaName(n)
		own := slices.Clone(line)
		for flag, port := range map[string]int{"--listen": b.ports[name], "--ops-listen": b.ports[name+" ops"]} {
			own[slices.Index(own, flag)+1] = fmt.Sprintf("127.0.0.1:%d", port)
		}
		err = b.own.start(ctx, name, b.ports[name], own[0], own[1:]...)
		if err != nil {
			return err
		}
	}
	return nil
}

// commandLine is how a part of the stack was started.
func (b *bench) commandLine(ctx context.Context, part string) ([]string, error) {
	pids, err := b.stack.PIDs(ctx)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pids[part]))
	if err != nil {
		return nil, fmt.Errorf("how %s was started: %w", part, err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), nil
}

// after is the value of a flag.
func after(line []string, flag string) string {
	i := slices.Index(line, flag)
	if i < 0 || i+1 == len(line) {
		return ""
	}
	return line[i+1]
}
