package native

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrRunning means that this stack runs already.
var ErrRunning = errors.New("Sallyport is already running here; `make down` stops it")

// Up starts everything in the background and returns when all of it is ready. If it doesn't come
// to that, it stops what it has started.
func (s Stack) Up(ctx context.Context) error {
	if s.supervisor() != 0 {
		return ErrRunning
	}
	err := s.Ports.check()
	if err != nil {
		return err
	}
	err = s.prepare()
	if err != nil {
		return err
	}
	err = s.start()
	if err != nil {
		return err
	}
	all, err := s.waitReady(ctx)
	if err == nil {
		err = s.writeState(ctx, s.pids(all))
	}
	if err != nil {
		return errors.Join(err, s.stop())
	}
	s.welcome()
	return nil
}

// Run is Up, and then waits until ctx ends, and stops everything. It returns earlier, with the
// reason, if a part dies for good.
func (s Stack) Run(ctx context.Context) error {
	err := s.Up(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out, "\nCtrl-C stops everything.")
	err = s.watch(ctx)
	fmt.Fprintln(s.Out, "\nStopping. What is recorded is kept.")
	return errors.Join(err, s.stop())
}

// watch keeps the process ids in state.json true while parts are restarted.
func (s Stack) watch(ctx context.Context) error {
	last := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		if s.supervisor() == 0 {
			return fmt.Errorf("process-compose has stopped: %s", s.lastLine("process-compose.out"))
		}
		all, err := s.list(ctx)
		if err != nil {
			continue // it is asked again in a second, and its end is noticed above
		}
		pids := s.pids(all)
		if now := fmt.Sprint(pids); now != last {
			last = now
			err = s.writeState(ctx, pids)
			if err != nil && ctx.Err() == nil {
				fmt.Fprintln(s.Out, err)
			}
		}
	}
}

// Down stops what Up or Run started.
func (s Stack) Down() error {
	if s.supervisor() == 0 {
		fmt.Fprintln(s.Out, "Nothing is running here.")
		return nil
	}
	fmt.Fprintln(s.Out, "Stopping. What is recorded is kept.")
	return s.stop()
}

func (s Stack) welcome() {
	url := s.Ports.publicURL()
	fmt.Fprintf(s.Out, `
Sallyport is ready.

  MCP server URL   %[1]s/mcp
  callback URL     %[1]s/mcp/callback
  admin API        http://localhost:%[2]d   (token: %[3]s)
  logs             %[4]s

  Connect Claude Code:   claude mcp add --transport http sallyport %[1]s/mcp
  See how it is:         bin/sallyport status
  See what was done:     bin/sallyport log
  Change the rules:      bin/sallyport policy get > policy.yaml, edit, bin/sallyport policy apply policy.yaml
`, url, s.Ports.port(console), s.secret(adminToken), s.path("logs"))
	if !s.Atlassian.real {
		fmt.Fprintln(s.Out, "\n  Atlassian is a stand-in on this machine. Sign in as ana@acme.test, bo@acme.test or cy@acme.test.")
	}
}
