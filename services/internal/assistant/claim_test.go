package assistant

import (
	"os"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestDisagrees(t *testing.T) {
	var cases []struct {
		Key, Info string
		Disagrees bool
	}
	text, err := os.ReadFile("testdata/claims.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = yaml.Unmarshal(text, &cases)
	if err != nil {
		t.Fatal(err)
	}
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if got := table.Disagrees(c.Key, c.Info); got != c.Disagrees {
			t.Errorf("%s that calls itself %q: disagrees %t", c.Key, c.Info, got)
		}
	}
	// Whoever rules can name has something that it goes by.
	for _, known := range table.Names {
		if !table.goesBy(known.Key) {
			t.Errorf("nothing says what %s calls itself", known.Key)
		}
	}
}
