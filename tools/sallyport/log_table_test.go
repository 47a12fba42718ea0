package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)

func someRecords(t *testing.T) []*activityv1.Record {
	t.Helper()
	arguments, err := structpb.NewStruct(map[string]any{"jql": "project = OPS"})
	if err != nil {
		t.Fatal(err)
	}
	ana := &activityv1.User{Name: "Ana", Email: "ana@acme.test"}
	return []*activityv1.Record{
		{
			Time: timestamppb.New(noon), User: ana, Client: &activityv1.Client{Key: "claude", Name: "Claude"},
			Operation: &activityv1.Operation{Name: "searchJiraIssuesUsingJql"}, Decision: &activityv1.Decision{Effect: "allowed"},
			Outcome:   &activityv1.Outcome{Result: "ok", StatusCode: 200, ResponseBytes: 4096, Duration: durationpb.New(20 * time.Millisecond)},
			Arguments: arguments, RequestBytes: 312,
		},
		{
			Time: timestamppb.New(noon.Add(-time.Minute)), User: ana, Client: &activityv1.Client{Key: "cursor"},
			Operation:    &activityv1.Operation{Name: "deleteJiraIssue", Outer: "executeDestructive"},
			Decision:     &activityv1.Decision{Effect: "blocked", RuleNumber: 1, RuleNote: "AI may never delete anything"},
			RequestBytes: 1200,
		},
		{
			Time: timestamppb.New(noon.Add(-time.Hour)), User: &activityv1.User{Id: "712020:x"},
			Operation: &activityv1.Operation{Name: "\x1b[31mevil\u202e\n"}, Decision: &activityv1.Decision{Effect: "blocked", Reason: "duplicate_member"},
		},
		{
			Time: timestamppb.New(noon.Add(-2 * time.Hour)), User: ana, Operation: &activityv1.Operation{Name: "getJiraIssue"},
			Decision: &activityv1.Decision{Effect: "allowed", RuleNumber: 3, MonitorRule: 2, MonitorEffect: "deny"},
			Outcome:  &activityv1.Outcome{Result: "in_flight"},
		},
	}
}

func TestLogTable(t *testing.T) {
	var out bytes.Buffer
	showRecords(&terminal{out: &out}, someRecords(t), noon)
	want := []string{
		`TIME      PERSON         CLIENT  OPERATION                             DECISION                                       RESULT     BYTES        LATENCY  ARGUMENTS`,
		`12:00:00  ana@acme.test  Claude  searchJiraIssuesUsingJql              allowed, default                               ok 200     312 / 4,096  20 ms    {"jql":"project = OPS"}`,
		`11:59:00  ana@acme.test  cursor  deleteJiraIssue (executeDestructive)  blocked, rule 1: AI may never delete anything  -          1,200 / -    -`,
		`11:00:00  712020:x       -       ` + "\uFFFD[31mevil\uFFFD" + `                            blocked: duplicate_member                      -          0 / -        -`,
		`10:00:00  ana@acme.test  -       getJiraIssue                          allowed, rule 3 (rule 2 would deny)            in flight  0 / -        -`,
	}
	got := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	for i := range got {
		// protojson varies its blanks on purpose.
		got[i] = strings.Replace(got[i], `"jql": "`, `"jql":"`, 1)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLogTableFitsTheScreen(t *testing.T) {
	for _, width := range []int{200, 132, 100, 80, 70} {
		var out bytes.Buffer
		showRecords(&terminal{out: &out, width: width}, someRecords(t), noon)
		for line := range strings.Lines(out.String()) {
			if w := screens.StringWidth(strings.TrimRight(line, "\n")); w > width {
				t.Errorf("a line takes %d columns of %d: %s", w, width, line)
			}
			if strings.Contains(line, "deleteJira") && !strings.Contains(line, "blocked, rule 1") {
				t.Errorf("at %d columns the rule's number is cut: %s", width, line)
			}
		}
	}
}

func TestLogTableShowsWhoCallsItselfSomethingElse(t *testing.T) {
	records := someRecords(t)[:1]
	for mismatch, want := range map[bool]string{false: "Claude  search", true: "Claude, calls itself cursor-vscode 1.0  search"} {
		records[0].Client.Info, records[0].Client.Mismatch = "cursor-vscode 1.0", mismatch
		var out bytes.Buffer
		showRecords(&terminal{out: &out}, records, noon)
		if !strings.Contains(out.String(), want) {
			t.Errorf("mismatch %t is shown as %s", mismatch, out.String())
		}
	}
}

func TestLogTableShowsTheDateOfOtherDays(t *testing.T) {
	var out bytes.Buffer
	showRecords(&terminal{out: &out}, someRecords(t), noon.AddDate(0, 0, 1))
	if !strings.Contains(out.String(), "2026-11-23 12:00:00") {
		t.Errorf("got %s", out.String())
	}
}

func TestColourIsForScreens(t *testing.T) {
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		showRecords(&terminal{out: &out, colour: colour}, someRecords(t), noon)
		if strings.Contains(out.String(), "\x1b[31mblocked") != colour {
			t.Errorf("with colour %v got %q", colour, out.String())
		}
	}
}

func TestRoundly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 1500 * time.Microsecond: "1 ms", 1500 * time.Millisecond: "1.5 s",
		80 * time.Second: "1m20s", 10 * time.Minute: "10m", 2 * time.Hour: "2h0m",
	} {
		if got := roundly(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestGroupDigits(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := groupDigits(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSince(t *testing.T) {
	for text, want := range map[string]time.Time{
		"15m": noon.Add(-15 * time.Minute), "7d": noon.AddDate(0, 0, -7), "1w": noon.AddDate(0, 0, -7),
		"2026-11-22":           time.Date(2026, 11, 22, 0, 0, 0, 0, time.Local),
		"2026-11-22T10:00:00Z": time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
	} {
		var s since
		err := s.UnmarshalText([]byte(text))
		if err != nil || !s.before(noon).Equal(want) {
			t.Errorf("%s: got %v, %v, want %v", text, s.before(noon), err, want)
		}
	}
	for _, text := range []string{"", "15", "m", "yesterday", "-1h", "9999999d"} {
		var s since
		if s.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q was taken for a time", text)
		}
	}
}

func TestLogAsJSONIsALineEach(t *testing.T) {
	var out bytes.Buffer
	err := writeRecords(&terminal{out: &out}, someRecords(t)[:2])
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("got %d lines, want 2", len(lines))
	}
	for _, part := range []string{`"rule_number":1`, `"rule_note":"AI may never delete anything"`, `"outer":"executeDestructive"`, `"request_bytes":"1200"`} {
		if !strings.Contains(lines[1], part) {
			t.Errorf("%s is not in %s", part, lines[1])
		}
	}
}
