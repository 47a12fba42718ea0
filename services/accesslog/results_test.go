package accesslog

import (
	"strings"
	"testing"
)

func TestResults(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		taken  string // t for each entry that was taken, f for each that wasn't
	}{
		"taken":                 {`{"items":[{"update":{"status":201}},{"update":{"status":200}}]}`, "tt"},
		"refused":               {`{"items":[{"update":{"status":400,"error":{"type":"x","reason":"y"}}},{"update":{"status":200}}]}`, "ft"},
		"a shard that failed":   {`{"items":[{"index":{"status":500,"error":{"type":"x","reason":"y"}}},{"index":{"status":500}}]}`, "ff"},
		"too few":               {`{"items":[{"update":{"status":201}}]}`, ""},
		"an empty result":       {`{"items":[{"update":{"status":201}},{}]}`, ""},
		"a result of no status": {`{"items":[{"update":{"status":201}},{"update":{}}]}`, ""},
		"two results":           {`{"items":[{"update":{"status":201},"index":{"status":201}},{"update":{"status":201}}]}`, ""},
		"nothing":               {``, ""},
		"another JSON":          {`{"ok":true}`, ""},
	} {
		results, err := resultsIn(strings.NewReader(test.answer), 2)
		taken := ""
		for _, r := range results {
			if r.Status < 300 {
				taken += "t"
			} else {
				taken += "f"
			}
		}
		if taken != test.taken || (err == nil) != (test.taken != "") {
			t.Errorf("%s: got %q, error %v; want %q", name, taken, err, test.taken)
		}
	}
}
