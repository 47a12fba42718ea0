package identity

import (
	"os"
	"testing"

	"go.yaml.in/yaml/v3"

	"sallyport/services/internal/assistant"
)

func readCases(t *testing.T, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	err = yaml.Unmarshal(text, v)
	if err != nil {
		t.Fatal(err)
	}
}

func TestRedirects(t *testing.T) {
	var cases struct {
		Accepted, Refused []string
		Matches           []struct {
			Registered, Asked string
			Allowed           bool
		}
	}
	readCases(t, "testdata/redirects.yaml", &cases)
	table, err := assistant.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, redirect := range cases.Accepted {
		err := checkRedirect(redirect, table.PrivateSchemes)
		if err != nil {
			t.Errorf("%q should be accepted: %v", redirect, err)
		}
	}
	for _, redirect := range cases.Refused {
		if checkRedirect(redirect, table.PrivateSchemes) == nil {
			t.Errorf("%q should be refused", redirect)
		}
	}
	for _, c := range cases.Matches {
		if got := redirectAllowed(c.Asked, []string{c.Registered}); got != c.Allowed {
			t.Errorf("registered %q, asked %q: allowed is %t", c.Registered, c.Asked, got)
		}
	}
}
