package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// sentence is what came of a fault, in one line.
func (r result) sentence() string {
	s := fmt.Sprintf("%d calls, %d answered, %d refused, %d unanswered; %d records; %d lost, %d twice; longest gap %.1f s",
		r.Calls, r.Answered(), r.Refused, r.Unanswered, r.Records, r.Lost, r.Twice, r.Gap)
	if !r.OK() {
		s += fmt.Sprintf(" NOT GOOD: wrong %d, without a decision %d %v %v", r.Wrong, r.Halves, r.Problems, r.Examples)
	}
	return s
}

// printTable prints all results, and why calls were refused or not answered.
func printTable(out io.Writer, results []result) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "fault\tseed\tcalls\tanswered\tallowed\tblocked\trefused\tunanswered\tat Atlassian\trecords\taside\tunknown\tlost\ttwice\twrong\tgap s\t")
	sum := result{}
	reasons := map[string]int{}
	good := 0
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t\n", r.Fault, r.Seed, r.Calls, r.Answered(), r.Allowed, r.Blocked,
			r.Refused, r.Unanswered, r.Reached, r.Records, r.Aside, r.Unknown, r.Lost, r.Twice, r.Wrong+r.Halves, r.Gap)
		sum.Calls, sum.Allowed, sum.Records, sum.Lost, sum.Twice = sum.Calls+r.Calls, sum.Allowed+r.Answered(), sum.Records+r.Records, sum.Lost+r.Lost, sum.Twice+r.Twice
		for reason, n := range r.Reasons {
			reasons[reason] += n
		}
		if r.OK() {
			good++
		}
	}
	_ = table.Flush() // as of fmt.Fprintln, nobody could be told
	fmt.Fprintln(out, "\nWhy calls were refused or not answered:")
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(out, "  %6d  %s\n", reasons[reason], reason)
	}
	for _, r := range results {
		if !r.OK() {
			fmt.Fprintf(out, "%s, seed %d: %v %v\n", r.Fault, r.Seed, r.Problems, r.Examples)
		}
	}
	fmt.Fprintf(out, "\n%d of %d went well: %d calls, %d answered, %d recorded, %d lost, %d twice.\n", good, len(results), sum.Calls, sum.Allowed, sum.Records, sum.Lost, sum.Twice)
}
