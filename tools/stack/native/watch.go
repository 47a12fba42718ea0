package native

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"
)

// askEvery is how often the supervisor is asked for its parts where none has died. It takes it a few hundredths of a
// second of CPU each time, since it looks through all processes of the machine for theirs.
const askEvery = 3 * time.Second

// Watch keeps the process ids in state.json true while parts are restarted, until ctx or the
// supervisor ends. The supervisor runs it beside the parts, so that it goes with them.
func (s Stack) Watch(ctx context.Context) error {
	var last map[string]int
	var running []int
	var asked time.Time
	for s.supervisor() != 0 {
		if time.Since(asked) > askEvery || !alive(running) {
			asked = time.Now()
			all, err := s.list(ctx)
			pids := s.pids(all)
			// Until there is a state.json, not everything has been ready.
			if _, missing := os.Stat(s.path("state.json")); err == nil && missing == nil && !maps.Equal(pids, last) {
				err = s.writeState(ctx, pids)
				if err == nil {
					last = pids
				} // else the stand-in is being restarted: it is asked again in a moment
			}
			running = runningOf(all, last)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(300 * time.Millisecond):
		}
	}
	return nil
}

// runningOf are the processes that are expected to go on: none, which is never so, while a part is on its way up.
func runningOf(all []shown, pids map[string]int) (running []int) {
	for _, p := range all {
		switch {
		case p.Running && pids[p.Name] > 0:
			running = append(running, pids[p.Name])
		case !p.ended():
			return nil
		}
	}
	return running
}

// alive tells whether all of these processes run, and there is one.
func alive(pids []int) bool {
	return len(pids) > 0 && !slices.ContainsFunc(pids, func(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}

// A part that is restarted more often than this in a minute doesn't come back by itself.
const restartsPerMinute = 20

// guard waits until ctx ends. It returns earlier, with the reason, if the supervisor or a part
// dies for good.
func (s Stack) guard(ctx context.Context) error {
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	before := map[string]int{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-minute.C:
			clear(before)
		case <-time.After(askEvery):
		}
		if s.supervisor() == 0 {
			return fmt.Errorf("process-compose has stopped: %s", s.lastLine("process-compose.out"))
		}
		all, err := s.list(ctx)
		if err != nil {
			continue // asked again in a moment; its end is noticed above
		}
		for _, p := range all {
			if _, known := before[p.Name]; !known {
				before[p.Name] = p.Restarts
			}
			if p.ended() || p.Restarts-before[p.Name] > restartsPerMinute {
				return s.broken(p.Name, "keeps stopping")
			}
		}
	}
}
