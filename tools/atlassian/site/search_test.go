package site_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"sallyport/tools/atlassian/site"
)

const ana = "712020:4f0c7a52-8e1b-4d66-9a3c-1b7d5e20f9a1"

func load[T any](t *testing.T, path string) []T {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []T
	if err := yaml.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func seeded(t *testing.T) *site.Site {
	t.Helper()
	// Noon, so that no test crosses midnight.
	s, err := site.New(func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJQL(t *testing.T) {
	s := seeded(t)
	type search struct {
		JQL   string
		Keys  []string
		Error string
	}
	for _, c := range load[search](t, "testdata/jql.yaml") {
		t.Run(c.JQL, func(t *testing.T) {
			issues, err := s.SearchIssues(ana, c.JQL)
			keys := []string{}
			for _, i := range issues {
				keys = append(keys, i.Key)
			}
			check(t, c.Keys, keys, c.Error, err)
		})
	}
}

func TestCQL(t *testing.T) {
	s := seeded(t)
	type search struct {
		CQL    string
		Titles []string
		Error  string
	}
	for _, c := range load[search](t, "testdata/cql.yaml") {
		t.Run(c.CQL, func(t *testing.T) {
			pages, err := s.SearchContent(ana, c.CQL)
			titles := []string{}
			for _, p := range pages {
				titles = append(titles, p.Title)
			}
			check(t, c.Titles, titles, c.Error, err)
		})
	}
}

func check(t *testing.T, want, found []string, wantError string, err error) {
	t.Helper()
	message := ""
	if err != nil {
		message = err.Error()
	}
	if message != wantError {
		t.Fatalf("error %q, want %q", message, wantError)
	}
	if wantError == "" && !cmp.Equal(want, found) {
		t.Error(cmp.Diff(want, found))
	}
}

func TestSearchesShowChanges(t *testing.T) {
	s := seeded(t)
	summary, labels := "Buy a kettle", []string{"kitchen"}
	created, err := s.CreateIssue(ana, "WEB", site.Fields{Summary: &summary, Labels: &labels})
	if err != nil {
		t.Fatal(err)
	}
	if created.Key != "WEB-11" || created.Reporter != ana || created.Status != "To Do" {
		t.Errorf("created %s by %s in %s, want WEB-11 by ana in To Do", created.Key, created.Reporter, created.Status)
	}
	if _, err := s.Transition(ana, created.Key, "Done"); err != nil {
		t.Fatal(err)
	}
	found, err := s.SearchIssues(ana, "labels = kitchen AND status = Done AND reporter = currentUser()")
	if err != nil || len(found) != 1 {
		t.Fatalf("found %d issues, %v; want the one just moved to Done", len(found), err)
	}
	if err := s.DeleteIssue(created.Key); err != nil {
		t.Fatal(err)
	}
	if found, err := s.SearchIssues(ana, "labels = kitchen"); err != nil || len(found) != 0 {
		t.Errorf("found %d issues, %v; want none after deletion", len(found), err)
	}
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Issue("WEB-11"); err == nil {
		t.Error("WEB-11 exists after a reset")
	}
}
