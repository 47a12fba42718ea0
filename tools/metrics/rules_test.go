package metrics_test

import (
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// TestRules has Prometheus read the alert rules, templates among them, and looks that each says what people have to know.
func TestRules(t *testing.T) {
	all := documented(t)
	groups, errs := rulefmt.Parse([]byte(read(t, "deploy/prometheus/rules.yml")), false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.Default())
	for _, err := range errs {
		t.Error(err)
	}
	if t.Failed() {
		return
	}
	names := map[string]bool{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			t.Run(rule.Alert, func(t *testing.T) {
				if names[rule.Alert] {
					t.Error("another alert has this name")
				}
				names[rule.Alert] = true
				check(t, all, rule.Expr)
				if severity := rule.Labels["severity"]; severity != "critical" && severity != "warning" {
					t.Errorf("the severity is %q", severity)
				}
				for _, name := range []string{"summary", "impact", "action"} {
					if text := rule.Annotations[name]; !strings.HasSuffix(text, ".") {
						t.Errorf("%s isn't a sentence: %q", name, text)
					}
				}
				checkHeading(t, rule.Annotations["runbook"])
			})
		}
	}
	if len(names) == 0 {
		t.Error("there are no rules")
	}
}

var (
	headingLine = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInAnchor = regexp.MustCompile(`[^a-z0-9 -]`)
)

// checkHeading looks for the heading that a link such as docs/siem.md#alerts leads to.
func checkHeading(t *testing.T, link string) {
	t.Helper()
	path, anchor, _ := strings.Cut(link, "#")
	for _, line := range headingLine.FindAllStringSubmatch(read(t, path), -1) {
		plain := notInAnchor.ReplaceAllString(strings.ToLower(line[1]), "")
		if strings.ReplaceAll(plain, " ", "-") == anchor {
			return
		}
	}
	t.Errorf("%s has no heading #%s", path, anchor)
}

var docLink = regexp.MustCompile(`\]\(([a-z-]*\.md)?(#[a-z0-9-]+)\)`)

// TestLinks follows the links to headings in the pages that alerts lead to.
func TestLinks(t *testing.T) {
	for _, page := range []string{"metrics.md", "operations.md", "siem.md"} {
		for _, link := range docLink.FindAllStringSubmatch(read(t, "docs/"+page), -1) {
			if link[1] == "" {
				link[1] = page
			}
			checkHeading(t, "docs/"+link[1]+link[2])
		}
	}
}
