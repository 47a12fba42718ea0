package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// startTimeout is how long a process may take until it answers, stopTimeout how long until it has ended.
	startTimeout, stopTimeout = 20 * time.Second, 5 * time.Second
	// settleTimeout is how long all records may take to be indexed: after a minute of the most calls, some minutes.
	settleTimeout = 10 * time.Minute
	// activityKey is the stream of what waits to be indexed.
	activityKey = "{sallyport}:activity"
)

// processes are those that the benchmark started itself.
type processes struct {
	log     io.WriteCloser
	running map[string]*exec.Cmd
}

// start starts a program, and returns when something listens at its port.
func (p *processes) start(ctx context.Context, name string, port int, program string, arguments ...string) error {
	command := exec.Command(program, arguments...) //nolint:noctx // it is stopped by stop, in order
	command.Stdout, command.Stderr = p.log, p.log
	err := command.Start()
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	if p.running == nil {
		p.running = map[string]*exec.Cmd{}
	}
	p.running[name] = command
	for started := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return conn.Close()
		}
		if time.Since(started) > startTimeout || ctx.Err() != nil {
			return fmt.Errorf("%s doesn't listen: %w", name, err)
		}
	}
}

func (p *processes) pids() map[string]int {
	all := map[string]int{}
	for name, command := range p.running {
		all[name] = command.Process.Pid
	}
	return all
}

// stop ends all of them.
func (p *processes) stop() {
	for _, command := range p.running {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended
		kill := time.AfterFunc(stopTimeout, func() { _ = command.Process.Kill() })
		_ = command.Wait()
		kill.Stop()
	}
	p.running = nil
}

// startOwn starts the MCP server, the service that does nothing, and an Envoy with all arms in the place of the
// stack's.
func (b *bench) startOwn(ctx context.Context) error {
	public, err := url.Parse(b.site.MCPURL)
	if err != nil {
		return err
	}
	b.host = public.Host
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range []string{"upstream", "noop"} {
		err = b.own.start(ctx, name, b.ports[name], program, name, "--listen", fmt.Sprintf("127.0.0.1:%d", b.ports[name]))
		if err != nil {
			return err
		}
	}
	if b.Run.OPA != "" {
		err = b.startOPA(ctx)
		if err != nil {
			return err
		}
	}
	err = b.startGateways(ctx)
	if err != nil {
		return err
	}
	err = b.startReplicas(ctx)
	if err != nil {
		return err
	}
	extended := filepath.Join(b.Dir, "envoy.json")
	err = extend(filepath.Join(b.stack.RunDir, "envoy.yaml"), extended, b.ports)
	if err == nil {
		err = b.stack.StopPart(ctx, "envoy")
	}
	if err != nil {
		return err
	}
	return b.own.start(ctx, "envoy", b.ports["c"], b.stack.Parts.Envoy, "-c", extended, "--concurrency", "2", "--disable-hot-restart", "--log-level", "warn")
}

// settled waits until every record is indexed.
func (b *bench) settled(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{Addr: b.site.RedisAddr})
	defer func() { _ = client.Close() }()
	for started := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		waiting, err := client.XLen(ctx, activityKey).Result()
		if err != nil {
			return fmt.Errorf("how many records wait: %w", err)
		}
		if waiting == 0 {
			return nil
		}
		if time.Since(started) > settleTimeout {
			return fmt.Errorf("%d records still wait after %s", waiting, settleTimeout)
		}
	}
}

// close stops everything, and removes the stack's data and secrets.
func (b *bench) close() error {
	if b.own.log == nil {
		return nil
	}
	b.own.stop()
	err := b.stack.Down()
	if err == nil {
		err = b.stack.Clean()
	}
	return errors.Join(err, b.own.log.Close())
}

// serving runs one of the benchmark's own servers, and returns its exit code.
func serving(ctx context.Context, server func(context.Context, string) error, listen string) int {
	err := server(ctx, listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return exitUnable
	}
	return 0
}
