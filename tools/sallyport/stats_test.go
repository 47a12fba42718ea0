package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// someStats are those of the day on which clocks in Berlin went back.
func someStats() *adminv1.GetDashboardResponse {
	start := time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC)
	d := &adminv1.GetDashboardResponse{
		Start: timestamppb.New(start), End: timestamppb.New(start.Add(25 * time.Hour)),
		BeforeStart: timestamppb.New(start.Add(-24 * time.Hour)), BeforeEnd: timestamppb.New(start), TimeZone: "Europe/Berlin", Interval: "6h",
		Totals: &adminv1.DashboardTotals{
			Calls: 1200, Allowed: 1100, Blocked: 100, BlockRate: 1.0 / 12, ToolErrors: 30, HttpErrors: 2, People: 12, RequestBytes: 1_234_567, ResponseBytes: 99,
			Duration: &adminv1.DashboardLatency{P50: durationpb.New(300 * time.Millisecond), P95: durationpb.New(1500 * time.Millisecond)},
		},
		Before:           &adminv1.DashboardTotals{Calls: 1000, Allowed: 950, Blocked: 50, BlockRate: 0.05, ToolErrors: 30, People: 10, ResponseBytes: 198},
		Operations:       []*adminv1.DashboardCount{{Key: "getJiraIssue", Calls: 800}, {Key: "deleteJiraIssue", Calls: 100, Blocked: 100}},
		People:           []*adminv1.DashboardCount{{Key: "ana@acme.test", Calls: 1200, Blocked: 100}},
		Clients:          []*adminv1.DashboardCount{{Key: "claude", Name: "Claude", Calls: 1200, Blocked: 100}},
		Rules:            []*adminv1.DashboardRule{{Id: "r1", Number: 2, Note: "Never", Blocked: 90}},
		BlockedByDefault: 9, Refusals: []*adminv1.DashboardCount{{Key: "duplicate_member", Calls: 1, Blocked: 1}},
	}
	for i, n := range []int64{0, 100, 800, 200} {
		d.Buckets = append(d.Buckets, &adminv1.DashboardBucket{Start: timestamppb.New(start.Add(time.Duration(i) * 6 * time.Hour)), Allowed: n, Blocked: n / 100})
	}
	return d
}

func TestStats(t *testing.T) {
	var out bytes.Buffer
	err := showStats(&terminal{out: &out}, someStats())
	if err != nil {
		t.Fatal(err)
	}
	want := `Calls from 2026-10-25 00:00 to 2026-10-26 00:00 (Europe/Berlin), beside 2026-10-24 00:00 to 2026-10-25 00:00

                   NOW        BEFORE  CHANGE
calls              1,200      1,000   +20%
blocked            100        50      +100%
block rate         8.3%       5.0%    +3.3 points
tool errors        30         30      =
errors             2          0       new
without an answer  0          0       =
people             12         10      +20%
took, p50          300 ms     -       new
took, p95          1.5 s      -       new
at Atlassian, p50  -          -       =
at Atlassian, p95  -          -       =
bytes sent         1,234,567  0       new
bytes answered     99         198     -50%

allowed   ▁█▂
blocked   ▁█▂
         a column is 6h, from Oct 25, 00:00 on; each line has its own scale

OPERATION        CALLS                        BLOCKED
getJiraIssue     800    ████████████████████
deleteJiraIssue  100    ██                    100

PERSON         CALLS                        BLOCKED
ana@acme.test  1,200  ████████████████████  100

CLIENT  CALLS                        BLOCKED
Claude  1,200  ████████████████████  100

BLOCKED BY        CALLS
rule 2: Never     90     ████████████████████
default           9      ██
duplicate_member  1      █
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestStatsFitTheScreen(t *testing.T) {
	d := someStats()
	for range 96 {
		d.Buckets = append(d.Buckets, d.GetBuckets()[2])
	}
	d.People[0].Key = strings.Repeat("long", 30) + "@acme.test"
	for _, width := range []int{200, 100, 80, 60} {
		var out bytes.Buffer
		err := showStats(&terminal{out: &out, width: width}, d)
		if err != nil {
			t.Fatal(err)
		}
		_, tables, _ := strings.Cut(out.String(), "\n")
		for line := range strings.Lines(tables) {
			if w := screens.StringWidth(strings.TrimRight(line, "\n")); w > width && !strings.Contains(line, "a column is") {
				t.Errorf("a line takes %d columns of %d: %s", w, width, line)
			}
		}
	}
}

func TestStatsOfNothing(t *testing.T) {
	var out bytes.Buffer
	d := someStats()
	d.Totals, d.Before = &adminv1.DashboardTotals{}, &adminv1.DashboardTotals{}
	err := showStats(&terminal{out: &out}, d)
	if err != nil || !strings.HasPrefix(out.String(), "No calls from 2026-10-25 00:00 to 2026-10-26 00:00 (Europe/Berlin)") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("got %v, %s", err, out.String())
	}
}

func TestStatsRange(t *testing.T) {
	now := time.Date(2026, 10, 26, 11, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		command    statsCommand
		start, end string
	}{
		"nothing said":         {statsCommand{Timezone: "UTC"}, "2026-10-19T11:00:00Z", "2026-10-26T11:00:00Z"},
		"ago":                  {statsCommand{Timezone: "UTC", Since: "2h"}, "2026-10-26T09:00:00Z", "2026-10-26T11:00:00Z"},
		"days of the zone":     {statsCommand{Timezone: "Europe/Berlin", From: "2026-10-25", To: "2026-10-26"}, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		"times have their own": {statsCommand{Timezone: "Europe/Berlin", From: "2026-10-25T00:00:00Z", To: "1h"}, "2026-10-25T00:00:00Z", "2026-10-26T10:00:00Z"},
	} {
		request, err := c.command.request(now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		start, end := request.GetStart().AsTime().Format(time.RFC3339), request.GetEnd().AsTime().Format(time.RFC3339)
		if start != c.start || end != c.end {
			t.Errorf("%s: got %s to %s, want %s to %s", name, start, end, c.start, c.end)
		}
	}
	today, err := (&statsCommand{Timezone: "UTC", Since: "today"}).request(now)
	if err != nil || today.GetRange() != adminv1.DashboardRange_DASHBOARD_RANGE_TODAY || today.GetStart() != nil {
		t.Errorf("today: got %v, %v", today, err)
	}
	for says, command := range map[string]statsCommand{
		"no time": {Since: "yesterday"}, "--timezone": {Timezone: "Berlin"}, "ends before": {From: "2026-10-25", To: "2026-10-24"}, "leave out --to": {Since: "today", To: "1h"},
	} {
		_, err := command.request(now)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want one that says %q", err, says)
		}
	}
}
