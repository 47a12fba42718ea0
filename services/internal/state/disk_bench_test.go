package state_test

import (
	"slices"
	"testing"
	"time"

	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// BenchmarkSave saves roles, which waits for the disk of Redis.
func BenchmarkSave(b *testing.B) {
	for _, fsync := range []string{"no", "everysec", "always"} {
		b.Run(fsync, func(b *testing.B) {
			store := state.Open(redistest.StartSyncing(b, fsync).Address)
			defer store.Close()
			var took []time.Duration
			for version := int64(0); b.Loop(); version++ {
				begun := time.Now()
				_, err := store.SaveRoles(b.Context(), version, nil, state.Save{})
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
		})
	}
}
