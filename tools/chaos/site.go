package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"sallyport/tools/signin"
	"sallyport/tools/stack/native"
	"sallyport/tools/stack/parts"
)

// The ports of the first stack that is tried, and of the last. They are far from those of `make run`
// and of the other tests.
const firstBase, lastBase native.Ports = 20800, 21700

// note is what tells in an answer that the rule of the trial blocked a call.
const note = "chaos never creates an issue"

const policy = `default: allow
rules:
  - operation: createJiraIssue
    effect: deny
    note: ` + note + `
`

// emails are those of the people who call, all of whom the stand-in knows.
var emails = []string{"ana@acme.test", "bo@acme.test", "cy@acme.test"}

// site is a running Sallyport and the people who are signed in.
type site struct {
	stack  native.Stack
	redis  *redis.Client
	people []oauth2.TokenSource
	log    io.Closer

	mcpURL, elastic, switches string
	// disk is the folder of the small disk that holds the data, empty where there is none.
	disk string
	// command runs bin/sallyport as an administrator.
	command func(ctx context.Context, arguments ...string) ([]byte, error)
}

// data is where the stack keeps its data.
func (t *trial) data() string { return filepath.Join(t.Dir, "stack", "data") }

// describe is the stack in the trial's folder.
func (t *trial) describe(base native.Ports, out io.Writer) native.Stack {
	return native.Stack{Root: t.root, RunDir: filepath.Join(t.Dir, "stack"), Ports: base, Fsync: t.Fsync, Out: out}
}

// open starts a Sallyport as a fault needs it, unless it runs already.
func (t *trial) open(ctx context.Context, f fault) error {
	if t.site != nil && t.limit == f.limit && t.disk == f.disk {
		return nil
	}
	err := t.close()
	if err != nil {
		return err
	}
	// The supervisor hands its environment to the parts.
	err = os.Unsetenv("SALLYPORT_STREAM_LIMIT")
	if f.limit > 0 {
		err = os.Setenv("SALLYPORT_STREAM_LIMIT", fmt.Sprint(f.limit))
	}
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(t.Dir, "stack.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	base, err := native.FreePorts(firstBase, lastBase)
	if err != nil {
		return err
	}
	stack := t.describe(base, log)
	stack.Atlassian = native.StandIn(base)
	stack.Parts, err = parts.Ensure(ctx, t.progress)
	if err != nil {
		return err
	}
	site := &site{stack: stack, log: log}
	if f.disk > 0 {
		site.disk = t.data()
		err = mount(ctx, site.disk, f.disk)
		if err != nil {
			return err
		}
	}
	t.site, t.limit, t.disk = site, f.limit, f.disk
	t.say("Starting a Sallyport")
	err = stack.Preflight()
	if err == nil {
		err = stack.Up(ctx)
	}
	if err != nil {
		return err
	}
	return t.site.signIn(ctx, t.root, t.Dir)
}

// signIn reads where everything is, puts the policy in force, and signs everybody in.
func (s *site) signIn(ctx context.Context, root, dir string) error {
	var at struct {
		MCPURL         string `json:"mcp_url"`
		AdminGRPC      string `json:"admin_grpc"`
		AdminTokenFile string `json:"admin_token_file"`
		Elasticsearch  string `json:"elasticsearch_url"`
		Redis          string `json:"redis_addr"`
		Switches       string `json:"atlassian_switches_url"`
	}
	text, err := os.ReadFile(filepath.Join(s.stack.RunDir, "state.json"))
	if err != nil {
		return err
	}
	err = json.Unmarshal(text, &at)
	if err != nil {
		return err
	}
	s.mcpURL, s.elastic, s.switches = at.MCPURL, at.Elasticsearch, at.Switches
	s.redis = redis.NewClient(&redis.Options{Addr: at.Redis, DialTimeout: time.Second, MaxRetries: -1})
	s.command = func(ctx context.Context, arguments ...string) ([]byte, error) {
		command := exec.CommandContext(ctx, filepath.Join(root, "bin", "sallyport"),
			append(arguments, "--server", at.AdminGRPC, "--token-file", at.AdminTokenFile)...)
		out, err := command.Output()
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(failed.Stderr)))
		}
		return out, err
	}
	file := filepath.Join(dir, "policy.yaml")
	err = os.WriteFile(file, []byte(policy), 0o644)
	if err != nil {
		return err
	}
	_, err = s.command(ctx, "policy", "apply", file)
	if err != nil {
		return fmt.Errorf("putting a policy in force: %w", err)
	}
	for _, email := range emails {
		source, err := signin.In(ctx, s.mcpURL, "Sallyport chaos", email)
		if err != nil {
			return fmt.Errorf("signing %s in: %w", email, err)
		}
		s.people = append(s.people, source)
	}
	return nil
}

// close stops what runs, and removes its data and secrets. Its logs are kept.
func (t *trial) close() error {
	if t.site == nil {
		return nil
	}
	t.say("Stopping")
	s := t.site
	t.site = nil
	err := s.stack.Down()
	if s.redis != nil {
		err = errors.Join(err, s.redis.Close())
	}
	if err != nil {
		return err
	}
	err = unmount(t.data())
	if err != nil {
		return err
	}
	err = os.MkdirAll(filepath.Join(t.Dir, "logs"), 0o755)
	if err != nil {
		return err
	}
	err = os.Rename(filepath.Join(s.stack.RunDir, "logs"), filepath.Join(t.Dir, "logs", time.Now().Format("150405")))
	return errors.Join(err, s.stack.Clean(), s.log.Close())
}
