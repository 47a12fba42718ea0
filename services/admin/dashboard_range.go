package admin

import (
	"slices"
	"sort"
	"time"
	_ "time/tzdata" // time zones that the machine may not have

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

const (
	// mostBuckets is about how many a range is divided into: the next longer interval is taken beyond it. A
	// day of 25 hours still has quarters of an hour.
	mostBuckets = 100
	// mostHours bounds a range that is counted by hours.
	mostHours = 62 * 24 * time.Hour
	// dashboardYears bounds a range.
	dashboardYears = 5
)

// span is a time range: from start on, before end.
type span struct{ start, end time.Time }

// interval is a length of buckets: of time, or else of days or months of the calendar.
type interval struct {
	name string
	// elastic is its name in Elasticsearch.
	elastic      string
	length       time.Duration
	days, months int
}

// intervals are those that a range may be divided into, shortest first.
var intervals = []interval{
	{name: "1m", elastic: "1m", length: time.Minute}, {name: "5m", elastic: "5m", length: 5 * time.Minute},
	{name: "15m", elastic: "15m", length: 15 * time.Minute}, {name: "30m", elastic: "30m", length: 30 * time.Minute},
	{name: "1h", elastic: "1h", length: time.Hour}, {name: "3h", elastic: "3h", length: 3 * time.Hour}, {name: "6h", elastic: "6h", length: 6 * time.Hour},
	{name: "day", elastic: "day", days: 1}, {name: "week", elastic: "week", days: 7},
	{name: "month", elastic: "month", months: 1}, {name: "quarter", elastic: "quarter", months: 3},
}

// timeline is a range, the one before, and how the range is divided.
type timeline struct {
	zone           *time.Location
	within, before span
	interval       interval
	// edges are where buckets begin, and last where the range ends.
	edges []time.Time
}

// newTimeline reads the range of a request, as seen from now.
func newTimeline(request *adminv1.GetDashboardRequest, now time.Time) (*timeline, error) {
	zone, err := zoneOf(request.GetTimeZone())
	if err != nil {
		return nil, err
	}
	t := &timeline{zone: zone}
	days := map[adminv1.DashboardRange]int{
		adminv1.DashboardRange_DASHBOARD_RANGE_TODAY: 1, adminv1.DashboardRange_DASHBOARD_RANGE_LAST_7_DAYS: 7, adminv1.DashboardRange_DASHBOARD_RANGE_LAST_30_DAYS: 30,
	}
	switch n := days[request.GetRange()]; {
	case n > 0 && (request.GetStart() != nil || request.GetEnd() != nil):
		return nil, status.Error(codes.InvalidArgument, "range and start or end can't be asked for together: send one of them.")
	case n > 0:
		// Elasticsearch answers from its cache where a request is the same as one before.
		end := now.Truncate(time.Minute).Add(time.Minute)
		t.within = span{t.midnight(now, 1-n), end}
		t.before = span{t.shift(t.within.start, -n), t.shift(end, -n)}
	case request.GetRange() != adminv1.DashboardRange_DASHBOARD_RANGE_UNSPECIFIED:
		return nil, status.Errorf(codes.InvalidArgument, "range is %d, which is none: send today, 7 or 30 days, or start and end.", request.GetRange())
	default:
		t.within, err = spanOf(request.GetStart(), request.GetEnd(), now)
		if err != nil {
			return nil, err
		}
		t.before = t.sameBefore()
	}
	t.divide()
	return t, nil
}

func zoneOf(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	// Local is what this machine has, which tells a caller nothing.
	if err != nil || name == "Local" {
		return nil, status.Errorf(codes.InvalidArgument, "time_zone %q isn't known: send an IANA name, such as Europe/Berlin, or nothing for UTC.", name)
	}
	return zone, nil
}

func spanOf(start, end *timestamppb.Timestamp, now time.Time) (span, error) {
	if start == nil {
		return span{}, status.Error(codes.InvalidArgument, "start is missing: send it, or a range.")
	}
	if start.CheckValid() != nil || end != nil && end.CheckValid() != nil {
		return span{}, status.Error(codes.InvalidArgument, "start or end is not a time.")
	}
	s := span{start.AsTime(), now}
	if end != nil {
		s.end = end.AsTime()
	}
	switch {
	case !s.start.Before(s.end):
		return span{}, status.Error(codes.InvalidArgument, "start isn't before end: send an earlier start, or a later end.")
	case s.start.AddDate(dashboardYears, 0, 0).Before(s.end):
		return span{}, status.Errorf(codes.InvalidArgument, "start is more than %d years before end: send a later start.", dashboardYears)
	case s.start.Year() < 1970:
		return span{}, status.Error(codes.InvalidArgument, "start is before 1970: send a later one.")
	}
	return s, nil
}

// midnight is where a day of the zone begins, so many days after that of a time. Where there is no midnight,
// since a clock was put forward then, it is the first moment of the day.
func (t *timeline) midnight(at time.Time, days int) time.Time {
	year, month, day := at.In(t.zone).Date()
	wanted := time.Date(year, month, day+days, 12, 0, 0, 0, time.UTC).Day()
	begins := time.Date(year, month, day+days, 0, 0, 0, 0, t.zone)
	if begins.Day() != wanted {
		_, begins = begins.ZoneBounds()
	}
	return begins
}

// shift is the same time of day, so many days later.
func (t *timeline) shift(at time.Time, days int) time.Time {
	begins := t.midnight(at, 0)
	if at.Equal(begins) {
		return t.midnight(at, days)
	}
	local := at.In(t.zone)
	year, month, day := local.Date()
	return time.Date(year, month, day+days, local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), t.zone)
}

// sameBefore is the range before one with a start and an end of its own.
func (t *timeline) sameBefore() span {
	r := t.within
	if r.start.Equal(t.midnight(r.start, 0)) && r.end.Equal(t.midnight(r.end, 0)) {
		days := int(r.end.Sub(r.start).Round(24*time.Hour) / (24 * time.Hour))
		return span{t.midnight(r.start, -days), r.start}
	}
	return span{r.start.Add(-r.end.Sub(r.start)), r.start}
}

// divide takes the shortest interval that isn't too short.
func (t *timeline) divide() {
	for _, i := range intervals {
		t.interval = i
		// Before it is divided, an estimate tells what is far too short.
		if i.length > 0 && t.within.end.Sub(t.within.start) > 2*mostBuckets*i.length {
			continue
		}
		t.edges = []time.Time{t.within.start}
		for at := t.next(t.within.start); at.Before(t.within.end); at = t.next(at) {
			t.edges = append(t.edges, at)
		}
		t.edges = append(t.edges, t.within.end)
		if len(t.edges) <= mostBuckets+1 {
			return
		}
	}
}

// next is where the bucket ends that a time is in.
func (t *timeline) next(at time.Time) time.Time {
	local := at.In(t.zone)
	year, month, day := local.Date()
	switch i := t.interval; {
	case i.months > 0:
		first := time.Date(year, month-(month-1)%time.Month(i.months), 1, 12, 0, 0, 0, t.zone)
		return t.midnight(first.AddDate(0, i.months, 0), 0)
	case i.days == 7:
		return t.midnight(at, 7-(int(local.Weekday())+6)%7)
	case i.days > 0:
		return t.midnight(at, i.days)
	case i.length <= time.Hour:
		into := time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
		return at.Add(i.length - into%i.length)
	default:
		// A clock may be changed within hours, so they are read from it.
		step := int(i.length / time.Hour)
		hour := local.Hour() - local.Hour()%step + step
		if hour >= 24 {
			return t.midnight(at, 1)
		}
		return time.Date(year, month, day, hour, 0, 0, 0, t.zone)
	}
}

// inHours says whether records are counted by hours of UTC: where the buckets are made of whole ones. What a past
// day's index answers is the same then for all such ranges and time zones, and stays in its request cache.
func (t *timeline) inHours() bool {
	if t.interval.length > 0 && t.interval.length < time.Hour || t.within.end.Sub(t.within.start) > mostHours {
		return false
	}
	inner := t.edges[1 : len(t.edges)-1]
	return !slices.ContainsFunc(inner, func(edge time.Time) bool { return !edge.Equal(edge.Truncate(time.Hour)) })
}

// bucketOf is the bucket that a time is in; the first one for what Elasticsearch counts from before the range
// on, where a bucket is cut by it.
func (t *timeline) bucketOf(at time.Time) int {
	after := sort.Search(len(t.edges), func(i int) bool { return t.edges[i].After(at) })
	return min(max(after-1, 0), len(t.edges)-2)
}
