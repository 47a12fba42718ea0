package admin_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
)

// told is a call as testdata/dashboard.yaml tells it.
type told struct {
	At                                              time.Time
	Who, Client, Tool, Outcome, Rule, Note, Refusal string
	Blocked                                         bool
	Number, Status                                  int
	Ms, Theirs, Sent, Got                           int64
}

func (c told) record(id string) activity.Record {
	name := strings.ToUpper(c.Client[:1]) + c.Client[1:]
	r := activity.Record{
		Timestamp: c.At, Event: activity.Event{ID: id, Duration: c.Ms * 1e6},
		User: &activity.User{ID: "712020:" + c.Who, Name: c.Who, Email: c.Who + "@acme.test"},
		HTTP: &activity.HTTP{Request: &activity.Request{Body: activity.Body{Bytes: c.Sent}}},
		Sallyport: activity.Sallyport{
			Client: &activity.Client{Key: c.Client, Name: name}, Decision: activity.Allowed, Outcome: c.Outcome, Refusal: c.Refusal, UpstreamLatency: c.Theirs * 1e6,
		},
	}
	if c.Tool != "" {
		r.Sallyport.Operation = &activity.Operation{Name: c.Tool}
	}
	if c.Ms > 0 {
		r.HTTP.Response = &activity.Response{StatusCode: cmp.Or(c.Status, 200), Body: activity.Body{Bytes: c.Got}}
	}
	if c.Rule != "" {
		r.Sallyport.Rule = &activity.Rule{ID: c.Rule, Number: c.Number, Note: c.Note}
	}
	if c.Blocked || c.Rule+c.Refusal != "" {
		r.Sallyport.Decision = activity.Blocked
	}
	return r
}

// notCounted are records of that day that aren't calls that somebody decided about.
func notCounted(at time.Time) []activity.Record {
	act := call("act", at, "")
	act.Sallyport = activity.Sallyport{Act: &activity.Act{Caller: "person"}}
	ping := call("ping", at, "ping")
	ping.Sallyport.Ungoverned = true
	early := activity.Record{Timestamp: at, Event: activity.Event{ID: "outcome first", Duration: 1e9}, Sallyport: activity.Sallyport{Outcome: activity.OutcomeOK}}
	return []activity.Record{act, ping, early}
}

func TestDashboard(t *testing.T) {
	var file struct {
		Calls []told
		Cases []struct {
			Why       string
			Buckets   int
			Ask, Want map[string]any
		}
	}
	readYAML(t, "testdata/dashboard.yaml", &file)
	address := elastictest.Empty(t)
	records := notCounted(time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC))
	for i, c := range file.Calls {
		records = append(records, c.record(fmt.Sprint(i)))
	}
	index(t, address, records...)
	ctx, client := with(t, viewerToken), adminv1.NewDashboardServiceClient(start(t, admin.Config{Elasticsearch: address, Redis: redisOnly(t).Redis}))
	for _, c := range file.Cases {
		t.Run(c.Why, func(t *testing.T) {
			request, want := &adminv1.GetDashboardRequest{}, &adminv1.GetDashboardResponse{}
			asMessage(t, c.Ask, request)
			asMessage(t, c.Want, want)
			got, err := client.GetDashboard(ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.GetBuckets()) != c.Buckets {
				t.Errorf("got %d buckets, want %d", len(got.GetBuckets()), c.Buckets)
			}
			got.Buckets = slices.DeleteFunc(got.GetBuckets(), func(b *adminv1.DashboardBucket) bool { return b.GetAllowed()+b.GetBlocked() == 0 })
			if diff := gocmp.Diff(want, got, protocmp.Transform(), protocmp.FilterMessage(&durationpb.Duration{}, gocmp.Comparer(alike))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// alike compares durations as precisely as percentiles are.
func alike(a, b protocmp.Message) bool {
	seconds := func(m protocmp.Message) float64 {
		s, _ := m["seconds"].(int64)
		n, _ := m["nanos"].(int32)
		return float64(s) + float64(n)/1e9
	}
	return math.Abs(seconds(a)-seconds(b)) <= seconds(a)/100
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	err = yaml.Unmarshal(text, into)
	if err != nil {
		t.Fatal(err)
	}
}

func asMessage(t *testing.T, value map[string]any, into proto.Message) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	err = protojson.Unmarshal(text, into)
	if err != nil {
		t.Fatal(err)
	}
}

// TestDashboardPercentiles compares percentiles of 3,000 calls with those of all their durations in order.
func TestDashboardPercentiles(t *testing.T) {
	address, dice := elastictest.Empty(t), rand.New(rand.NewPCG(5, 6))
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	var durations []int64
	var records []activity.Record
	for i := range 3000 {
		r := call(fmt.Sprint(i), at.Add(time.Duration(i)*time.Minute), "getJiraIssue")
		r.Event.Duration = int64(math.Exp(dice.NormFloat64()*1.5) * 3e8)
		r.Sallyport.UpstreamLatency = r.Event.Duration / 2
		durations, records = append(durations, r.Event.Duration), append(records, r)
	}
	index(t, address, records...)
	slices.Sort(durations)
	ctx, client := asAdmin(t), adminv1.NewDashboardServiceClient(start(t, admin.Config{Elasticsearch: address}))
	got, err := client.GetDashboard(ctx, &adminv1.GetDashboardRequest{Start: timestamppb.New(at), End: timestamppb.New(at.AddDate(0, 0, 3))})
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]float64{
		"p50":           {got.GetTotals().GetDuration().GetP50().AsDuration().Seconds(), float64(durations[1499]) / 1e9},
		"p95":           {got.GetTotals().GetDuration().GetP95().AsDuration().Seconds(), float64(durations[2849]) / 1e9},
		"Atlassian p50": {got.GetTotals().GetUpstream().GetP50().AsDuration().Seconds(), float64(durations[1499]) / 2e9},
		"Atlassian p95": {got.GetTotals().GetUpstream().GetP95().AsDuration().Seconds(), float64(durations[2849]) / 2e9},
	} {
		if math.Abs(pair[0]-pair[1]) > pair[1]/100 {
			t.Errorf("%s is %v s, want %v s and 1 percent more or less", name, pair[0], pair[1])
		}
	}
}

func TestDashboardRanges(t *testing.T) {
	var cases []struct {
		Why, Range, Zone, Within, Before, Interval string
		Now                                        time.Time
		Start, End                                 *time.Time
		Buckets                                    int
		Edges                                      []string
	}
	readYAML(t, "testdata/dashboard_ranges.yaml", &cases)
	for _, c := range cases {
		t.Run(c.Why, func(t *testing.T) {
			request := &adminv1.GetDashboardRequest{TimeZone: c.Zone, Range: adminv1.DashboardRange(adminv1.DashboardRange_value["DASHBOARD_RANGE_"+c.Range])}
			if c.Start != nil {
				request.Start = timestamppb.New(*c.Start)
			}
			if c.End != nil {
				request.End = timestamppb.New(*c.End)
			}
			ends, interval, edges, err := admin.Timeline(request, c.Now)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range strings.Fields(c.Within + " " + c.Before) {
				at, err := time.Parse(time.RFC3339, want)
				if err != nil || !at.Equal(ends[i]) {
					t.Errorf("end %d is %v, want %s", i, ends[i].In(at.Location()), want)
				}
			}
			if interval != c.Interval || len(edges) != c.Buckets {
				t.Errorf("got %d buckets of %s, want %d of %s", len(edges), interval, c.Buckets, c.Interval)
			}
			for _, want := range c.Edges {
				at, err := time.Parse(time.RFC3339, want)
				if err != nil || !slices.ContainsFunc(edges, at.Equal) {
					t.Errorf("no bucket begins at %s", want)
				}
			}
		})
	}
}

func TestDashboardBeforeTheFirstRecord(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewDashboardServiceClient(start(t, admin.Config{Elasticsearch: elastictest.Empty(t)}))
	got, err := client.GetDashboard(ctx, &adminv1.GetDashboardRequest{Range: adminv1.DashboardRange_DASHBOARD_RANGE_LAST_30_DAYS})
	if err != nil || len(got.GetBuckets()) != 30 || proto.Size(got.GetTotals())+proto.Size(got.GetBefore()) != 0 {
		t.Errorf("got %v, %v, want 30 days of zeros", got, err)
	}
}

func TestDashboardRefuses(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewDashboardServiceClient(start(t, admin.Config{}))
	now := time.Now()
	today := adminv1.DashboardRange_DASHBOARD_RANGE_TODAY
	for name, request := range map[string]*adminv1.GetDashboardRequest{
		"range and start":     {Range: today, Start: timestamppb.New(now)},
		"range unknown":       {Range: 9},
		"start is missing":    {},
		"start after end":     {Start: timestamppb.New(now), End: timestamppb.New(now.Add(-time.Hour))},
		"start in the future": {Start: timestamppb.New(now.Add(time.Hour))},
		"start six years ago": {Start: timestamppb.New(now.AddDate(-6, 0, 0))},
		"start no time":       {Start: &timestamppb.Timestamp{Seconds: 1 << 50}},
		"start before 1970":   {Start: timestamppb.New(time.Unix(-1, 0)), End: timestamppb.New(time.Unix(1, 0))},
		"time_zone nowhere":   {Range: today, TimeZone: "Europe/Nowhere"},
		"time_zone local":     {Range: today, TimeZone: "Local"},
		"time_zone a path":    {Range: today, TimeZone: "../../etc/passwd"},
		"user long":           {Range: today, User: strings.Repeat("a", 1025)},
		"client long":         {Range: today, Client: strings.Repeat("a", 1025)},
		"top 51":              {Range: today, Top: 51},
		"top -1":              {Range: today, Top: -1},
	} {
		field, _, _ := strings.Cut(name, " ")
		_, err := client.GetDashboard(ctx, request)
		if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), field) {
			t.Errorf("%s: got %v, want INVALID_ARGUMENT about %s", name, err, field)
		}
	}
}

func TestDashboardWithoutElasticsearch(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewDashboardServiceClient(start(t, admin.Config{}))
	_, err := client.GetDashboard(ctx, &adminv1.GetDashboardRequest{Range: adminv1.DashboardRange_DASHBOARD_RANGE_TODAY})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v, want UNAVAILABLE", err)
	}
}
