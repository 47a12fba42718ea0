package admin

import (
	"context"
	"log/slog"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

const (
	// warmAfter is how long after an hour has begun the dashboards are asked for: its day's last records are
	// searchable then, where it is the first of another day.
	warmAfter = time.Minute
	// warmAgain is how long after a failure they are asked for again, such as at start, when Elasticsearch starts, too.
	warmAgain = time.Minute
)

// warmed are the ranges that everybody looks at. What is counted of a past day is the same for every time zone.
var warmed = []adminv1.DashboardRange{
	adminv1.DashboardRange_DASHBOARD_RANGE_TODAY, adminv1.DashboardRange_DASHBOARD_RANGE_LAST_7_DAYS, adminv1.DashboardRange_DASHBOARD_RANGE_LAST_30_DAYS,
}

// warmer asks for the dashboards before people do, so that Elasticsearch has past days in its request cache, which
// is empty after it was started.
type warmer struct {
	dashboards *DashboardServer
	log        *slog.Logger
}

// run asks at once, and then each hour, until ctx ends.
func (w warmer) run(ctx context.Context) error {
	for failed := false; ; {
		err := w.ask(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := time.Until(time.Now().Truncate(time.Hour).Add(time.Hour + warmAfter))
		if err != nil {
			wait = warmAgain
		}
		if err != nil && !failed {
			w.log.Warn("the dashboards can't be asked for ahead: the first to look at one may wait a few seconds", "error", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (w warmer) ask(ctx context.Context) error {
	for _, r := range warmed {
		_, err := w.dashboards.GetDashboard(ctx, &adminv1.GetDashboardRequest{Range: r})
		if err != nil {
			return err
		}
	}
	return nil
}
