package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// barColumns is how long the longest bar is.
const barColumns = 20

// showStats shows the numbers of a range.
func showStats(t *terminal, d *adminv1.GetDashboardResponse) error {
	zone, err := time.LoadLocation(d.GetTimeZone())
	if err != nil {
		return err
	}
	const layout = "2006-01-02 15:04"
	start, end := d.GetStart().AsTime().In(zone).Format(layout), d.GetEnd().AsTime().In(zone).Format(layout)
	if d.GetTotals().GetCalls()+d.GetBefore().GetCalls() == 0 {
		t.printf("No calls from %s to %s (%s), and none in the range before. Look further back with --since, or leave out --user and --client. Where assistants were never connected, `sallyport status` shows the URL to add.\n",
			start, end, d.GetTimeZone())
		return nil
	}
	t.printf("Calls from %s to %s (%s), beside %s to %s\n\n", start, end, d.GetTimeZone(),
		d.GetBeforeStart().AsTime().In(zone).Format(layout), d.GetBeforeEnd().AsTime().In(zone).Format(layout))
	showTotals(t, d.GetTotals(), d.GetBefore())
	showOverTime(t, d, zone)
	showMost(t, "OPERATION", d.GetOperations())
	showMost(t, "PERSON", d.GetPeople())
	showMost(t, "CLIENT", d.GetClients())
	showMost(t, "BLOCKED BY", blockedBy(d))
	showMost(t, "ERROR STATUS", d.GetStatuses())
	return nil
}

// showTotals shows each number beside that of the range before.
func showTotals(t *terminal, now, before *adminv1.DashboardTotals) {
	shown := table{columns: []column{{title: ""}, {title: "NOW"}, {title: "BEFORE"}, {title: "CHANGE"}}}
	count := func(name string, of func(*adminv1.DashboardTotals) int64) {
		shown.add(cell{text: name}, cell{text: groupDigits(of(now))}, cell{text: groupDigits(of(before)), tint: faint}, cell{text: change(float64(of(now)), float64(of(before)))})
	}
	took := func(name string, of func(*adminv1.DashboardTotals) time.Duration) {
		shown.add(cell{text: name}, cell{text: tookText(of(now))}, cell{text: tookText(of(before)), tint: faint}, cell{text: change(float64(of(now)), float64(of(before)))})
	}
	count("calls", (*adminv1.DashboardTotals).GetCalls)
	count("blocked", (*adminv1.DashboardTotals).GetBlocked)
	shown.add(cell{text: "block rate"}, cell{text: percent(now.GetBlockRate())}, cell{text: percent(before.GetBlockRate()), tint: faint},
		cell{text: fmt.Sprintf("%+.1f points", 100*(now.GetBlockRate()-before.GetBlockRate()))})
	count("tool errors", (*adminv1.DashboardTotals).GetToolErrors)
	count("errors", (*adminv1.DashboardTotals).GetHttpErrors)
	count("without an answer", (*adminv1.DashboardTotals).GetUnanswered)
	count("people", (*adminv1.DashboardTotals).GetPeople)
	took("took, p50", func(d *adminv1.DashboardTotals) time.Duration { return d.GetDuration().GetP50().AsDuration() })
	took("took, p95", func(d *adminv1.DashboardTotals) time.Duration { return d.GetDuration().GetP95().AsDuration() })
	took("at Atlassian, p50", func(d *adminv1.DashboardTotals) time.Duration { return d.GetUpstream().GetP50().AsDuration() })
	took("at Atlassian, p95", func(d *adminv1.DashboardTotals) time.Duration { return d.GetUpstream().GetP95().AsDuration() })
	count("bytes sent", (*adminv1.DashboardTotals).GetRequestBytes)
	count("bytes answered", (*adminv1.DashboardTotals).GetResponseBytes)
	shown.write(t)
}

func tookText(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return roundly(d)
}

func percent(part float64) string { return strconv.FormatFloat(100*part, 'f', 1, 64) + "%" }

// change is how much more or less a number is than before.
func change(now, before float64) string {
	switch {
	case now == before:
		return "="
	case before == 0:
		return "new"
	}
	return fmt.Sprintf("%+.0f%%", 100*(now-before)/before)
}

// levels are the heights of a column.
var levels = []rune(" ▁▂▃▄▅▆▇█")

// columnsOf draws numbers as columns; anything above zero is seen.
func columnsOf(numbers []int64, most int64) string {
	drawn := make([]rune, len(numbers))
	for i, n := range numbers {
		height := 0
		if n > 0 {
			height = max(1, int(n*int64(len(levels)-1)/max(most, 1)))
		}
		drawn[i] = levels[height]
	}
	return string(drawn)
}

// showOverTime shows allowed and blocked calls over time, each by its own scale.
func showOverTime(t *terminal, d *adminv1.GetDashboardResponse, zone *time.Location) {
	var allowed, blocked []int64
	for _, b := range d.GetBuckets() {
		allowed, blocked = append(allowed, b.GetAllowed()), append(blocked, b.GetBlocked())
	}
	// A line that is broken can't be read: where the screen is narrow, columns are of several buckets.
	const margin = len("allowed  ")
	for room := t.width - margin - 1; t.width > 0 && len(allowed) > max(room, 1); {
		allowed, blocked = halved(allowed), halved(blocked)
	}
	t.printf("\n")
	for _, line := range []struct {
		name    string
		numbers []int64
		tint    tint
	}{{"allowed", allowed, green}, {"blocked", blocked, red}} {
		most := int64(0)
		for _, n := range line.numbers {
			most = max(most, n)
		}
		t.printf("%s  %s\n", line.name, t.paint(columnsOf(line.numbers, most), line.tint))
	}
	every := d.GetInterval()
	if n := (len(d.GetBuckets()) + len(allowed) - 1) / max(len(allowed), 1); n > 1 {
		every = fmt.Sprintf("%d × %s", n, every)
	}
	t.printf("%s\n", t.paint(fmt.Sprintf("         a column is %s, from %s on; each line has its own scale", every, d.GetStart().AsTime().In(zone).Format("Jan 2, 15:04")), faint))
}

// halved adds up each two numbers.
func halved(numbers []int64) []int64 {
	var sums []int64
	for i := 0; i < len(numbers); i += 2 {
		sum := numbers[i]
		if i+1 < len(numbers) {
			sum += numbers[i+1]
		}
		sums = append(sums, sum)
	}
	return sums
}

// blockedBy is what blocked: rules, the default, and refusals.
func blockedBy(d *adminv1.GetDashboardResponse) []*adminv1.DashboardCount {
	var list []*adminv1.DashboardCount
	for _, r := range d.GetRules() {
		name := fmt.Sprintf("rule %d", r.GetNumber())
		if r.GetNote() != "" {
			name += ": " + r.GetNote()
		}
		list = append(list, &adminv1.DashboardCount{Key: r.GetId(), Name: name, Calls: r.GetBlocked()})
	}
	if n := d.GetBlockedByDefault(); n > 0 {
		list = append(list, &adminv1.DashboardCount{Key: "default", Calls: n})
	}
	for _, r := range d.GetRefusals() {
		list = append(list, &adminv1.DashboardCount{Key: r.GetKey(), Calls: r.GetCalls()})
	}
	return list
}

// showMost shows what was counted with bars; nothing where nothing was.
func showMost(t *terminal, title string, list []*adminv1.DashboardCount) {
	if len(list) == 0 {
		return
	}
	shown := table{columns: []column{{title: title, least: 12}, {title: "CALLS"}, {title: "", drop: 1}, {title: "BLOCKED"}}}
	most, blocked := int64(1), false
	for _, one := range list {
		most, blocked = max(most, one.GetCalls()), blocked || one.GetBlocked() > 0
	}
	if !blocked {
		shown.columns[3].title = ""
	}
	for _, one := range list {
		not := cell{}
		if one.GetBlocked() > 0 {
			not = cell{text: groupDigits(one.GetBlocked()), tint: red}
		}
		bar := strings.Repeat("█", max(1, int(one.GetCalls()*barColumns/most)))
		shown.add(cell{text: firstOf(one.GetName(), one.GetKey())}, cell{text: groupDigits(one.GetCalls())}, cell{text: bar, tint: faint}, not)
	}
	t.printf("\n")
	shown.write(t)
}
