package process

import (
	"context"
	"time"
)

// readyEvery is how often a service looks whether it is ready, for its log.
const readyEvery = 2 * time.Second

// tellReadiness logs when the service becomes ready, is so no longer, such as while Redis is away, and begins to stop.
func (p *Process) tellReadiness(ctx context.Context) error {
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	known, was := false, false
	for {
		err := p.ready(ctx)
		if ctx.Err() != nil {
			p.Log.Info("stopping", "calls_may_take", p.drain.String())
			return nil
		}
		is := err == nil
		switch {
		case known && is == was:
		case is:
			p.Log.Info("ready")
		default:
			p.Log.Warn("not ready", "error", err)
		}
		known, was = true, is
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
