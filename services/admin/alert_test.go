package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/state"
)

// alerted is the alert of a first block by the record of an id.
func alerted(id string, at time.Time) activity.Record {
	r := blocked(call("alert-"+id, at, "deleteJiraIssue"), 3, "never delete")
	r.Event = activity.Event{ID: "alert-" + id, Kind: activity.AlertKind, Action: activity.AlertFirstBlock}
	r.Sallyport.Decision, r.Sallyport.Alert, r.HTTP = "", &activity.Alert{Record: id}, nil
	return r
}

func TestAlertsAreListedAndNotSearched(t *testing.T) {
	address := elastictest.Empty(t)
	begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	conn := start(t, admin.Config{Elasticsearch: address})
	records := []activity.Record{call("r0", begin, "searchJira")}
	for i := range 5 {
		records = append(records, alerted(fmt.Sprint("r", i), begin.Add(time.Duration(i)*time.Hour)))
	}
	index(t, address, records...)
	ctx, client := with(t, viewerToken), adminv1.NewAlertServiceClient(conn)
	var got []string
	request := &adminv1.ListAlertsRequest{Since: timestamppb.New(begin.Add(time.Hour)), PageSize: 2}
	for {
		page, err := client.ListAlerts(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.GetAlerts() {
			got = append(got, a.GetRecordId())
			want := `Ana Acme (ana@acme.test) was blocked for the first time by rule 3 ("never delete"): deleteJiraIssue with Claude (claude, verified). See it: sallyport log show ` + a.GetRecordId()
			if a.GetAlert() != "first_block" || a.GetMessage() != want || a.GetRuleNumber() != 3 || a.GetUser().GetEmail() != "ana@acme.test" || a.GetClient().GetKey() != "claude" {
				t.Errorf("got %v", a)
			}
		}
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" {
			break
		}
	}
	if want := []string{"r4", "r3", "r2", "r1"}; !slices.Equal(got, want) {
		t.Errorf("got the alerts of %q, want %q", got, want)
	}
	found, err := adminv1.NewActivityServiceClient(conn).SearchActivity(ctx, &adminv1.SearchActivityRequest{})
	if err != nil || len(found.GetRecords()) != 1 || found.GetRecords()[0].GetId() != "r0" {
		t.Errorf("the log shows %v (%v), want the call alone", found.GetRecords(), err)
	}
	for name, bad := range map[string]*adminv1.ListAlertsRequest{
		"page_size is -1": {PageSize: -1}, "page_token is none": {PageToken: "x"},
	} {
		_, err := client.ListAlerts(ctx, bad)
		if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestAlertOfABlockRateSaysSinceWhen(t *testing.T) {
	address := elastictest.Empty(t)
	begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	conn := start(t, admin.Config{Elasticsearch: address})
	rate := alerted("r1", begin.Add(time.Minute))
	rate.Event.Action = activity.AlertBlockRate
	rate.Sallyport.Alert.Blocked, rate.Sallyport.Alert.Calls, rate.Sallyport.Alert.Since = 20, 25, begin
	index(t, address, rate, alerted("r2", begin))
	page, err := adminv1.NewAlertServiceClient(conn).ListAlerts(with(t, viewerToken), &adminv1.ListAlertsRequest{})
	if err != nil || len(page.GetAlerts()) != 2 {
		t.Fatalf("got %v (%v), want two alerts", page.GetAlerts(), err)
	}
	if since := page.GetAlerts()[0].GetSince(); !since.AsTime().Equal(begin) {
		t.Errorf("the block rate is since %v, want %v", since, begin)
	}
	if since := page.GetAlerts()[1].GetSince(); since != nil {
		t.Errorf("the first block is since %v, want nothing", since)
	}
}

func TestStatusTellsOfDeliveries(t *testing.T) {
	cfg := redisOnly(t)
	conn := start(t, cfg)
	store := state.Open(cfg.Redis)
	defer store.Close()
	now := time.Now()
	for name, d := range map[string]*state.Delivery{
		"sink": {
			At: map[string]string{}, Error: "the OTLP sink at http://collector:4318/v1/logs answered 503", FailingSince: now.Add(-time.Hour), Oldest: now.Add(-2 * time.Hour),
			Refused: 1, LastRefused: "r1: no sevens",
		},
		"alerts": {At: map[string]string{}, Error: "Elasticsearch, which has just been started, doesn't answer", FailingSince: now.Add(-5 * time.Second)},
	} {
		err := store.SaveDelivery(t.Context(), name, d)
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := adminv1.NewStatusServiceClient(conn).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	parts := got.GetParts()[6:]
	if len(parts) != 2 || parts[0].GetName() != "sink" || parts[0].GetState() != adminv1.PartState_PART_STATE_DEGRADED || parts[1].GetState() != adminv1.PartState_PART_STATE_READY {
		t.Fatalf("got %v", parts)
	}
	for _, said := range []string{"answered 503, since 1h0m", "of 2h0m", "1 record was refused for what it is", "r1: no sevens", parts[0].GetRemedy()} {
		if !strings.Contains(parts[0].GetDetail(), said) {
			t.Errorf("it says %q, and not %q", parts[0].GetDetail(), said)
		}
	}
}
