package authz_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sallyport/services/authz"
)

var accept = flag.Bool("accept", false, "write down what a decision costs now")

// mayDiffer is the share by which a number may differ from the one that was accepted.
const mayDiffer = 0.1

// decider returns what has a call with so many bytes of arguments decided, from Envoy's question to its answer, with Redis.
func decider(t *testing.T, size int) func() {
	t.Helper()
	g := signedIn(t, `{"default":"allow","rules":[]}`, func(c *authz.Config) { c.StreamLimit = 1_000_000 })
	text := strings.Repeat("as a person writes it, ", size/23)
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"editJiraIssue","arguments":{"issueIdOrKey":"OPS-1","text":%q}}}`, text)
	if g.post(body).GetDeniedResponse() != nil {
		t.Fatal("the call isn't allowed")
	}
	return func() { g.post(body) }
}

// gated counts something of decisions on bodies of several sizes, and holds it against what was accepted.
func gated(t *testing.T, file, what string, count func(size int) float64) {
	t.Helper()
	now := map[string]float64{}
	for _, size := range []int{300, 4 << 10, 64 << 10} {
		now[fmt.Sprintf("%d B", size)] = math.Round(count(size))
	}
	if *accept {
		text, err := yaml.Marshal(now)
		must(t, err)
		must(t, os.WriteFile(file, text, 0o644))
		return
	}
	text, err := os.ReadFile(file)
	must(t, err)
	var accepted map[string]float64
	must(t, yaml.Unmarshal(text, &accepted))
	for size, n := range now {
		t.Logf("a decision on %s: %.0f %s", size, n, what)
		if was := accepted[size]; math.Abs(n-was) > mayDiffer*was {
			t.Errorf("a decision on %s takes %.0f %s, and %.0f were accepted: see what does, or accept it (-accept)", size, n, what, was)
		}
	}
}
