package native

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Up starts everything in the background, after Preflight, and returns when all of it is ready. If
// it doesn't come to that, it stops what it has started.
func (s Stack) Up(ctx context.Context) error {
	err := s.prepare()
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
	link, err := s.firstLink(ctx)
	s.welcome()
	switch {
	case err != nil:
		fmt.Fprintln(s.Out, "\n  No link for the first admin was made; make one by: bin/sallyport first-link")
	case link != "":
		fmt.Fprintf(s.Out, "\n  Become admin (works once, for a day):\n  %s\n", link)
	}
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
	err = s.guard(ctx)
	fmt.Fprintln(s.Out, "\nStopping. What is recorded is kept.")
	return errors.Join(err, s.stop())
}

// Down stops what Up or Run started.
func (s Stack) Down() error {
	if s.supervisor() == 0 && len(s.orphans()) == 0 {
		fmt.Fprintln(s.Out, "Nothing is running here.")
		s.forget()
		return nil
	}
	fmt.Fprintln(s.Out, "Stopping. What is recorded is kept.")
	return s.stop()
}

// Clean removes everything that the stack has written: records, policy, secrets and logs.
func (s Stack) Clean() error {
	if s.supervisor() != 0 {
		return errors.New("Sallyport is running here: stop it with `make down` before you remove its records")
	}
	for _, folder := range []string{s.elasticHome(), s.RunDir} {
		err := os.RemoveAll(folder)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.Out, "Removed", folder)
	}
	return nil
}

func (s Stack) welcome() {
	url := s.Ports.publicURL()
	fmt.Fprintf(s.Out, `
Sallyport is ready.

  MCP server URL   %[1]s/mcp
  callback URL     %[1]s/mcp/callback
  console          http://localhost:%[2]d
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
	if s.Atlassian.upstream != "" {
		fmt.Fprintf(s.Out, "\n  Calls go to %s, with the Atlassian token of the person who makes them.\n", s.Atlassian.upstream)
	}
}
