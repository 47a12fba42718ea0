package assistant

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestIdentify(t *testing.T) {
	var cases []struct {
		Name      string
		Redirects []string
		Is        struct{ Key, Name, Class string }
	}
	text, err := os.ReadFile("testdata/assistants.yaml")
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
		got := table.Identify(c.Name, c.Redirects)
		if diff := cmp.Diff(Identity(c.Is), got); diff != "" {
			t.Errorf("%q with %q (-want +got):\n%s", c.Name, c.Redirects, diff)
		}
	}
}
