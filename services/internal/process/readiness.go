package process

import (
	"context"
	"time"
)

// readyEvery is how often a service looks whether it is ready, for its log.
const readyEvery = 2 * time.Second

// tellReadiness logs when the service becomes ready, is so no longer, such as while Redis is away, and begins to stop.
func (p *Process) tellReadiness(ctx context.Context) error {
	const ready, notReady = "ready", "not ready" // what the log says
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	told := ""
	for first := true; ; first = false {
		err := p.ready(ctx)
		switch {
		case ctx.Err() != nil:
			p.Log.Info("stopping", "calls_may_take", p.drain.String())
			return nil
		case err == nil && told != ready:
			p.Log.Info("ready")
			told = ready
		case err != nil && told != notReady && !first: // at the first look it has only just begun
			p.Log.Warn("not ready", "error", err)
			told = notReady
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
