package main

import (
	"slices"
	"strings"
	"time"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
)

// actCallers are the kinds of callers, as people read them.
var actCallers = map[string]string{"token_file": "token file", "api_token": "API token", "person": "person", "service": "Sallyport"}

// showActs shows what admins did as a table that fits the screen.
func showActs(t *terminal, records []*activityv1.Record, now time.Time) {
	shown := actTable(records, now)
	shown.write(t)
}

// actTable is that table.
func actTable(records []*activityv1.Record, now time.Time) table {
	layout := timeLayout(records, now)
	shown := table{columns: []column{
		{title: "TIME"}, {title: "WHO", least: 8}, {title: "BY", drop: 2}, {title: "ROLE", drop: 1}, {title: "ACT", least: 12}, {title: "RESULT", least: 8},
		{title: "ON", least: 12}, {title: "DETAILS", least: 12, most: maxArguments, spare: true},
	}}
	for _, r := range records {
		a := r.GetAct()
		result, c := actResult(a)
		shown.add(
			cell{text: r.GetTime().AsTime().Local().Format(layout)},
			cell{text: firstOf(r.GetUser().GetEmail(), r.GetUser().GetName(), r.GetUser().GetId(), "-")},
			cell{text: firstOf(actCallers[a.GetCaller()], a.GetCaller(), "-")},
			cell{text: firstOf(a.GetRole(), "none")},
			cell{text: a.GetAction()},
			cell{text: result, tint: c},
			cell{text: firstOf(strings.Join(a.GetTargets(), ", "), "-")},
			cell{text: actDetails(a), tint: faint},
		)
	}
	return shown
}

func actResult(a *activityv1.Act) (string, tint) {
	switch a.GetOutcome() {
	case "success":
		return "done", green
	case "failure":
		return "refused: " + a.GetErrorCode(), red
	}
	return a.GetOutcome(), yellow
}

// actDetails is why, what, and what went wrong.
func actDetails(a *activityv1.Act) string {
	var parts []string
	for name, text := range a.GetDetails() {
		parts = append(parts, name+" "+text)
	}
	slices.Sort(parts)
	for _, text := range []string{a.GetReason(), a.GetErrorMessage()} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "; ")
}
