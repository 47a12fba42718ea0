package admin_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
)

// cached is how often the request cache of an index had what was asked for, and how often it hadn't.
func cached(t *testing.T, address, name string) (hits, misses int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/"+name+"/_stats/request_cache", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var stats struct {
		All struct {
			Total struct {
				Cache struct {
					Hits   int `json:"hit_count"`
					Misses int `json:"miss_count"`
				} `json:"request_cache"`
			} `json:"total"`
		} `json:"_all"`
	}
	err = json.NewDecoder(response.Body).Decode(&stats)
	if err != nil {
		t.Fatal(err)
	}
	return stats.All.Total.Cache.Hits, stats.All.Total.Cache.Misses
}

// TestDashboardsAreAskedForAhead has a service start, and then somebody look.
func TestDashboardsAreAskedForAhead(t *testing.T) {
	address := elastictest.Empty(t)
	day := time.Now().UTC().AddDate(0, 0, -4).Truncate(24 * time.Hour).Add(12 * time.Hour)
	index(t, address, call("1", day, "getJiraIssue"))
	name := activity.IndexOf(day, true)
	client := adminv1.NewDashboardServiceClient(start(t, admin.Config{Elasticsearch: address, Redis: redisOnly(t).Redis}))
	// Each of the three ranges is so many searches of every index.
	const searches = 4
	hits, misses := 0, 0
	for deadline := time.Now().Add(20 * time.Second); hits+misses < 3*searches; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody asked: %d hits, %d misses", hits, misses)
		}
		hits, misses = cached(t, address, name)
	}
	for _, zone := range []string{"UTC", "Europe/Berlin"} {
		for _, r := range []adminv1.DashboardRange{adminv1.DashboardRange_DASHBOARD_RANGE_LAST_7_DAYS, adminv1.DashboardRange_DASHBOARD_RANGE_LAST_30_DAYS} {
			got, err := client.GetDashboard(with(t, viewerToken), &adminv1.GetDashboardRequest{Range: r, TimeZone: zone})
			if err != nil || got.GetTotals().GetCalls() != 1 {
				t.Fatalf("got %v, %v", got.GetTotals(), err)
			}
			nowHits, nowMisses := cached(t, address, name)
			if nowHits != hits+searches || nowMisses != misses {
				t.Errorf("%v in %s: the cache had %d of %d, want all that was asked", r, zone, nowHits-hits, nowHits+nowMisses-hits-misses)
			}
			hits, misses = nowHits, nowMisses
		}
	}
}
