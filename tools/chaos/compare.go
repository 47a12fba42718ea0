package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// result is what came of one fault.
type result struct {
	Fault   string  `json:"fault"`
	Seed    uint64  `json:"seed"`
	Seconds float64 `json:"seconds"`
	// Calls is how many were made. They were allowed, blocked, refused with a reason, or not answered.
	Calls      int `json:"calls"`
	Allowed    int `json:"allowed"`
	Blocked    int `json:"blocked"`
	Refused    int `json:"refused"`
	Unanswered int `json:"unanswered"`
	// Reached is how many calls Atlassian received.
	Reached int `json:"reached"`
	// Records is how many calls have one, Aside how many of those Elasticsearch has refused, and Unknown
	// how many were allowed and don't say what came of the call.
	Records int `json:"records"`
	Aside   int `json:"aside"`
	Unknown int `json:"unknown"`
	// Lost is how many calls were answered, or reached Atlassian, and have no record; Twice how many have
	// several; Wrong how many have one that says something else than the answer, were blocked and reached
	// Atlassian all the same, or were answered and never reached it.
	Lost  int `json:"lost"`
	Twice int `json:"twice"`
	Wrong int `json:"wrong"`
	// Halves is how many documents lack their decision, without that being set aside.
	Halves int `json:"halves"`
	// Gap is the longest time, in seconds, in which no call was allowed or blocked.
	Gap float64 `json:"gap_seconds"`
	// Reasons are those of calls that were refused or not answered, and how many.
	Reasons map[string]int `json:"reasons,omitempty"`
	// Examples are the marks of some calls that were lost, twice or wrong, and Problems what else went
	// otherwise than the fault should.
	Examples []string `json:"examples,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

// OK says that nothing was lost and nothing is twice.
func (r result) OK() bool { return r.Lost+r.Twice+r.Wrong+r.Halves+len(r.Problems) == 0 }

// Answered is how many calls were allowed or blocked.
func (r result) Answered() int { return r.Allowed + r.Blocked }

// maxExamples is how many marks a result names.
const maxExamples = 10

// compare holds what assistants were answered against what reached Atlassian and what is recorded.
func compare(calls []call, reached map[string]int, all found) result {
	r := result{Calls: len(calls), Reached: len(reached), Reasons: map[string]int{}, Gap: longestGap(calls)}
	for _, c := range calls {
		switch c.answer {
		case allowed:
			r.Allowed++
		case blocked:
			r.Blocked++
		case refused:
			r.Refused++
			r.Reasons[c.reason]++
		case unanswered:
			r.Unanswered++
			r.Reasons[c.reason]++
		}
		what := r.judge(c, reached[c.mark], all.records[c.mark])
		if what != "" && len(r.Examples) < maxExamples {
			r.Examples = append(r.Examples, what+" "+c.mark)
		}
	}
	// What became of a call is indexed although its decision was set aside; the two meet again when that
	// is retried.
	r.Halves = max(0, all.halves-r.Aside)
	return r
}

// judge counts one call, and returns what is wrong with it, or nothing.
func (r *result) judge(c call, reached int, records []record) string {
	if len(records) > 0 {
		r.Records++
		if records[0].aside {
			r.Aside++
		} else if records[0].decision == "allowed" && (records[0].outcome == "" || records[0].outcome == "unknown") {
			r.Unknown++
		}
	}
	answered := c.answer == allowed || c.answer == blocked
	switch {
	case len(records) > 1 || reached > 1:
		r.Twice++
		return "twice"
	case len(records) == 0 && (answered || reached > 0):
		r.Lost++
		return "lost"
	case c.answer == allowed && records[0].decision != "allowed",
		c.answer == blocked && records[0].decision != "blocked",
		c.answer == allowed && reached == 0,
		reached > 0 && records[0].decision != "allowed":
		r.Wrong++
		return "wrong"
	}
	return ""
}

// longestGap is the longest time between two calls that were allowed or blocked, in seconds.
func longestGap(calls []call) float64 {
	var times []time.Time
	for _, c := range calls {
		if c.answer == allowed || c.answer == blocked {
			times = append(times, c.at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	longest := time.Duration(0)
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i].Sub(times[i-1]))
	}
	return longest.Seconds()
}

// decisionIn is what a record's JSON says was decided.
func decisionIn(document string) string {
	var r struct{ Sallyport struct{ Decision string } }
	err := json.Unmarshal([]byte(document), &r)
	if err != nil {
		return cmp.Or(r.Sallyport.Decision, "unreadable")
	}
	return r.Sallyport.Decision
}
