package activity_test

import (
	"strings"
	"testing"

	"sallyport/services/internal/activity"
)

func TestKeysIn(t *testing.T) {
	for text, want := range map[string]string{
		`{"issueIdOrKey":"OPS-12"}`:                               "OPS-12 | OPS",
		`{"issueIdOrKey":"ops-12"}`:                               "OPS-12 | OPS",
		`{"issueIdOrKey":"10107"}`:                                " | ",
		`{"projectKey":"OPS"}`:                                    " | OPS",
		`{"project" : "web"}`:                                     " | WEB",
		`{"projectIdOrKey":"10000"}`:                              " | ",
		`{"projectKeys":["OPS","WEB"]}`:                           " | OPS WEB",
		`{"fields":{"project":{"key":"OPS"}}}`:                    " | OPS",
		`{"jql":"project = OPS AND status = Done"}`:               " | OPS",
		`{"jql":"PROJECT=ops"}`:                                   " | ",
		`{"jql":"Project in (OPS, \"WEB\") order by created"}`:    " | OPS WEB",
		`{"jql":"project = \"OPS\" and key >= OPS-5"}`:            "OPS-5 | OPS",
		`{"jql":"project != OPS"}`:                                " | ",
		`{"jql":"key in (OPS-1,OPS-2,A_B2-3)"}`:                   "OPS-1 OPS-2 A_B2-3 | OPS A_B2",
		`{"body":"See OPS-12, OPS-12 and the project: we go on"}`: "OPS-12 | OPS",
		`{"body":"gpt-4 on 2026-11-25, +49-30-1234, x--5"}`:       " | ",
		`{"url":"https://acme.test/browse/OPS-12?x=1"}`:           "OPS-12 | OPS",
		`{"id":"6B1F2C84-93D5-4E0A-8C77-5A2E9D04F1B3"}`:           " | ",
		``: " | ",
	} {
		issues, projects := activity.KeysIn(text)
		if got := strings.Join(issues, " ") + " | " + strings.Join(projects, " "); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// FuzzKeysIn makes sure that keys are of the text, each once, and bounded.
func FuzzKeysIn(f *testing.F) {
	for _, text := range []string{`{"projectKeys":["OPS","WEB"],"key":"A-1"}`, `project in (`, `project`, `-`, `A-`, `"a-1"`, strings.Repeat("AB-1 ", 99)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		issues, projects := activity.KeysIn(text)
		for _, keys := range [][]string{issues, projects} {
			seen := map[string]bool{}
			for _, key := range keys {
				if seen[key] || len(key) < 2 || !strings.Contains(strings.ToUpper(text), key) {
					t.Errorf("%q of %q", key, text)
				}
				seen[key] = true
			}
			if len(keys) > 50 {
				t.Errorf("%d keys", len(keys))
			}
		}
	})
}
