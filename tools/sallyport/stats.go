package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	_ "time/tzdata" // time zones that the machine may not have

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// statsDefault is how far back numbers go where nothing else is said.
const statsDefault = "7d"

// statsToday is --since for the range that begins at midnight.
const statsToday = "today"

type statsCommand struct {
	Since    string `help:"Calls since then: today, 15m, 2h or 7d ago, a day as 2026-11-23, or a time as 2026-11-23T09:00:00Z; 7d where nothing is said." placeholder:"TIME" xor:"begin"`
	From     string `help:"The same as --since." placeholder:"TIME" xor:"begin"`
	To       string `help:"Calls before then; now, if left out. A day ends the range at its midnight." placeholder:"TIME"`
	Timezone string `help:"Time zone whose midnights and clocks count, such as Europe/Berlin; this machine's, if left out." placeholder:"ZONE"`
	User     string `help:"Only this person: e-mail or account id."`
	Client   string `help:"Only this assistant: its key or name."`
	Top      int    `help:"How many operations, people, clients and rules at most." default:"5" short:"n"`
	JSON     bool   `help:"One JSON object, a sallyport.admin.v1.GetDashboardResponse with its own field names; 64-bit numbers are strings." name:"json"`
}

// Help is the examples of --help.
func (statsCommand) Help() string {
	return `It counts what assistants called, and compares that with the range before: as many whole days, or as long a time. Times that calls took are those of allowed calls, both Sallyport's part and Atlassian's; half of the calls took no longer than p50, and 95 of 100 no longer than p95.

Examples:

  sallyport stats
  sallyport stats --since today
  sallyport stats --since 30d --client cursor
  sallyport stats --from 2026-10-01 --to 2026-11-01 --timezone Europe/Berlin
  sallyport stats --since 24h --json | jq '.totals.block_rate'`
}

// Validate refuses what can't be counted.
func (s *statsCommand) Validate() error {
	const mostTop = 50
	if s.Top < 1 || s.Top > mostTop {
		return fmt.Errorf("--top is %d: it may be 1 to %d", s.Top, mostTop)
	}
	_, err := s.request(time.Now())
	return err
}

// Run shows the numbers.
func (s *statsCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	request, err := s.request(time.Now())
	if err != nil {
		return err
	}
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	defer saySlow("Counting.")()
	answer, err := adminv1.NewDashboardServiceClient(conn).GetDashboard(ctx, request)
	if err != nil {
		return err
	}
	if !s.JSON {
		return showStats(t, answer)
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(answer)
	if err != nil {
		return err
	}
	// protojson varies its blanks on purpose; scripts get one form.
	var line bytes.Buffer
	err = json.Compact(&line, text)
	if err != nil {
		return err
	}
	t.printf("%s\n", line.String())
	return nil
}

func (s *statsCommand) request(now time.Time) (*adminv1.GetDashboardRequest, error) {
	name := s.Timezone
	if name == "" {
		name = zoneHere()
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == time.Local.String() {
		return nil, fmt.Errorf("--timezone %q isn't known: write an IANA name, such as Europe/Berlin", s.Timezone)
	}
	request := &adminv1.GetDashboardRequest{TimeZone: name, User: s.User, Client: s.Client, Top: int32(s.Top)}
	begin := firstOf(s.Since, s.From, statsDefault)
	if begin == statsToday {
		if s.To != "" {
			return nil, errors.New("--since today ends now: leave out --to, or name the day")
		}
		request.Range = adminv1.DashboardRange_DASHBOARD_RANGE_TODAY
		return request, nil
	}
	from, err := momentOf(begin, now, zone)
	if err != nil {
		return nil, err
	}
	to := now
	if s.To != "" {
		to, err = momentOf(s.To, now, zone)
		if err != nil {
			return nil, err
		}
	}
	if !from.Before(to) {
		return nil, errors.New("the range ends before it begins: move --since or --from back, or --to on")
	}
	request.Start, request.End = timestamppb.New(from), timestamppb.New(to)
	return request, nil
}

// momentOf reads a time, as since does, with days of a zone.
func momentOf(text string, now time.Time, zone *time.Location) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err == nil {
		return day, nil
	}
	var s since
	err = s.UnmarshalText([]byte(text))
	return s.before(now), err
}

// zoneHere is the name of this machine's time zone; UTC where it can't be found out.
func zoneHere() string {
	name := strings.TrimPrefix(os.Getenv("TZ"), ":")
	if name == "" {
		target, _ := filepath.EvalSymlinks("/etc/localtime")
		_, name, _ = strings.Cut(target, "zoneinfo/")
	}
	_, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return time.UTC.String()
	}
	return name
}
