package policyfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/policy"
	"sallyport/services/policyfile"
)

// policyCase is a file of testdata/good or testdata/refused: a policy file, and below "=== want" what it
// holds, or what is wrong with it.
type policyCase struct{ name, text, want string }

func policyCases(tb testing.TB, folder string) []policyCase {
	tb.Helper()
	paths, err := filepath.Glob("testdata/" + folder + "/*.yaml")
	if err != nil || len(paths) == 0 {
		tb.Fatal("no cases", err)
	}
	var cases []policyCase
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		text, want, _ := strings.Cut(string(content), "=== want\n")
		cases = append(cases, policyCase{strings.TrimSuffix(filepath.Base(path), ".yaml"), text, want})
	}
	return cases
}

func TestReadGoodPolicies(t *testing.T) {
	for _, test := range policyCases(t, "good") {
		t.Run(test.name, func(t *testing.T) {
			file, err := policyfile.Read("x.yaml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, inWords(file)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBadPoliciesAreRefused shows that each is refused with the place of what is wrong.
func TestBadPoliciesAreRefused(t *testing.T) {
	for _, test := range policyCases(t, "refused") {
		t.Run(test.name, func(t *testing.T) {
			_, err := policyfile.Read("x.yaml", []byte(test.text))
			if err == nil {
				t.Fatal("it was taken")
			}
			if diff := cmp.Diff(test.want, err.Error()+"\n"); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// inWords is a policy with only what the file says, for comparison.
func inWords(f *policyfile.File) string {
	text := string(f.Policy.Default)
	if f.Version > 0 {
		text += fmt.Sprintf(" from version %d", f.Version)
	}
	text += "\n"
	for _, r := range f.Policy.Rules {
		text += string(r.Effect)
		for _, field := range []struct{ name, value string }{
			{"client", r.Client}, {"who", r.Who}, {"operation", r.Operation}, {"note", r.Note}, {"mode", string(r.Mode)},
		} {
			if field.value != "" {
				text += " " + field.name + "=" + field.value
			}
		}
		if r.Verified {
			text += " verified"
		}
		if r.ID != "" {
			text += " id=" + r.ID
		}
		text += "\n"
	}
	return text
}

// FuzzRead: any file is read or refused with a reason, and what was read can be put in force.
func FuzzRead(f *testing.F) {
	for _, seed := range append(policyCases(f, "good"), policyCases(f, "refused")...) {
		f.Add([]byte(seed.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := policyfile.Read("x.yaml", text)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		_, err = policy.Compile(&file.Policy)
		if err != nil {
			t.Errorf("what was read is refused: %v", err)
		}
	})
}

func TestReadRefusesALargeFile(t *testing.T) {
	_, err := policyfile.Read("x.yaml", make([]byte, policyfile.MaxBytes+1))
	if err == nil || !strings.Contains(err.Error(), "larger than 2 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestBlameFindsTheLine(t *testing.T) {
	file, err := policyfile.Read("x.yaml", []byte("default: allow\nrules:\n  - operation: \"delete*\"\n    effect: deny\n  - who: any\n    effect: deny\n"))
	if err != nil {
		t.Fatal(err)
	}
	for field, at := range map[string]string{
		"rules[1].who": "5:10", "rules[1].client": "5:5", "rules": "3:3", "default": "1:10", "rules[7].id": "3:3", "": "1:1", "a.b": "1:1",
	} {
		err := file.Blame([]policy.Violation{{Field: field, Sentence: "it is wrong"}})
		if want := "x.yaml:" + at + ": it is wrong."; err.Error() != want {
			t.Errorf("%q: got %v, want %s", field, err, want)
		}
	}
}
