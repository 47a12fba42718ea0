package atlassian

import (
	"slices"
	"strings"
	"testing"
)

// TestPersonIsChecked looks at what Atlassian may say of who signed in, and where.
func TestPersonIsChecked(t *testing.T) {
	ana := Person{AccountID: "712020:4f0c7a52-8e1b-4d66-9a3c-1b7d5e20f9a1", Email: "ana@acme.test", Name: "Ana", Sites: []Site{{ID: "6b1f2c84-93d5-4e0a-8c77-5a2e9d04f1b3"}}}
	for name, c := range map[string]struct {
		tools, me Person
		says      string
	}{
		"the same person":       {ana, Person{AccountID: ana.AccountID, Email: ana.Email, Name: ana.Name}, ""},
		"the tools say nothing": {Person{}, ana, ""},
		"an old account id":     {Person{}, Person{AccountID: "5b10a2844c20165700ede21g"}, ""},
		"two people":            {ana, Person{AccountID: "712020:bo"}, "two different accounts"},
		"no account id":         {Person{}, Person{AccountID: "ana mora"}, "can't be an Atlassian account id"},
		"a long account id":     {Person{}, Person{AccountID: strings.Repeat("1", 129)}, "can't be an Atlassian account id"},
		"a site that is none":   {Person{Sites: []Site{{ID: "1"}, {ID: "../6b1f"}}}, Person{AccountID: "1"}, "can't be a cloud id"},
		"two addresses":         {Person{}, Person{AccountID: "1", Email: "ana@acme.test,bo@acme.test"}, "can't be one"},
		"no address":            {Person{}, Person{AccountID: "1", Email: "ana"}, "can't be one"},
		"a long name":           {Person{}, Person{AccountID: "1", Name: strings.Repeat("x", 321)}, "more than 320 bytes"},
	} {
		got, err := c.tools.with(c.me)
		if c.says == "" && (err != nil || got.AccountID != c.me.AccountID || !slices.Equal(got.Sites, c.tools.Sites)) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || got.AccountID != "") {
			t.Errorf("%s: %+v, %v, want %q", name, got, err, c.says)
		}
	}
}
