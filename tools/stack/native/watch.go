package native

import (
	"context"
	"fmt"
	"maps"
	"os"
	"time"
)

// Watch keeps the process ids in state.json true while parts are restarted, until ctx or the
// supervisor ends. The supervisor runs it beside the parts, so that it goes with them.
func (s Stack) Watch(ctx context.Context) error {
	var last map[string]int
	for s.supervisor() != 0 {
		all, err := s.list(ctx)
		if err == nil {
			pids := s.pids(all)
			// Until there is a state.json, not everything has been ready.
			if _, err := os.Stat(s.path("state.json")); err == nil && !maps.Equal(pids, last) {
				err = s.writeState(ctx, pids)
				if err == nil {
					last = pids
				} // else the stand-in is being restarted: it is asked again in a moment
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(300 * time.Millisecond):
		}
	}
	return nil
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
		case <-time.After(time.Second):
		}
		if s.supervisor() == 0 {
			return fmt.Errorf("process-compose has stopped: %s", s.lastLine("process-compose.out"))
		}
		all, err := s.list(ctx)
		if err != nil {
			continue // asked again in a second; its end is noticed above
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
