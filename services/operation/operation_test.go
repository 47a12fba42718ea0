package operation_test

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/operation"
)

// lines returns the lines of a table, without comments.
func lines(t testing.TB, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []string
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		if line := scanner.Text(); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	if scanner.Err() != nil || len(list) == 0 {
		t.Fatalf("%s has %d lines, error %v", file, len(list), scanner.Err())
	}
	return list
}

func orDash(list ...string) string {
	if text := strings.Join(list, ","); text != "" {
		return text
	}
	return "-"
}

func TestKnownNames(t *testing.T) {
	for _, line := range lines(t, "testdata/operations.txt") {
		// A name may have blanks; what follows it has none.
		fields := strings.Fields(line)
		last := len(fields) - 3
		name := strings.Join(fields[:last], " ")
		o := operation.Parse(name, "")
		got := []string{orDash(o.Product), orDash(o.Verbs...), orDash(o.Families()...)}
		if diff := cmp.Diff(fields[last:], got); diff != "" || o.Name != name {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
}

func TestWords(t *testing.T) {
	for _, line := range lines(t, "testdata/words.txt") {
		name, want, _ := strings.Cut(line, " =")
		if got := strings.Join(operation.Parse(name, "").Words, " "); got != strings.TrimSpace(want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestOtherName(t *testing.T) {
	for name, other := range map[string]string{
		"getConfluencePage":         "getConfluenceContent",
		"getConfluenceContent":      "getConfluencePage",
		"GETCONFLUENCECONTENT":      "getConfluencePage",
		"addCommentToJiraIssue":     "addOrEditJiraIssueComment",
		"listJiraIssueTransitions":  "getTransitionsForJiraIssue",
		"addOrEditJiraIssueWorklog": "addWorklogToJiraIssue",
		"getJiraIssue":              "",
		"getConfluencePageX":        "",
	} {
		if got := operation.Parse(name, "").Other; got != other {
			t.Errorf("%s: got %q, want %q", name, got, other)
		}
		if other != "" && !strings.EqualFold(operation.Parse(other, "").Other, name) {
			t.Errorf("%s has no way back from %s", name, other)
		}
	}
}

func TestProductOfFetch(t *testing.T) {
	for _, c := range []struct{ name, id, want string }{
		{"fetch", "ari:cloud:jira:acme:issue/10107", "jira"},
		{"fetch", "ari:cloud:confluence:acme:page/123", "confluence"},
		{"Fetch", " ARI:cloud:Confluence:acme:page/123", "confluence"},
		{"fetch", "ari:cloud:jira", ""},
		{"fetch", "https://acme.atlassian.net/wiki/1", ""},
		{"fetch", "", ""},
		{"fetchAtlassian", "ari:cloud:jira:acme:issue/10107", ""},
		{"getJiraIssue", "ari:cloud:confluence:acme:page/123", "jira"},
	} {
		if got := operation.Parse(c.name, c.id).Product; got != c.want {
			t.Errorf("%s of %q: got %q, want %q", c.name, c.id, got, c.want)
		}
	}
}

// FuzzParse shows that words are all of a name but what separates them, and that verbs are words.
func FuzzParse(f *testing.F) {
	for _, line := range lines(f, "testdata/words.txt") {
		name, _, _ := strings.Cut(line, " =")
		f.Add(name, "ari:cloud:jira:acme:issue/1")
	}
	f.Fuzz(func(t *testing.T, name, id string) {
		o := operation.Parse(name, id)
		kept := strings.Map(func(r rune) rune {
			if strings.ContainsRune("_-./:", r) || unicode.IsSpace(r) {
				return -1
			}
			return unicode.ToLower(r)
		}, name)
		if got := strings.Join(o.Words, ""); got != kept {
			t.Errorf("the words of %q are %q", name, o.Words)
		}
		for _, word := range o.Words {
			if word == "" {
				t.Errorf("%q has an empty word", name)
			}
		}
		for _, verb := range o.Verbs {
			if operation.FamilyOf(verb) == "" {
				t.Errorf("%q has the verb %q of no family", name, verb)
			}
		}
		if len(o.Families()) > len(o.Verbs) {
			t.Errorf("%q has more families than verbs: %q", name, o.Families())
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		operation.Parse("addOrEditJiraIssueComment", "")
	}
}
