package alert

import (
	"testing"
	"time"
)

// TestWindowCountsTenMinutes compares it, over calls at random times, with counting all of them.
func TestWindowCountsTenMinutes(t *testing.T) {
	var w window
	type call struct {
		at      time.Time
		blocked bool
	}
	var all []call
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for i := range 1200 {
		at = at.Add(time.Duration(i*i%97) * 100 * time.Millisecond)
		if i == 600 {
			at = at.Add(time.Hour)
		}
		w.forget(at)
		w.add(at, i%3 == 0)
		all = append(all, call{at, i%3 == 0})
		calls, blocked := 0, 0
		for _, c := range all {
			if c.at.Truncate(bucketLength).After(at.Add(-windowLength)) {
				calls++
				if c.blocked {
					blocked++
				}
			}
		}
		if w.calls != calls || w.blocked != blocked {
			t.Fatalf("after call %d it counts %d of %d, want %d of %d", i, w.blocked, w.calls, blocked, calls)
		}
	}
	if len(w.buckets) > int(windowLength/bucketLength)+1 {
		t.Errorf("%d buckets are kept", len(w.buckets))
	}
}

func TestShareIsAboveAndCalm(t *testing.T) {
	for _, one := range []struct {
		blocked, calls int
		above, calm    bool
	}{
		{0, 0, false, true},
		{9, 9, false, true},
		{10, 20, false, false},
		{11, 20, true, false},
		{10, 10, false, false},
		{5, 20, false, false},
		{4, 20, false, true},
		{0, 1000, false, true},
		{501, 1000, true, false},
	} {
		w := window{calls: one.calls, blocked: one.blocked}
		if w.above(0.5, 20) != one.above || w.calm(0.5, 20) != one.calm {
			t.Errorf("%d of %d: above is %v and calm %v", one.blocked, one.calls, w.above(0.5, 20), w.calm(0.5, 20))
		}
	}
}
