package accesslog

import (
	"context"
	"errors"
	"testing"
	"time"
)

// clock is one that differs from this machine's, or that can't be read.
type clock struct {
	ahead time.Duration
	err   error
}

func (c clock) Now(context.Context) (time.Time, error) { return time.Now().Add(c.ahead), c.err }

func TestAClockThatIsAheadDeletesNothing(t *testing.T) {
	year := 365 * 24 * time.Hour
	for _, c := range []clock{{ahead: -year}, {ahead: year}} {
		now, err := earliestNow(t.Context(), c)
		if want := time.Now().Add(min(0, c.ahead)); err != nil || now.Sub(want).Abs() > time.Minute {
			t.Errorf("with a clock %v ahead it is %v, %v", c.ahead, now, err)
		}
	}
	_, err := earliestNow(t.Context(), clock{err: errors.New("away")})
	if err == nil {
		t.Error("without the other clock it isn't known")
	}
}
