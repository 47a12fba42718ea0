package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// spread is the same figure of several rounds.
type spread []float64

func (s spread) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

// text is the median, and from where to where the rounds went.
func (s spread) text(format string) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", s.median(), slices.Min(s), slices.Max(s))
}

// group are the results of an arm under one load.
type group []result

func (g group) each(figure func(result) float64) spread {
	var s spread
	for _, r := range g {
		s = append(s, figure(r))
	}
	return s
}

// of are the results of an arm with a shape under a load, by round.
func of(results []result, s shape, arm, load string) group {
	var g group
	for _, r := range results {
		if r.Shape == s && r.Arm == arm && r.Load == load {
			g = append(g, r)
		}
	}
	return g
}

// printTables prints what was measured of these arms.
func printTables(out io.Writer, arms []arm, results []result) {
	for _, a := range arms {
		fmt.Fprintf(out, "%-6s %s\n", a.name, a.about)
	}
	var shapes []shape
	for _, r := range results {
		if !slices.Contains(shapes, r.Shape) {
			shapes = append(shapes, r.Shape)
		}
	}
	for _, s := range shapes {
		fmt.Fprintf(out, "\n%s\n", s)
		printShape(out, arms, results, s)
		printProcesses(out, arms, results, s)
		printAdded(out, arms, results, s)
	}
}

// printShape prints each arm's own figures: the median of the rounds, and their least and most.
func printShape(out io.Writer, arms []arm, results []result, s shape) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "arm\tp50 ms\tp99 ms\tp99.9 ms\tmost calls a second\t")
	for _, a := range arms {
		steady, most := of(results, s, a.name, "steady"), of(results, s, a.name, "saturated")
		if len(steady) == 0 || len(most) == 0 {
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t\n", a.name,
			steady.each(func(r result) float64 { return r.P50 }).text("%.2f"),
			steady.each(func(r result) float64 { return r.P99 }).text("%.2f"),
			steady.each(func(r result) float64 { return r.P999 }).text("%.1f"),
			most.each(func(r result) float64 { return r.Rate }).text("%.0f"))
	}
	_ = table.Flush() // as of fmt.Fprintln, nobody could be told
}

// printProcesses prints what the processes that a call goes through take, and the one that makes the calls.
func printProcesses(out io.Writer, arms []arm, results []result, s shape) {
	cpu := func(r result) map[string]float64 { return r.CPU }
	for _, a := range arms {
		steady, most := of(results, s, a.name, "steady"), of(results, s, a.name, "saturated")
		if len(steady) == 0 || len(most) == 0 {
			continue
		}
		fmt.Fprintf(out, "%s, CPU s per 10,000 calls: %s; at the most calls a second: %s\n", a.name, byProcess(a, steady, cpu, 10, "%.1f"), byProcess(a, most, cpu, 10, "%.1f"))
		fmt.Fprintf(out, "%s, memory MiB: %s\n", a.name, byProcess(a, most, func(r result) map[string]float64 { return r.Memory }, 1, "%.0f"))
	}
}

// byProcess lists a figure of these processes.
func byProcess(a arm, g group, figure func(result) map[string]float64, times float64, format string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(figure(g[0]))) {
		part := name == "envoy" && a.script == "" || name == a.process() || name == "load" || name == "upstream" || name == "noop" && !a.whole() && a.logs || name == a.peer ||
			a.whole() && (slices.Contains([]string{"authz", "accesslog", "redis", "elasticsearch"}, name) || a.replicas > 0 && strings.HasPrefix(name, "authz"))
		if part {
			parts = append(parts, fmt.Sprintf("%s "+format, name, times*g.each(func(r result) float64 { return figure(r)[name] }).median()))
		}
	}
	return strings.Join(parts, ", ")
}

// printAdded prints what one arm has more than another, round by round: the machine's mood is the same in both.
func printAdded(out io.Writer, arms []arm, results []result, s shape) {
	pairs := [][2]string{{"b", "a"}, {"c", "b"}, {"opa", "c"}, {"d", "opa"}, {"e", "opa"}, {"d", "c"}, {"e", "c"}, {"d1000", "c"}, {"d2", "d"}, {"d4", "d"}}
	for _, a := range arms {
		if a.script != "" {
			pairs = append(pairs, [2]string{a.name, "c"}, [2]string{"d", a.name}, [2]string{"e", a.name})
		}
	}
	for _, pair := range pairs {
		over, under := of(results, s, pair[0], "steady"), of(results, s, pair[1], "steady")
		most, mostUnder := of(results, s, pair[0], "saturated"), of(results, s, pair[1], "saturated")
		n := min(len(over), len(under), len(most), len(mostUnder))
		if n == 0 {
			continue
		}
		var p50, p99, ratio spread
		for i := range n {
			p50, p99 = append(p50, over[i].P50-under[i].P50), append(p99, over[i].P99-under[i].P99)
			ratio = append(ratio, most[i].Rate/mostUnder[i].Rate)
		}
		fmt.Fprintf(out, "%s over %s: p50 %s ms, p99 %s ms; %s of its calls a second\n", pair[0], pair[1], p50.text("%+.2f"), p99.text("%+.2f"), ratio.text("%.2f"))
	}
}
