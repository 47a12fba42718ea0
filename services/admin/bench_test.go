package admin_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/policy"
)

// benchmarked are what policies the benchmark simulates: one that changes next to nothing, and one
// by which every third call is another.
var benchmarked = map[string]*policy.Policy{
	"few":  {Default: policy.Allow, Rules: []policy.Rule{{Operation: "delete*", Effect: policy.Deny}, {Operation: "searchJira*", Client: "chatgpt", Effect: policy.Deny}}},
	"many": {Default: policy.Allow, Rules: []policy.Rule{{Who: "group:contractors", Operation: "write*", Effect: policy.Deny}, {Operation: "jira read*", Effect: policy.Deny, Mode: policy.Monitor}, {Operation: "confluence *", Effect: policy.Deny}}},
}

// BenchmarkSimulatePolicy simulates policies on 10,000 and on 100,000 calls that 500 people made in a
// fortnight, with arguments of 100 bytes to 3 KB. The process that is measured is admin's, with the
// client in it.
func BenchmarkSimulatePolicy(b *testing.B) {
	for _, calls := range []int{10_000, 100_000} {
		cfg, client := withEverything(b)
		fortnight(b, cfg.Elasticsearch, calls)
		for name, draft := range benchmarked {
			b.Run(fmt.Sprintf("calls=%d/changes=%s", calls, name), func(b *testing.B) {
				request := &adminv1.SimulatePolicyRequest{Policy: ofPolicy(message(draft)), Since: timestamppb.New(noon.AddDate(0, 0, -15)), Until: timestamppb.New(noon)}
				told := 0
				stop := watchHeap()
				for b.Loop() {
					var result *adminv1.SimulationResult
					result, told = simulate(asAdmin(b), b, client, request)
					if result.GetCalls() != int64(calls) || result.GetNewlyBlocked() == 0 {
						b.Fatalf("got %v", result)
					}
				}
				b.ReportMetric(stop(), "MiB-peak-heap")
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/simulation")
				b.ReportMetric(float64(calls*b.N)/b.Elapsed().Seconds(), "records/s")
				b.ReportMetric(float64(told), "progress")
			})
		}
	}
}

// fortnight indexes calls of two weeks, decided by the first policy of a new installation.
func fortnight(b *testing.B, address string, calls int) {
	b.Helper()
	const batch = 2000
	a := &acme{rand: rand.New(rand.NewPCG(1, 2)), engine: compiled(b, &policy.Policy{Default: policy.Allow, Rules: []policy.Rule{{Operation: "delete*", Effect: policy.Deny}}})}
	apart := 14 * 24 * time.Hour / time.Duration(calls)
	for from := 0; from < calls; from += batch {
		records := make([]activity.Record, batch)
		for i := range records {
			records[i], _ = a.record(b, fmt.Sprintf("%08x-93d5-4e0a-8c77-5a2e9d04f1b3", from+i), noon.Add(-time.Duration(from+i+1)*apart), 500)
		}
		index(b, address, records...)
	}
}

// watchHeap watches what the heap has beyond what it has now, and returns a function that ends that
// and says the most, in MiB.
func watchHeap() func() float64 {
	const inUse = "/memory/classes/heap/objects:bytes"
	heap := func() uint64 {
		sample := []metrics.Sample{{Name: inUse}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	runtime.GC()
	before, done, most := heap(), make(chan struct{}), make(chan uint64)
	go func() {
		peak := before
		for {
			select {
			case <-done:
				most <- peak
				return
			case <-time.After(2 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
	}()
	return func() float64 {
		close(done)
		return float64(<-most-before) / (1 << 20)
	}
}
