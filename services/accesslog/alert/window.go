package alert

import (
	"slices"
	"time"
)

const (
	// windowLength is over how long the share of blocked calls is taken, and bucketLength how exactly.
	windowLength = 10 * time.Minute
	bucketLength = 10 * time.Second
)

// window counts the calls of the last ten minutes.
type window struct {
	// buckets are in the order of time, none empty.
	buckets        []bucket
	calls, blocked int
}

type bucket struct {
	at             time.Time
	calls, blocked int
}

// copy is the window as it is, whatever is counted after.
func (w *window) copy() window {
	return window{buckets: slices.Clone(w.buckets), calls: w.calls, blocked: w.blocked}
}

// forget forgets what is older than ten minutes at a time.
func (w *window) forget(now time.Time) {
	old := now.Add(-windowLength)
	for len(w.buckets) > 0 && !w.buckets[0].at.After(old) {
		w.calls -= w.buckets[0].calls
		w.blocked -= w.buckets[0].blocked
		w.buckets = w.buckets[1:]
	}
}

// add counts a call.
func (w *window) add(at time.Time, blocked bool) {
	at = at.Truncate(bucketLength)
	if last := len(w.buckets) - 1; last < 0 || at.After(w.buckets[last].at) {
		w.buckets = append(w.buckets, bucket{at: at})
	}
	last := &w.buckets[len(w.buckets)-1]
	last.calls++
	w.calls++
	if blocked {
		last.blocked++
		w.blocked++
	}
}

// above says whether more than a share of at least so many calls was blocked.
func (w *window) above(share float64, calls int) bool {
	return w.calls >= calls && float64(w.blocked) > share*float64(w.calls)
}

// calm says whether it fell below half of that again: of the share, or of the calls.
func (w *window) calm(share float64, calls int) bool {
	return 2*w.calls < calls || 2*float64(w.blocked) < share*float64(w.calls)
}
