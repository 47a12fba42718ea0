package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sallyport/tools/stack/native"
	"sallyport/tools/stack/parts"
)

// The ports of the first stack that is tried, and of the last. They are far from those of `make run`
// and of the end-to-end tests.
const firstBase, lastBase = 18800, 19700

// Counted from the base like the stack's own.
const (
	serverPort = 50 + iota
	callbackPort
)

// serverPath is where a server's MCP endpoint is.
const serverPath = "/mcp"

// running is the stack, as its state.json has it.
type running struct {
	MCPURL         string `json:"mcp_url"`
	AdminGRPC      string `json:"admin_grpc"`
	AdminTokenFile string `json:"admin_token_file"`
}

// stack is the one that lives in the trial's folder.
func (t *trial) stack(out io.Writer) native.Stack {
	return native.Stack{Root: t.root, RunDir: filepath.Join(t.dir, "stack"), Ports: t.base, Out: out}
}

// describeStack finds free ports, and the parts that the stack needs.
func (t *trial) describeStack(ctx context.Context, log io.Writer) (native.Stack, error) {
	var err error
	t.base, err = native.FreePorts(firstBase, lastBase, serverPort, callbackPort)
	if err != nil {
		return native.Stack{}, err
	}
	s := t.stack(log)
	s.Atlassian, err = native.StandIn(t.base).WithUpstream("http://" + t.address(serverPort) + serverPath)
	if err != nil {
		return native.Stack{}, err
	}
	s.Parts, err = parts.Ensure(ctx, t.progress)
	return s, err
}

func (t *trial) address(offset int) string { return fmt.Sprintf("127.0.0.1:%d", int(t.base)+offset) }

// start starts the stack, and puts a policy in force that allows everything.
func (t *trial) start(ctx context.Context, stack native.Stack) error {
	err := stack.Preflight()
	if err != nil {
		return err
	}
	err = stack.Up(ctx)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(stack.RunDir, "state.json"))
	if err != nil {
		return err
	}
	err = json.Unmarshal(text, &t.sallyport)
	if err != nil {
		return err
	}
	policy := filepath.Join(t.dir, "policy.yaml")
	err = os.WriteFile(policy, []byte("default: allow\n"), 0o644)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, filepath.Join(t.root, "bin", "sallyport"), "policy", "apply", policy,
		"--server", t.sallyport.AdminGRPC, "--token-file", t.sallyport.AdminTokenFile)
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("putting a policy in force: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// stop stops the stack and removes its data and secrets. Its logs are kept.
func (t *trial) stop(stack native.Stack) error {
	fmt.Fprintln(t.progress, "Stopping")
	err := stack.Down()
	if err != nil {
		return err
	}
	err = os.Rename(filepath.Join(stack.RunDir, "logs"), filepath.Join(t.dir, "logs"))
	if errors.Is(err, os.ErrNotExist) {
		err = nil // it hasn't come to logs
	}
	return errors.Join(err, stack.Clean())
}

// serve starts everything-server, and returns when it listens.
func (t *trial) serve(ctx context.Context, log io.Writer, stateless string) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	command := exec.CommandContext(ctx, filepath.Join(t.root, "bin", "everything-server"), "-http="+t.address(serverPort), stateless)
	command.Stdout, command.Stderr = log, log
	// Should this program be killed, the next one stops it with the rest of the stack.
	command.Env = append(os.Environ(), native.StackVariable+"="+t.stack(log).RunDir)
	err = command.Start()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("starting everything-server, which `make conformance` builds: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", t.address(serverPort))
		if err == nil {
			_ = connection.Close()
			return stop, nil
		}
		select {
		case <-ended:
			cancel()
			return nil, errors.New("everything-server has ended at once: see its log")
		default:
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			stop()
			return nil, fmt.Errorf("everything-server doesn't answer: %w", err)
		}
	}
}
