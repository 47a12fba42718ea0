//go:build !race

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

var accept = flag.Bool("accept", false, "write down how much a decision allocates now")

const (
	allocationsFile = "testdata/allocations.yaml"
	// mayDiffer is the share by which a number may differ from the one that was accepted.
	mayDiffer = 0.1
)

// TestAllocations holds how often a decision allocates against what was accepted: from Envoy's question to its
// answer, with Redis, and what asks. Without the race detector, which allocates too. A change that is meant is
// written down by
//
//	go test ./services/authz -run Allocations -accept
func TestAllocations(t *testing.T) {
	g := signedIn(t, `{"default":"allow","rules":[]}`, func(c *authz.Config) { c.StreamLimit = 1_000_000 })
	now := map[string]float64{}
	for _, size := range []int{300, 4 << 10, 64 << 10} {
		text := strings.Repeat("as a person writes it, ", size/23)
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"editJiraIssue","arguments":{"issueIdOrKey":"OPS-1","text":%q}}}`, text)
		if g.post(body).GetDeniedResponse() != nil {
			t.Fatal("the call isn't allowed")
		}
		now[fmt.Sprintf("%d B", size)] = testing.AllocsPerRun(1000, func() { g.post(body) })
	}
	if *accept {
		text, err := yaml.Marshal(now)
		must(t, err)
		must(t, os.WriteFile(allocationsFile, text, 0o644))
		return
	}
	text, err := os.ReadFile(allocationsFile)
	must(t, err)
	var accepted map[string]float64
	must(t, yaml.Unmarshal(text, &accepted))
	for size, n := range now {
		if was := accepted[size]; math.Abs(n-was) > mayDiffer*was {
			t.Errorf("a decision on %s allocates %.0f times, and %.0f were accepted: see what does, or accept it (-accept)", size, n, was)
		}
	}
}
