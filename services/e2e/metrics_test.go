package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

var (
	metricLine = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (counter|gauge|histogram) \\|([^|]*)\\|")
	quoted     = regexp.MustCompile("`([^`]+)`")
)

// TestMetricsAreDocumented holds docs/metrics.md against what each part tells: it has every metric of Sallyport's
// own and none that isn't there, each with its type and labels.
func TestMetricsAreDocumented(t *testing.T) {
	applyPolicy(t, allowAll)
	// What Envoy tells of a cluster is there once that has answered.
	connect(t, "ana@acme.test", "Claude").call(t, "getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": "OPS-1"})
	documented := documentedMetrics(t)
	// Envoy brings its numbers together every few seconds.
	eventually(t, 15*time.Second, func() error {
		told, err := toldMetrics()
		if err != nil {
			return err
		}
		var wrong []string
		for name, is := range told {
			if _, ok := documented[name]; !ok && strings.HasPrefix(name, "sallyport_") {
				wrong = append(wrong, fmt.Sprintf("docs/metrics.md lacks %s, a %s", name, is))
			}
		}
		for name, says := range documented {
			if is := told[name]; is != says {
				wrong = append(wrong, fmt.Sprintf("docs/metrics.md says that %s is a %s; it is %q", name, says, is))
			}
		}
		if len(wrong) > 0 {
			slices.Sort(wrong)
			return fmt.Errorf("%d mistakes:\n%s", len(wrong), strings.Join(wrong, "\n"))
		}
		return nil
	})
}

// documentedMetrics are the type and labels of each metric in docs/metrics.md, as one text.
func documentedMetrics(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, line := range metricLine.FindAllStringSubmatch(string(text), -1) {
		labels := map[string]bool{}
		for _, label := range quoted.FindAllStringSubmatch(line[3], -1) {
			labels[label[1]] = true
		}
		all[line[1]] = shape(line[2], labels)
	}
	return all
}

// toldMetrics are those of what the parts tell Prometheus.
func toldMetrics() (map[string]string, error) {
	all := map[string]string{}
	for part, url := range sallyport.MetricsURLs {
		response, err := http.Get(url)
		if err != nil {
			return nil, err
		}
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		for name, family := range families {
			labels := map[string]bool{}
			for _, m := range family.GetMetric() {
				for _, pair := range m.GetLabel() {
					labels[pair.GetName()] = true
				}
			}
			all[name] = shape(strings.ToLower(family.GetType().String()), labels)
		}
	}
	return all, nil
}

// shape is a metric's type and labels, such as "counter by answer".
func shape(kind string, labels map[string]bool) string {
	if len(labels) == 0 {
		return kind
	}
	return kind + " by " + strings.Join(slices.Sorted(maps.Keys(labels)), ", ")
}
