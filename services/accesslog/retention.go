package accesslog

import (
	"context"
	"time"

	"sallyport/services/internal/activity"
)

// retention is for how many days records are kept, those of what assistants and admins did and those of
// protocol traffic; 0 is for ever.
type retention struct{ activity, protocol int }

// days is for how many days the records of an index are kept, and when its day begins. It is 0, for ever,
// where the index isn't exactly one of Sallyport's.
func (r retention) days(index string) (int, time.Time) {
	day, governed, ok := activity.DayOf(index)
	switch {
	case !ok:
		return 0, day
	case governed:
		return r.activity, day
	}
	return r.protocol, day
}

// past says whether even the last record of an index's day has been kept for as long as it has to be.
func (r retention) past(index string, now time.Time) bool {
	days, day := r.days(index)
	return days > 0 && !now.Before(day.AddDate(0, 0, days+1))
}

// shortest is the fewest days after which anything is past; 0 where nothing ever is.
func (r retention) shortest() int {
	if r.activity > 0 && r.protocol > 0 {
		return min(r.activity, r.protocol)
	}
	return max(r.activity, r.protocol)
}

// Clock is another machine's clock (package state).
type Clock interface {
	Now(ctx context.Context) (time.Time, error)
}

// earliestNow is the time by this machine's clock or the other's, whichever is earlier: a clock that is ahead
// must not have records deleted.
func earliestNow(ctx context.Context, other Clock) (time.Time, error) {
	now := time.Now()
	theirs, err := other.Now(ctx)
	if err == nil && theirs.Before(now) {
		now = theirs
	}
	return now, err
}
