package atlassian_test

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"sallyport/services/identity/atlassian"
)

func problemCases(t testing.TB) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/problems.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string][]string
	err = yaml.Unmarshal(text, &cases)
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestRecognize(t *testing.T) {
	cases := problemCases(t)
	for _, problem := range []atlassian.Problem{
		atlassian.ProblemDomain, atlassian.ProblemAddress, atlassian.ProblemRequest, atlassian.ProblemApp, atlassian.ProblemScopes,
	} {
		if len(cases[string(problem)]) == 0 {
			t.Errorf("no case of %q", problem)
		}
	}
	for name, texts := range cases {
		want := atlassian.Problem(name)
		if name == "none" {
			want = atlassian.NoProblem
		}
		for _, text := range texts {
			got, known := atlassian.Recognize(text)
			if got != want || (known == "") != (want == atlassian.NoProblem) {
				t.Errorf("%q is %q with %q, want %q", text, got, known, want)
			}
		}
	}
}

// FuzzRecognize looks for texts that are recognized in one writing and not in another.
func FuzzRecognize(f *testing.F) {
	for _, texts := range problemCases(f) {
		for _, text := range texts {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		problem, known := atlassian.Recognize(text)
		if problem == atlassian.NoProblem {
			return
		}
		if again, words := atlassian.Recognize(known); again != problem || words != known {
			t.Errorf("%q is %q, but its own words %q are %q", text, problem, known, again)
		}
		if !utf8.ValidString(text) || strings.ContainsAny(text, `&\`) {
			return // Changing its case changes what it says.
		}
		for name, other := range map[string]string{
			"in capitals": strings.ToUpper(text), "with full stops": strings.ReplaceAll(text, " ", ". "), "quoted": `"` + text + `"`,
		} {
			if got, _ := atlassian.Recognize(other); got != problem {
				t.Errorf("%q is %q, but %s %q", text, problem, name, got)
			}
		}
	})
}
