package state

import (
	"context"
	"time"
)

// A Limit is how often something may happen within Window, for one source and for all together.
type Limit struct {
	// Name is what is counted.
	Name             string
	PerSource, InAll int
	Window           time.Duration
}

// Allow counts one more of what the limit is about, on all replicas together. Where a limit is reached
// it counts nothing and returns how long until the next is allowed.
func (s *Store) Allow(ctx context.Context, l Limit, source string) (wait time.Duration, err error) {
	reply, err := s.call(ctx, "sallyport_allow", []string{limitKey(l.Name, source), limitKey(l.Name, "")},
		l.PerSource, l.InAll, int(l.Window.Seconds()))
	if err != nil || reply[0] == "allowed" {
		return 0, err
	}
	seconds, _ := reply[1].(int64)
	return time.Duration(max(seconds, 1)) * time.Second, nil
}
