package metrics_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// metric is a line of docs/metrics.md.
type metric struct {
	kind   string
	labels []string
	// text is the rest of the line, which has the values of labels.
	text string
}

var (
	metricLine = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (counter|gauge|histogram) \\|([^|]*)\\|(.*)$")
	quoted     = regexp.MustCompile("`([^`]+)`")
)

// targetLabels are what the scrape configurations of docs/metrics.md add to each series.
var targetLabels = []string{"job", "instance", "part"}

// documented are the metrics of docs/metrics.md by their names.
func documented(t *testing.T) map[string]metric {
	t.Helper()
	all := map[string]metric{"up": {kind: "gauge"}}
	for _, line := range metricLine.FindAllStringSubmatch(read(t, "docs/metrics.md"), -1) {
		m := metric{kind: line[2], text: line[4]}
		for _, label := range quoted.FindAllStringSubmatch(line[3], -1) {
			m.labels = append(m.labels, label[1])
		}
		all[line[1]] = m
	}
	if len(all) < 50 {
		t.Fatalf("docs/metrics.md has %d metrics that this test can read: is its table another?", len(all))
	}
	return all
}

// series finds the metric that a name in an expression belongs to: a histogram has three.
func series(all map[string]metric, name string) (metric, bool) {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		base, ok := strings.CutSuffix(name, suffix)
		if m, known := all[base]; ok && known && m.kind == "histogram" {
			if suffix == "_bucket" {
				m.labels = append(slices.Clone(m.labels), "le")
			}
			return m, true
		}
	}
	m, ok := all[name]
	return m, ok && m.kind != "histogram"
}

// problems parses an expression, and holds the metrics in it, their labels and the values of these against docs/metrics.md.
func problems(all map[string]metric, expression string) (found []string) {
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		return []string{err.Error()}
	}
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			found = append(found, selectorProblems(all, n)...)
		case *parser.AggregateExpr:
			labels := labelsBelow(all, n)
			for _, label := range n.Grouping {
				if !slices.Contains(labels, label) {
					found = append(found, fmt.Sprintf("%s: nothing in it has the label %s", n, label))
				}
			}
		case *parser.Call:
			found = append(found, callProblems(all, n)...)
		}
		return nil
	})
	return found
}

func selectorProblems(all map[string]metric, n *parser.VectorSelector) (found []string) {
	m, ok := series(all, n.Name)
	if !ok {
		return []string{n.Name + ": docs/metrics.md doesn't have it"}
	}
	for _, matcher := range n.LabelMatchers {
		if matcher.Name == "__name__" || slices.Contains(targetLabels, matcher.Name) {
			continue
		}
		if !slices.Contains(m.labels, matcher.Name) {
			found = append(found, fmt.Sprintf("%s has no label %s", n.Name, matcher.Name))
		}
		for value := range strings.SplitSeq(matcher.Value, "|") {
			if !strings.Contains(m.text, "`"+value+"`") && !strings.Contains(m.text, `"`+value+`"`) && !envoys[value] {
				found = append(found, fmt.Sprintf("%s: docs/metrics.md doesn't have the value %q of %s", n.Name, value, matcher.Name))
			}
		}
	}
	return found
}

// envoys are Envoy's listeners and clusters, which docs/metrics.md doesn't name with each metric.
var envoys = map[string]bool{"public": true, "authz": true, "atlassian": true}

// callProblems has rates taken of what only grows, and of nothing else.
func callProblems(all map[string]metric, n *parser.Call) (found []string) {
	if n.Func.Name != "rate" && n.Func.Name != "increase" {
		return nil
	}
	parser.Inspect(n, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			if m, _ := series(all, selector.Name); m.kind == "gauge" {
				found = append(found, fmt.Sprintf("%s: a gauge has no %s", selector.Name, n.Func.Name))
			}
		}
		return nil
	})
	return found
}

// check has a test fail for what is wrong with an expression.
func check(t *testing.T, all map[string]metric, expression string) {
	t.Helper()
	for _, problem := range problems(all, expression) {
		t.Error(problem)
	}
}

// labelsBelow are the labels that series in an expression have.
func labelsBelow(all map[string]metric, tree parser.Node) []string {
	labels := slices.Clone(targetLabels)
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			m, _ := series(all, selector.Name)
			labels = append(labels, m.labels...)
		}
		return nil
	})
	return labels
}

// read returns the text of a file, by its path from the top of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheCheckFindsMistakes shows that each kind of mistake is seen.
func TestTheCheckFindsMistakes(t *testing.T) {
	all := documented(t)
	for _, expression := range []string{
		`sum(rate(sallyport_authz_requests_total[5m])`,
		`sallyport_authz_request_total`,
		`grpc_server_handling_seconds`,
		`sallyport_authz_requests_total{result="blocked"}`,
		`sallyport_authz_requests_total{answer="denied"}`,
		`sum by (reason) (rate(sallyport_authz_requests_total[5m]))`,
		`rate(sallyport_accesslog_waiting[5m])`,
	} {
		if len(problems(all, expression)) == 0 {
			t.Errorf("%s has a mistake that isn't seen", expression)
		}
	}
}
