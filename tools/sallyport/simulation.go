package main

import (
	"fmt"
	"strconv"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// mostCounts is how many people, assistants and operations are shown; --json has more.
const mostCounts = 10

// showSimulation shows the result of a simulation; rules are those of the policy, the default at 0.
func showSimulation(t *terminal, r *adminv1.SimulationResult, rules []string, since time.Time) {
	if r.GetCalls() == 0 {
		t.printf("No call was recorded since %s, so there is nothing to decide again. Look further back with --since.\n", since.Local().Format(time.DateTime))
		return
	}
	changed := r.GetNewlyBlocked() + r.GetNewlyAllowed()
	t.printf("Of %s since %s, %s.\n", count64(r.GetCalls(), "call"), since.Local().Format(time.DateTime), simulationSummary(r))
	if r.GetNotDecided() > 0 {
		t.printf("%s.\n", t.paint(count64(r.GetNotDecided(), "call")+" couldn't be read or were parts of a blocked batch, and stay blocked by any policy", faint))
	}
	if r.GetWithoutGroupIds() > 0 {
		t.printf("%s.\n", t.paint(count64(r.GetWithoutGroupIds(), "call")+" were recorded without the ids of groups, so rules that name a group by id can't match them", faint))
	}
	showRuleEffects(t, r.GetRules(), rules)
	if changed == 0 {
		return
	}
	for _, by := range []struct {
		title  string
		counts []*adminv1.ChangedCount
	}{{"PERSON", r.GetUsers()}, {"ASSISTANT", r.GetClients()}, {"OPERATION", r.GetOperations()}} {
		showCounts(t, by.title, by.counts)
	}
	showChangedRecords(t, r.GetRecords(), changed)
}

func simulationSummary(r *adminv1.SimulationResult) string {
	blocked, allowed := r.GetNewlyBlocked(), r.GetNewlyAllowed()
	switch {
	case blocked+allowed == 0:
		return "none would be decided otherwise"
	case allowed == 0:
		return groupDigits(blocked) + " would be blocked that were allowed"
	case blocked == 0:
		return groupDigits(allowed) + " would be allowed that were blocked"
	}
	return fmt.Sprintf("%s would be blocked that were allowed, and %s allowed that were blocked", groupDigits(blocked), groupDigits(allowed))
}

func showRuleEffects(t *terminal, effects []*adminv1.RuleEffect, rules []string) {
	shown := table{columns: []column{{title: "RULE", least: 12}, {title: "DECIDES"}, {title: "NEWLY BLOCKED"}, {title: "NEWLY ALLOWED"}, {title: "MONITORS", drop: 1}}}
	for _, e := range effects {
		rule := strconv.Itoa(int(e.GetRuleNumber()))
		if int(e.GetRuleNumber()) < len(rules) {
			rule = rules[e.GetRuleNumber()]
		}
		shown.add(cell{text: rule}, numberCell(e.GetDecided(), plain), numberCell(e.GetNewlyBlocked(), red), numberCell(e.GetNewlyAllowed(), green), numberCell(e.GetMonitored(), yellow))
	}
	t.printf("\n")
	shown.write(t)
}

// numberCell is a number, which stands out unless it is 0.
func numberCell(n int64, c tint) cell {
	if n == 0 {
		c = faint
	}
	return cell{text: groupDigits(n), tint: c}
}

func showCounts(t *terminal, title string, counts []*adminv1.ChangedCount) {
	shown := table{columns: []column{{title: title, least: 12}, {title: "NEWLY BLOCKED"}, {title: "NEWLY ALLOWED"}}}
	for _, c := range counts[:min(len(counts), mostCounts)] {
		shown.add(cell{text: firstOf(c.GetKey(), "all others")}, numberCell(c.GetNewlyBlocked(), red), numberCell(c.GetNewlyAllowed(), green))
	}
	t.printf("\n")
	shown.write(t)
	if more := len(counts) - mostCounts; more > 0 {
		t.printf("%s\n", t.paint(fmt.Sprintf("and %s more; --json has them", groupDigits(int64(more))), faint))
	}
}

func showChangedRecords(t *terminal, records []*adminv1.ChangedRecord, changed int64) {
	shown := table{columns: []column{
		{title: "TIME"}, {title: "PERSON", least: 8}, {title: "ASSISTANT", least: 6, drop: 1}, {title: "OPERATION", least: 12}, {title: "WAS"}, {title: "WOULD BE"},
	}}
	for _, r := range records {
		wouldBe, c := r.GetWouldBe(), green
		if r.GetWouldBe() == "blocked" {
			c = red
		}
		if r.GetRuleNumber() > 0 {
			wouldBe += fmt.Sprintf(", rule %d", r.GetRuleNumber())
		} else {
			wouldBe += ", default"
		}
		shown.add(cell{text: r.GetTime().AsTime().Local().Format(time.DateTime)}, cell{text: firstOf(r.GetUser(), "-")}, cell{text: firstOf(r.GetClient(), "-")},
			cell{text: r.GetOperation()}, cell{text: r.GetWas()}, cell{text: wouldBe, tint: c})
	}
	t.printf("\n")
	shown.write(t)
	if int64(len(records)) < changed {
		t.printf("%s\n", t.paint(fmt.Sprintf("These are the newest of %s: raise --records, or narrow by --since.", groupDigits(changed)), faint))
	}
}
