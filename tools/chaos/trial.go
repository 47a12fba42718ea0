package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// steady is how long calls go well before a fault begins, and after its end.
	steady = 2 * time.Second
	// catchUp is how long the stream may take to empty once everything is back, beside the time that
	// the fault took.
	catchUp = 3 * time.Minute
)

// trial is all that is done by one command.
type trial struct {
	flags
	root     string
	progress io.Writer
	seed     uint64
	started  time.Time
	// site is the Sallyport that runs, nil before the first, and built the fault that it was built for.
	site  *site
	built fault
}

func newTrial(f flags, root string) *trial {
	return &trial{flags: f, root: root, progress: os.Stderr, seed: f.seed(), started: time.Now()}
}

// say writes a line of progress.
func (t *trial) say(format string, values ...any) {
	fmt.Fprintf(t.progress, "%6.0f s  "+format+"\n", append([]any{time.Since(t.started).Seconds()}, values...)...)
}

// run does every fault as often as it is wanted, and returns what came of each, those of before an
// error among them. All that was started is stopped.
func (t *trial) run(ctx context.Context) (results []result, err error) {
	unlock, err := t.prepare()
	if err != nil {
		return nil, err
	}
	defer unlock()
	t.say("Seed %d; repeat the same moments by --seed %d", t.seed, t.seed)
	defer func() { err = errors.Join(err, t.close()) }()
	for n := range t.Runs {
		seed := t.seed + uint64(n)
		if t.Runs > 1 {
			t.say("Run %d of %d, seed %d", n+1, t.Runs, seed)
		}
		for _, f := range t.chosen() {
			r, err := t.do(ctx, f, seed)
			if ctx.Err() != nil {
				return results, errors.New("stopped before everything was done")
			}
			if err != nil {
				return results, fmt.Errorf("%s: %w", f.name, err)
			}
			results = append(results, r)
			t.say("%s: %s", f.name, r.sentence())
		}
	}
	return results, nil
}

// do does one fault once.
func (t *trial) do(ctx context.Context, f fault, seed uint64) (result, error) {
	err := t.open(ctx, f)
	if err != nil {
		return result{}, err
	}
	name := fnv.New64a()
	_, _ = name.Write([]byte(f.name)) // it never fails
	s := &scene{
		site: t.site, random: rand.New(rand.NewPCG(seed, name.Sum64())), say: t.say, //nolint:gosec // moments that can be repeated
		window: t.window(), away: t.away(), rolling: t.rolling(),
		load: newLoad(t.site.MCPURL, t.site.people, t.Rate, mark(f.name, seed, t.started)),
	}
	t.say("%s: %s", f.name, f.does)
	before, err := s.site.count(ctx)
	if err != nil {
		return result{}, err
	}
	journal := s.site.watch(ctx, s.load.mark)
	began := time.Now()
	s.load.start(ctx)
	err = s.during(ctx, f)
	calls := s.load.stop()
	if err != nil {
		_, _ = journal.stop(ctx, s.site, s.load.mark) // what went wrong first is said
		return result{}, err
	}
	took := time.Since(began)
	err = s.site.caughtUp(ctx, catchUp+2*took, t.say)
	if err != nil {
		return result{}, err
	}
	reached, err := journal.stop(ctx, s.site, s.load.mark)
	if err != nil {
		return result{}, err
	}
	found, err := s.site.find(ctx, began, s.load.mark)
	if err != nil {
		return result{}, err
	}
	found.halves -= before
	r := compare(calls, reached, found)
	r.Fault, r.Seed, r.Seconds = f.name, seed, took.Seconds()
	if f.check != nil {
		r.Problems = append(r.Problems, f.check(s, r)...)
	}
	return r, nil
}

// during lets calls go well, does the fault, and lets them go well again.
func (s *scene) during(ctx context.Context, f fault) error {
	err := wait(ctx, steady)
	if err != nil {
		return err
	}
	err = f.do(ctx, s)
	if err != nil {
		return err
	}
	err = s.load.answeredAgain(ctx)
	if err != nil {
		return err
	}
	return wait(ctx, steady)
}

// wait waits, and returns an error where ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// prepare empties the folder, and stops what an interrupted trial has left there.
func (t *trial) prepare() (unlock func(), err error) {
	err = os.MkdirAll(t.Dir, 0o755)
	if err != nil {
		return nil, err
	}
	lock, err := os.Create(filepath.Join(t.Dir, "lock"))
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		lock.Close()
		return nil, errors.New("another one runs in this folder: wait for its end, or choose another by --dir")
	}
	left := t.describe(0, io.Discard)
	err = errors.Join(left.Down(), unmount(t.data()), left.Clean(), os.RemoveAll(filepath.Join(t.Dir, "logs")))
	if err != nil {
		lock.Close()
		return nil, err
	}
	return func() { lock.Close() }, nil
}
