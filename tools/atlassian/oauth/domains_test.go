package oauth

import (
	"os"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestDomains(t *testing.T) {
	text, err := os.ReadFile("testdata/domains.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Entry       string
		Allows, Not []string
	}
	if err := yaml.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		for _, redirect := range c.Allows {
			if !allowed([]string{c.Entry}, redirect) {
				t.Errorf("%s doesn't allow %s", c.Entry, redirect)
			}
		}
		for _, redirect := range c.Not {
			if allowed([]string{c.Entry}, redirect) {
				t.Errorf("%s allows %s", c.Entry, redirect)
			}
		}
	}
}
