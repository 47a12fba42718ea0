package admin_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
)

// BenchmarkSimulatePolicy simulates a policy on 100,000 recorded calls of 500 people.
func BenchmarkSimulatePolicy(b *testing.B) {
	const calls, batch = 100_000, 5_000
	cfg, client := withEverything(b)
	operations := []string{"getJiraIssue", "searchJiraIssuesUsingJql", "editJiraIssue", "createJiraIssue", "getConfluencePage", "createConfluencePage", "addCommentToJiraIssue"}
	groups := []string{"developers", "contractors", "support", "finance"}
	for from := 0; from < calls; from += batch {
		records := make([]activity.Record, batch)
		for i := range records {
			n := from + i
			records[i] = by(call(fmt.Sprint("bench", n), noon.Add(time.Duration(n)*time.Millisecond), operations[n%len(operations)]),
				fmt.Sprintf("person%d@acme.test", n%500), "claude", groups[n%len(groups)], "everybody")
		}
		index(b, cfg.Elasticsearch, records...)
	}
	request := &adminv1.SimulatePolicyRequest{Policy: ofPolicy(denying("delete*", "confluence create*", "jira edit*")), Since: timestamppb.New(noon)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	told := 0
	for b.Loop() {
		var result *adminv1.SimulationResult
		result, told = simulate(asAdmin(b), b, client, request)
		if result.GetCalls() != calls || result.GetNewlyBlocked() == 0 {
			b.Fatalf("got %v", result)
		}
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(told), "progress")
	b.ReportMetric(float64(after.HeapSys)/(1<<20), "MiB-heap")
}
