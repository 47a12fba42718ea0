package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"sallyport/tools/signin"
	"sallyport/tools/stack/native"
)

// revisions are those of MCP that the suite has requirements for, with the flag that makes
// everything-server keep sessions or not: 2025-11-25 is to be tested with them, and the later one has none.
var revisions = []struct{ name, stateless string }{
	{"2025-11-25", "-stateless=false"},
	{"2026-07-28", "-stateless=true"},
}

// trial is one comparison.
type trial struct {
	// root is the top of the work tree, dir the folder for logs and results.
	root, dir string
	// progress is where people read how far it is.
	progress io.Writer

	suite     suite
	base      native.Ports
	sallyport running
	// token is the access token of somebody who is signed in.
	token string
}

// run compares, and stops all that it has started, whatever happens.
func (t *trial) run(ctx context.Context) (result report, err error) {
	unlock, err := t.prepare()
	if err != nil {
		return report{}, err
	}
	defer unlock()
	err = t.step(ctx, "Fetching the conformance suite, if it isn't in the cache", func() error {
		t.suite, err = installSuite(ctx)
		return err
	})
	if err != nil {
		return report{}, err
	}
	log, err := os.Create(filepath.Join(t.dir, "stack.log"))
	if err != nil {
		return report{}, err
	}
	defer log.Close()
	stack, err := t.describeStack(ctx, log)
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, t.stop(stack)) }()
	err = t.step(ctx, "Starting a Sallyport in front of everything-server", func() error { return t.start(ctx, stack) })
	if err != nil {
		return report{}, err
	}
	err = t.step(ctx, "Signing "+someone+" in", func() error {
		source, err := signin.In(ctx, t.sallyport.MCPURL, assistant, someone)
		if err != nil {
			return err
		}
		token, err := source.Token()
		if err != nil {
			return err
		}
		t.token = token.AccessToken
		return nil
	})
	if err != nil {
		return report{}, err
	}
	return t.measure(ctx)
}

// measure runs everything against the stack that is up.
func (t *trial) measure(ctx context.Context) (result report, err error) {
	for _, one := range revisions {
		var compared revision
		err = t.step(ctx, "Running the suite for "+one.name+", directly and through Sallyport", func() error {
			compared, err = t.compare(ctx, one.name, one.stateless)
			return err
		})
		if err != nil {
			return report{}, err
		}
		result.Revisions = append(result.Revisions, compared)
	}
	for _, alone := range []struct {
		what string
		do   func(context.Context) ([]scenario, error)
	}{{"Running the authorization server scenarios", t.authorize}, {"Watching a stream", t.stream}} {
		var scenarios []scenario
		err = t.step(ctx, alone.what, func() error {
			scenarios, err = alone.do(ctx)
			return err
		})
		if err != nil {
			return report{}, err
		}
		for _, s := range scenarios {
			result.add(s)
		}
	}
	result.OK = result.passes()
	return result, nil
}

// prepare empties the folder, and stops what an interrupted comparison has left there.
func (t *trial) prepare() (unlock func(), err error) {
	err = os.MkdirAll(t.dir, 0o755)
	if err != nil {
		return nil, err
	}
	lock, err := os.Create(filepath.Join(t.dir, "lock"))
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		lock.Close()
		return nil, errors.New("another comparison runs in this folder: wait for its end, or choose another by --dir")
	}
	left := t.stack(io.Discard)
	err = errors.Join(left.Down(), left.Clean())
	entries, readErr := os.ReadDir(t.dir)
	err = errors.Join(err, readErr)
	for _, entry := range entries {
		if entry.Name() != "lock" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(t.dir, entry.Name())))
		}
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return func() { lock.Close() }, nil
}

// step says what is done now, and every five seconds that it still is.
func (t *trial) step(ctx context.Context, what string, do func() error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	started := time.Now()
	fmt.Fprintln(t.progress, what)
	ended := make(chan struct{})
	said := make(chan struct{})
	go func() {
		defer close(said)
		ticker := time.NewTicker(5 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				fmt.Fprintf(t.progress, "  %.0f s\n", time.Since(started).Seconds())
			}
		}
	}()
	err := do()
	close(ended)
	<-said
	if err == nil {
		fmt.Fprintf(t.progress, "  done in %.1f s\n", time.Since(started).Seconds())
	}
	return err
}

// compare runs the suite for one revision twice, directly and through Sallyport.
func (t *trial) compare(ctx context.Context, name, stateless string) (revision, error) {
	log, err := os.Create(filepath.Join(t.dir, name+"-everything-server.log"))
	if err != nil {
		return revision{}, err
	}
	defer log.Close()
	stop, err := t.serve(ctx, log, stateless)
	if err != nil {
		return revision{}, err
	}
	defer stop()
	direct, conforms, err := t.suite.testServer(ctx, filepath.Join(t.dir, name+"-direct"), "http://"+t.address(serverPort)+serverPath, name)
	if err != nil {
		return revision{}, err
	}
	if !conforms {
		return revision{}, fmt.Errorf("everything-server fails what %s requires even without Sallyport, so it can't show anything: see %s-direct.log", name, name)
	}
	target, err := url.Parse(t.sallyport.MCPURL)
	if err != nil {
		return revision{}, err
	}
	assistant, err := forward(target, t.token, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		return revision{}, err
	}
	defer assistant.close()
	through, _, err := t.suite.testServer(ctx, filepath.Join(t.dir, name+"-through-sallyport"), assistant.url(target.Path), name)
	if err != nil {
		return revision{}, err
	}
	compared := revision{Revision: name}
	compared.Rows, compared.Differences = compare(direct, through)
	return compared, nil
}
