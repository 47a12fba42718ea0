package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
)

// maxArguments is how many columns of arguments are shown where nothing needs to fit.
const maxArguments = 200

// decisionLeast keeps the rule's number where its note is cut.
const decisionLeast = len("blocked, rule 1000") + 1

// showRecords shows records as a table that fits the screen.
func showRecords(t *terminal, records []*activityv1.Record, now time.Time) {
	shown := recordTable(records, now)
	shown.write(t)
}

// recordTable is that table.
func recordTable(records []*activityv1.Record, now time.Time) table {
	layout := timeLayout(records, now)
	shown := table{columns: []column{
		{title: "TIME"}, {title: "PERSON", least: 8}, {title: "CLIENT", least: 6, drop: 3}, {title: "OPERATION", least: 12},
		{title: "DECISION", least: decisionLeast}, {title: "RESULT"}, {title: "BYTES", drop: 1}, {title: "LATENCY", drop: 2},
		{title: "ARGUMENTS", least: 12, most: maxArguments, spare: true},
	}}
	for _, r := range records {
		decision, c := decisionCell(r.GetDecision())
		shown.add(
			cell{text: r.GetTime().AsTime().Local().Format(layout)},
			cell{text: firstOf(r.GetUser().GetEmail(), r.GetUser().GetName(), r.GetUser().GetId(), "-")},
			clientCell(r.GetClient()),
			cell{text: operationCell(r.GetOperation())},
			cell{text: decision, tint: c},
			resultCell(r.GetOutcome()),
			cell{text: bytesCell(r)},
			cell{text: latencyCell(r.GetOutcome())},
			cell{text: argumentsCell(r), tint: faint},
		)
	}
	return shown
}

// timeLayout leaves the day out where it is today's for all.
func timeLayout(records []*activityv1.Record, now time.Time) string {
	if sameDay(records, now) {
		return time.TimeOnly
	}
	return time.DateTime
}

func sameDay(records []*activityv1.Record, now time.Time) bool {
	for _, r := range records {
		if r.GetTime().AsTime().Local().Format(time.DateOnly) != now.Local().Format(time.DateOnly) {
			return false
		}
	}
	return true
}

// clientCell is the assistant, and what it calls itself where that is another one.
func clientCell(c *activityv1.Client) cell {
	name := firstOf(c.GetName(), c.GetKey(), "-")
	if c.GetMismatch() {
		return cell{text: name + ", calls itself " + c.GetInfo(), tint: yellow}
	}
	return cell{text: name}
}

func operationCell(o *activityv1.Operation) string {
	name := firstOf(o.GetName(), "-")
	if o.GetOuter() != "" {
		name += " (" + o.GetOuter() + ")"
	}
	return name
}

func decisionCell(d *activityv1.Decision) (string, tint) {
	c := green
	if d.GetEffect() != "allowed" {
		c = red
	}
	text := d.GetEffect()
	switch {
	case d.GetReason() != "":
		text += ": " + d.GetReason()
	case d.GetRuleNumber() > 0:
		text += fmt.Sprintf(", rule %d", d.GetRuleNumber())
		if d.GetRuleNote() != "" {
			text += ": " + d.GetRuleNote()
		}
	default:
		text += ", default"
	}
	if d.GetMonitorRule() > 0 {
		text += fmt.Sprintf(" (rule %d would %s)", d.GetMonitorRule(), d.GetMonitorEffect())
	}
	return text, c
}

// resultWords are what became of a call, as people read them.
var resultWords = map[string]cell{
	"ok":         {"ok", green},
	"tool_error": {"tool error", yellow},
	"http_error": {"error", red},
	"unknown":    {"unknown", yellow},
	"in_flight":  {"in flight", faint},
}

func resultCell(o *activityv1.Outcome) cell {
	if o == nil {
		return cell{text: "-"}
	}
	result, ok := resultWords[o.GetResult()]
	if !ok {
		result = cell{text: o.GetResult()}
	}
	if o.GetStatusCode() != 0 {
		result.text += " " + strconv.Itoa(int(o.GetStatusCode()))
	}
	return result
}

func bytesCell(r *activityv1.Record) string {
	answered := "-"
	if r.GetOutcome().GetStatusCode() != 0 {
		answered = groupDigits(r.GetOutcome().GetResponseBytes())
	}
	return groupDigits(r.GetRequestBytes()) + " / " + answered
}

func latencyCell(o *activityv1.Outcome) string {
	if o.GetDuration() == nil {
		return "-"
	}
	return roundly(o.GetDuration().AsDuration())
}

func argumentsCell(r *activityv1.Record) string {
	if len(r.GetArguments().GetFields()) == 0 {
		return ""
	}
	text, err := protojson.Marshal(r.GetArguments())
	if err != nil {
		return "?"
	}
	return string(text)
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// roundly is a duration with as much precision as says something.
func roundly(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		return strings.TrimSuffix(text, "0s")
	}
	return text
}

// groupDigits writes 1234567 as 1,234,567.
func groupDigits(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
