package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCompare shows what is counted as lost, twice and wrong, and what isn't.
func TestCompare(t *testing.T) {
	taken, denied := record{decision: "allowed", outcome: "ok"}, record{decision: "blocked"}
	for _, test := range []struct {
		name    string
		answer  answer
		reached int
		records []record
		want    string
	}{
		{"allowed and recorded", allowed, 1, []record{taken}, ""},
		{"blocked and recorded", blocked, 0, []record{denied}, ""},
		{"kept aside", allowed, 1, []record{{decision: "allowed", aside: true}}, ""},
		{"refused without a record", refused, 0, nil, ""},
		{"refused when it was written down already", refused, 0, []record{{decision: "allowed"}}, ""},
		{"never answered and never there", unanswered, 0, nil, ""},
		{"the answer was lost", unanswered, 1, []record{taken}, ""},
		{"allowed without a record", allowed, 1, nil, "lost"},
		{"blocked without a record", blocked, 0, nil, "lost"},
		{"reached Atlassian without a record", unanswered, 1, nil, "lost"},
		{"refused and reached Atlassian without a record", refused, 1, nil, "lost"},
		{"recorded twice", allowed, 1, []record{taken, taken}, "twice"},
		{"indexed and aside", allowed, 1, []record{taken, {decision: "allowed", aside: true}}, "twice"},
		{"reached Atlassian twice", allowed, 2, []record{taken}, "twice"},
		{"allowed and recorded as blocked", allowed, 1, []record{denied}, "wrong"},
		{"answered as if by Atlassian", allowed, 0, []record{taken}, "wrong"},
		{"blocked and reached Atlassian", blocked, 1, []record{denied}, "wrong"},
	} {
		var r result
		got := r.judge(call{answer: test.answer}, test.reached, test.records)
		if got != test.want || (r.OK() != (test.want == "")) {
			t.Errorf("%s is %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCompareCounts(t *testing.T) {
	at := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	got := compare([]call{
		{mark: "1", answer: allowed, at: at},
		{mark: "2", answer: blocked, at: at.Add(5 * time.Second)},
		{mark: "3", answer: refused, at: at.Add(time.Second), reason: "503 full"},
		{mark: "4", answer: unanswered, reason: "no answer"},
	}, map[string]int{"1": 1}, found{halves: 1, records: map[string][]record{
		"1": {{decision: "allowed", aside: true}}, "2": {{decision: "blocked"}}, "4": {{decision: "allowed"}},
	}})
	want := result{
		Calls: 4, Allowed: 1, Blocked: 1, Refused: 1, Unanswered: 1, Reached: 1, Records: 3, Aside: 1, Unknown: 1, Gap: 5,
		Reasons: map[string]int{"503 full": 1, "no answer": 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMarkIn(t *testing.T) {
	for text, want := range map[string]string{
		`{"mark":"chaos-redis-1-a-17."}`: "chaos-redis-1-a-17.",
		`{"mark":"chaos-redis-1-a-17`:    "",
		`{"mark":"chaos-redis-2-a-17."}`: "",
		"":                               "",
	} {
		if got := markIn(text, "chaos-redis-1-a-"); got != want {
			t.Errorf("%q has %q, want %q", text, got, want)
		}
	}
}

func TestRead(t *testing.T) {
	for _, test := range []struct {
		status int
		text   string
		answer answer
		reason string
	}{
		{200, `event: message` + "\n" + `data: {"jsonrpc":"2.0","id":1,"result":{}}`, allowed, ""},
		{200, `{"result":{"isError":true,"content":[{"text":"Rule 1: ` + note + `"}]}}`, blocked, ""},
		{200, ``, unanswered, "answer cut off"},
		{503, `{"error":{"code":-32603,"message":"Sallyport is full."}}`, refused, "503 Sallyport is full."},
		{503, `{"error":{"message":"Sallyport allowed the request but could not deliver it."}}`, allowed, ""},
		{401, ``, refused, "401"},
	} {
		answer, reason := read(test.status, test.text)
		if answer != test.answer || reason != test.reason {
			t.Errorf("%d %s is %v %q, want %v %q", test.status, test.text, answer, reason, test.answer, test.reason)
		}
	}
}
