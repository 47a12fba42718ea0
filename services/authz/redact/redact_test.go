package redact_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sallyport/services/authz/redact"
	"sallyport/services/internal/activity"
)

func keys(t testing.TB) *redact.Keys {
	t.Helper()
	k, err := redact.Parse([]string{"password", "token", " apiKey", "authorization", "!pageToken"})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type sample struct {
	Name, Value, Body, Want string
	Same                    bool
}

func samples(t testing.TB, file string) []sample {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	err = yaml.Unmarshal(text, &all)
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: %d samples, %v", file, len(all), err)
	}
	return all
}

func TestValue(t *testing.T) {
	for _, s := range samples(t, "testdata/values.yaml") {
		want := s.Want
		if s.Same {
			want = s.Value
		}
		if got := string(keys(t).Value([]byte(s.Value))); got != want {
			t.Errorf("%s: %s becomes\n%s, want\n%s", s.Name, s.Value, got, want)
		}
	}
}

func TestBody(t *testing.T) {
	for _, s := range samples(t, "testdata/bodies.yaml") {
		if got := keys(t).Body([]byte(s.Body)); got != s.Want {
			t.Errorf("%s: %s becomes\n%s, want\n%s", s.Name, s.Body, got, s.Want)
		}
	}
}

func TestLargeTextsAreCut(t *testing.T) {
	fits, large := strings.Repeat("é", activity.MaxText/2), strings.Repeat(`\"`, activity.MaxText+10)
	got := string(keys(t).Value([]byte(`{"fits":"` + fits + `","large":"` + large + `","after":1}`)))
	want := `{"fits":"` + fits + `","large":"` + large[:2*activity.MaxText] + ` [10 more bytes were cut]","after":1}`
	if got != want {
		t.Errorf("got %.100s ... %s", got, got[len(got)-100:])
	}
}

func TestParse(t *testing.T) {
	for _, names := range [][]string{nil, {""}, {"password", "!"}, {"!pageToken"}, {"-"}} {
		_, err := redact.Parse(names)
		if err == nil {
			t.Errorf("%q is taken", names)
		}
	}
}

// FuzzValue compares with a plain reading: what is cut stays JSON, no key that is just a secret one keeps
// its value, and all others have theirs.
func FuzzValue(f *testing.F) {
	for _, s := range samples(f, "testdata/values.yaml") {
		f.Add([]byte(s.Value))
	}
	k := keys(f)
	f.Fuzz(func(t *testing.T, value []byte) {
		_ = k.Body(value)
		if !json.Valid(value) {
			return
		}
		got := k.Value(bytes.Clone(value))
		var before, after any
		if json.Unmarshal(value, &before) != nil {
			return
		}
		err := json.Unmarshal(got, &after)
		if err != nil || !agree(before, after) {
			t.Errorf("%q becomes %q", value, got)
		}
	})
}

var separators = regexp.MustCompile(`[^\pL\p{Nd}]`)

// agree reports whether one value can be what is recorded of another.
func agree(before, after any) bool {
	switch b := before.(type) {
	case []any:
		a, ok := after.([]any)
		return ok && slices.EqualFunc(b, a, agree)
	case map[string]any:
		a, ok := after.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range b {
			if !agreeUnder(key, value, a[key]) {
				return false
			}
		}
		return true
	}
	return before == after
}

func agreeUnder(key string, before, after any) bool {
	note, _ := after.(string)
	cut := strings.HasSuffix(note, " was cut out: the key looks secret]")
	plain := strings.ToLower(separators.ReplaceAllString(key, ""))
	for _, secret := range []string{"password", "token", "apikey", "authorization"} {
		switch before {
		case nil, true, false, "":
			return after == before
		}
		if strings.EqualFold(key, secret) && !cut {
			return false
		}
		if strings.Contains(plain, secret) && cut {
			return true
		}
	}
	return agree(before, after)
}

// BenchmarkValue is of arguments with nothing to cut.
func BenchmarkValue(b *testing.B) {
	node := `{"type":"paragraph","content":[{"type":"text","text":"All the king's horses"}]}`
	for name, value := range map[string]string{
		"small":    `{"name":"editJiraIssue","cloudId":"acme.atlassian.net","inputs":{"issueIdOrKey":"OPS-1","description":"All the king's horses"}}`,
		"document": `{"name":"editJiraIssue","inputs":{"description":{"type":"doc","content":[` + strings.Repeat(node+",", 800) + node + `]}}}`,
	} {
		k, value := keys(b), []byte(value)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(value)))
			for b.Loop() {
				_ = k.Value(value)
			}
		})
	}
}
