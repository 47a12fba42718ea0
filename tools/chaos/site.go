package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"sallyport/tools/signin"
	running "sallyport/tools/site"
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
	*running.Site
	stack  native.Stack
	redis  redis.UniversalClient
	people []oauth2.TokenSource
	log    io.Closer
	// around is what replicas have around them, nil where each part is there once.
	around *surroundings
	// disk is the folder of the small disk that holds the data, empty where there is none.
	disk string
}

// data is where the stack keeps its data.
func (t *trial) data() string { return filepath.Join(t.Dir, "stack", "data") }

// describe is the stack in the trial's folder.
func (t *trial) describe(base native.Ports, out io.Writer) native.Stack {
	return native.Stack{Root: t.root, RunDir: filepath.Join(t.Dir, "stack"), Ports: base, Fsync: t.Fsync, Out: out}
}

// open starts a Sallyport as a fault needs it, unless it runs already.
func (t *trial) open(ctx context.Context, f fault) error {
	if t.site != nil && t.built.limit == f.limit && t.built.disk == f.disk && t.built.failover == f.failover && t.built.replicas == f.replicas {
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
	base, err := native.FreePorts(firstBase, lastBase, append(native.FailoverPorts(), native.ReplicaPorts()...)...)
	if err != nil {
		return err
	}
	stack := t.describe(base, log)
	stack.Atlassian, stack.Failover, stack.Replicas = native.StandIn(base), f.failover, f.replicas
	if f.replicas > 1 {
		stack.Before = t.Before
	}
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
	t.site, t.built = site, f
	t.say("Starting a Sallyport")
	err = stack.Preflight()
	if err == nil && f.replicas > 1 {
		site.around, err = surround(ctx, stack)
	}
	if err == nil {
		err = stack.Up(ctx)
	}
	if err != nil {
		return err
	}
	return t.site.signIn(ctx, t.root)
}

// signIn reads where everything is, puts the policy in force, and signs everybody in.
func (s *site) signIn(ctx context.Context, root string) error {
	at, err := running.Read(root, s.stack.RunDir)
	if err != nil {
		return err
	}
	s.Site = at
	s.redis = s.openRedis()
	err = at.Apply(ctx, policy)
	if err != nil {
		return err
	}
	for _, email := range emails {
		source, err := signin.In(ctx, at.MCPURL, "Sallyport chaos", email)
		if err != nil {
			return fmt.Errorf("signing %s in: %w", email, err)
		}
		s.people = append(s.people, source)
	}
	return nil
}

// openRedis finds Redis as the services do.
func (s *site) openRedis() redis.UniversalClient {
	options := &redis.UniversalOptions{Addrs: s.stack.RedisAddresses(), DialTimeout: time.Second, MaxRetries: -1}
	switch s.stack.Failover {
	case native.Sentinel:
		options.MasterName = native.SentinelMaster
	case native.Cluster:
		cluster := options.Cluster()
		cluster.ClusterStateReloadInterval = time.Second
		return redis.NewClusterClient(cluster)
	}
	return redis.NewUniversalClient(options)
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
	if s.around != nil {
		err = errors.Join(err, s.around.close())
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
