package process_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/services/internal/process"
	"sallyport/services/internal/processtest"
)

// TestTheLogTellsReadiness has Redis away and back: the log has one line for each change, and one for the end.
func TestTheLogTellsReadiness(t *testing.T) {
	var log processtest.Log
	var away atomic.Bool
	end := processtest.Run(t, &log, func(_ context.Context, p *process.Process) error {
		p.CheckReady("redis", func(context.Context) error {
			if away.Load() {
				return errors.New("Redis doesn't answer")
			}
			return nil
		})
		return nil
	})
	until := func(lines ...string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			text, at := log.String(), 0
			for at < len(lines) && strings.Contains(text, lines[at]) {
				_, text, _ = strings.Cut(text, lines[at])
				at++
			}
			if at == len(lines) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the log lacks %s:\n%s", lines[at], log.String())
			}
		}
	}
	const ready, notReady = `"msg":"ready"`, `"level":"WARN","msg":"not ready","error":"redis: Redis doesn't answer"`
	until(ready)
	away.Store(true)
	until(ready, notReady)
	away.Store(false)
	until(ready, notReady, ready)
	end()
	until(ready, notReady, ready, `"msg":"stopping","calls_may_take":"1s"`)
	if n := strings.Count(log.String(), ready); n != 2 {
		t.Errorf("the log says %d times that the service is ready", n)
	}
}
