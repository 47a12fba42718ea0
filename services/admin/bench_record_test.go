package admin_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
)

const (
	// recordsVariable is how many records BenchmarkRecord makes.
	recordsVariable = "SALLYPORT_BENCH_RECORDS"
	// measuredVariable names an Elasticsearch to measure instead of one that is started and removed again. The
	// records that it has are measured; where it has none, they are made, and stay.
	measuredVariable = "SALLYPORT_BENCH_ELASTICSEARCH"
	// stackHeap is the heap of the native stack's Elasticsearch (tools/stack/native), in MiB.
	stackHeap = 512
)

// BenchmarkRecord measures the admin service on a month of records, in an Elasticsearch that is set
// up as the native stack's and has nothing else to do. docs/performance.md has numbers.
func BenchmarkRecord(b *testing.B) {
	address := os.Getenv(measuredVariable)
	if address == "" {
		server := elastictest.StartSized(b, stackHeap)
		b.Cleanup(server.Stop)
		address = server.URL
	}
	transport, err := elastic.Open(address)
	if err != nil {
		b.Fatal(err)
	}
	conn := start(b, admin.Config{Elasticsearch: address, Redis: redistest.Start(b)})
	page, err := adminv1.NewActivityServiceClient(conn).SearchActivity(asAdmin(b), &adminv1.SearchActivityRequest{PageSize: 1})
	if err != nil {
		b.Fatal(err)
	}
	if page.GetTotal() == 0 {
		records, err := strconv.Atoi(os.Getenv(recordsVariable))
		if err != nil {
			records = 100_000
		}
		elastictest.Prepare(b, address)
		newMonth(b, records, time.Now()).write(b, address)
	}
	measureSearches(b, adminv1.NewActivityServiceClient(conn))
	measureDetail(b, adminv1.NewActivityServiceClient(conn))
	measureExports(b, adminv1.NewActivityServiceClient(conn))
	measureDashboards(b, adminv1.NewDashboardServiceClient(conn), transport)
}

func measureSearches(b *testing.B, client adminv1.ActivityServiceClient) {
	b.Helper()
	dice := rand.New(rand.NewPCG(3, 4))
	words := []string{"printer", "OPS-17", "searchJira", "person7", "server room", "contractors", "minutes lorem", "priority"}
	for name, next := range map[string]func() *adminv1.SearchActivityRequest{
		"box": func() *adminv1.SearchActivityRequest {
			return &adminv1.SearchActivityRequest{Query: words[dice.IntN(len(words))]}
		},
		"newest": func() *adminv1.SearchActivityRequest { return &adminv1.SearchActivityRequest{} },
		"filter=decision": func() *adminv1.SearchActivityRequest {
			return &adminv1.SearchActivityRequest{Decision: activity.Blocked}
		},
		"filter=person": func() *adminv1.SearchActivityRequest {
			return &adminv1.SearchActivityRequest{User: fmt.Sprintf("person%d@acme.test", dice.IntN(monthPeople))}
		},
		"deep": func() *adminv1.SearchActivityRequest {
			return &adminv1.SearchActivityRequest{Until: timestamppb.New(somewhere(dice))}
		},
	} {
		measure(b, name, nil, func() error {
			_, err := client.SearchActivity(asAdmin(b), next())
			return err
		})
	}
}

// measureDetail gets records of random moments by their ids.
func measureDetail(b *testing.B, client adminv1.ActivityServiceClient) {
	b.Helper()
	dice := rand.New(rand.NewPCG(5, 6))
	var known []string
	for range 50 {
		page, err := client.SearchActivity(asAdmin(b), &adminv1.SearchActivityRequest{Until: timestamppb.New(somewhere(dice)), PageSize: 1})
		if err != nil {
			b.Fatal(err)
		}
		known = append(known, ids(page)...)
	}
	measure(b, "detail", nil, func() error {
		_, err := client.GetRecord(asAdmin(b), &adminv1.GetRecordRequest{Id: known[dice.IntN(len(known))]})
		return err
	})
}

// measureExports writes the records of six hours in each format, and tells how many a second that are.
func measureExports(b *testing.B, client adminv1.ActivityServiceClient) {
	b.Helper()
	dice := rand.New(rand.NewPCG(7, 8))
	for name, format := range map[string]adminv1.ExportFormat{"jsonl": jsonLines, "csv": asCSV, "atlassian": events} {
		b.Run("export="+name, func(b *testing.B) {
			records := int64(0)
			for b.Loop() {
				until := somewhere(dice)
				search := &adminv1.SearchActivityRequest{Since: timestamppb.New(until.Add(-6 * time.Hour)), Until: timestamppb.New(until)}
				_, last, err := exported(asAdmin(b), b, client, &adminv1.ExportActivityRequest{Search: search, Format: format}, func(*adminv1.ExportActivityResponse) bool { return true })
				if err != nil {
					b.Fatal(err)
				}
				records += last.GetRecords()
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// somewhere is a random moment of the month.
func somewhere(dice *rand.Rand) time.Time {
	return time.Now().Add(-time.Duration(dice.Int64N(int64(monthDays * 24 * time.Hour))))
}

func measureDashboards(b *testing.B, client adminv1.DashboardServiceClient, transport esapi.Transport) {
	b.Helper()
	yes := true
	forget := func() {
		send(b, transport, esapi.IndicesClearCacheRequest{Index: []string{activity.Actions}, Request: &yes})
	}
	month := &adminv1.GetDashboardRequest{Range: adminv1.DashboardRange_DASHBOARD_RANGE_LAST_30_DAYS, TimeZone: "Europe/Berlin"}
	get := func(request *adminv1.GetDashboardRequest) func() error {
		return func() error {
			_, err := client.GetDashboard(asAdmin(b), request)
			return err
		}
	}
	week := &adminv1.GetDashboardRequest{Range: adminv1.DashboardRange_DASHBOARD_RANGE_LAST_7_DAYS, TimeZone: "Europe/Berlin"}
	person := &adminv1.GetDashboardRequest{Start: timestamppb.New(time.Now().AddDate(0, 0, -30)), User: "person0@acme.test"}
	measure(b, "dashboard=30d/cold", forget, get(month))
	measure(b, "dashboard=30d/again", nil, get(month))
	// The last day is a whole workday, whatever the time is: as a busy today is just before midnight.
	midnight := time.Now().UTC().Truncate(24 * time.Hour)
	for midnight.Weekday() == time.Sunday || midnight.Weekday() == time.Monday {
		midnight = midnight.AddDate(0, 0, -1)
	}
	record := func() {
		at := midnight.Add(-24 * time.Hour)
		body := fmt.Sprintf(`{"@timestamp":%q,"event":{"id":"later"},"sallyport":{"decision":"allowed"}}`, at.Format(time.RFC3339Nano))
		send(b, transport, esapi.IndexRequest{Index: activity.IndexOf(at, true), DocumentID: fmt.Sprint("later-", time.Now().UnixNano()), Body: strings.NewReader(body), Refresh: "true"})
	}
	minutes := 0
	looked := func(days, passes int) func() error {
		return func() error {
			minutes += passes
			// The console's ranges end with the minute that it is.
			end := midnight.Add(-time.Duration(minutes) * time.Minute)
			return get(&adminv1.GetDashboardRequest{Start: timestamppb.New(midnight.AddDate(0, 0, -days)), End: timestamppb.New(end), TimeZone: "Europe/Berlin"})()
		}
	}
	for name, days := range map[string]int{"today": 1, "7d": 7, "30d": 30} {
		// A call more has been recorded since; in the same minute, or in the next, when the range has moved on too.
		measure(b, "dashboard="+name+"/watched", record, looked(days, 0))
		measure(b, "dashboard="+name+"/later", record, looked(days, 1))
	}
	measure(b, "dashboard=7d/cold", forget, get(week))
	measure(b, "dashboard=30d/person/cold", forget, get(person))
}

// measure reports how long it takes to do something, as percentiles; before is done before each time
// and not measured.
func measure(b *testing.B, name string, before func(), do func() error) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			if before != nil {
				before()
			}
			began := time.Now()
			err := do()
			if err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		percentile := func(p int) float64 { return float64(took[min(len(took)*p/100, len(took)-1)].Microseconds()) / 1000 }
		b.ReportMetric(percentile(50), "p50-ms")
		b.ReportMetric(percentile(99), "p99-ms")
		b.ReportMetric(0, "ns/op")
	})
}
