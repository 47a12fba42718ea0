//go:build !race

package authz_test

import "testing"

// TestAllocations holds how often a decision allocates against what was accepted: from Envoy's question to its
// answer, with Redis, and what asks. Without the race detector, which allocates too. A change that is meant is
// written down by
//
//	go test ./services/authz -run Allocations -accept
func TestAllocations(t *testing.T) {
	gated(t, "testdata/allocations.yaml", "allocations", func(size int) float64 { return testing.AllocsPerRun(1000, decider(t, size)) })
}
