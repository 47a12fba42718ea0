package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// setAside has a store keep so many outcomes aside, as accesslog does.
func setAside(t *testing.T, store *state.Store, n int) {
	t.Helper()
	for i := range n {
		err := store.AppendOutcomes(t.Context(), []state.Entry{{ID: fmt.Sprint("r-", i), Index: "sallyport-activity-2026.11.23", Document: fmt.Appendf(nil, `{"n":%d}`, i)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range read(t, store) {
		err := store.SetAside(t.Context(), e, `document_parsing_exception: Preview of field's value: 'a secret'`)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// read are the entries that wait, which stay in the stream.
func read(t *testing.T, store *state.Store) []state.Waiting {
	t.Helper()
	entries, err := store.ReadWaiting(t.Context(), "test", 1000, -1, false)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestRejectedIsListedByPages(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t)}
	store := state.Open(cfg.Redis)
	defer store.Close()
	client := adminv1.NewRejectedServiceClient(start(t, cfg))
	setAside(t, store, 5)
	var ids, records []string
	request := &adminv1.ListRejectedRequest{PageSize: 2}
	for {
		page, err := client.ListRejected(with(t, auditorToken), request)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.GetEntries() {
			ids, records = append(ids, e.GetId()), append(records, e.GetRecordId())
			if e.GetHalf() != "outcome" || e.GetIndex() != "sallyport-activity-2026.11.23" || e.GetSince() == nil || e.GetReason() != "document_parsing_exception" ||
				e.GetDetail() != "Preview of field's value: 'a secret'" || e.GetSizeBytes() != 7 || !strings.HasPrefix(e.GetDocument(), `{"n":`) {
				t.Errorf("the entry is %v", e)
			}
		}
		if page.GetTotal() != 5 || page.GetDocumentsWithheld() {
			t.Errorf("the page says %d in all, withheld %t", page.GetTotal(), page.GetDocumentsWithheld())
		}
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" {
			break
		}
	}
	if got := strings.Join(records, " "); got != "r-0 r-1 r-2 r-3 r-4" {
		t.Errorf("listed are %s", got)
	}
	page, err := client.ListRejected(with(t, viewerToken), &adminv1.ListRejectedRequest{})
	if err != nil || len(page.GetEntries()) != 5 || !page.GetDocumentsWithheld() || strings.Contains(page.String(), "secret") || page.GetEntries()[0].GetDocument() != "" {
		t.Errorf("a viewer is shown %v, %v", page, err)
	}
	for says, request := range map[string]*adminv1.ListRejectedRequest{
		"page_size is 1001": {PageSize: 1001}, "page_size is -1": {PageSize: -1}, "page_token isn't one": {PageToken: "99999999999999999999999-0"},
	} {
		_, err := client.ListRejected(asAdmin(t), request)
		if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
	for says, request := range map[string]*adminv1.RetryRejectedRequest{
		"Name the entries by ids": {}, "Name the entries": {All: true, Ids: ids}, "There are 1001 ids": {Ids: make([]string, 1001)}, `ids[1] is "x"`: {Ids: []string{ids[0], "x"}},
	} {
		_, err := client.RetryRejected(asAdmin(t), request)
		if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
	_, err = client.AcknowledgeRejected(asAdmin(t), &adminv1.AcknowledgeRejectedRequest{All: true, Ids: ids})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("acknowledging all and some: %v", err)
	}
	if backlog, _ := store.Backlog(t.Context()); backlog.Aside != 5 || backlog.Acknowledged != 0 {
		t.Errorf("after refused calls there are %+v", backlog)
	}
}

// TestRejectedIsSentAgain sends one entry, then it again with another, then all, and reads what waits.
func TestRejectedIsSentAgain(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), StreamLimit: 1000}
	store := state.Open(cfg.Redis)
	defer store.Close()
	conn := start(t, cfg)
	client := adminv1.NewRejectedServiceClient(conn)
	setAside(t, store, 120)
	page, err := client.ListRejected(asAdmin(t), &adminv1.ListRejectedRequest{})
	if err != nil {
		t.Fatal(err)
	}
	first, second := page.GetEntries()[0].GetId(), page.GetEntries()[1].GetId()
	for _, test := range []struct {
		request       *adminv1.RetryRejectedRequest
		retried, gone int64
	}{
		{&adminv1.RetryRejectedRequest{Ids: []string{first}}, 1, 0},
		{&adminv1.RetryRejectedRequest{Ids: []string{first, second, second}}, 1, 2},
		{&adminv1.RetryRejectedRequest{All: true}, 118, 0},
		{&adminv1.RetryRejectedRequest{All: true}, 0, 0},
	} {
		got, err := client.RetryRejected(asAdmin(t), test.request)
		if err != nil || got.GetRetried() != test.retried || got.GetGone() != test.gone {
			t.Errorf("%v: %v, %v; want %d retried, %d gone", test.request, got, err, test.retried, test.gone)
		}
	}
	var acts, outcomes []state.Waiting
	for _, e := range drain(t, store) {
		// The ids of acts are random, and can begin alike.
		if e.Index == "sallyport-activity-2026.11.23" {
			outcomes = append(outcomes, e)
			continue
		}
		acts = append(acts, e)
	}
	for i, e := range outcomes {
		if want := fmt.Sprint("r-", i); e.ID != want || e.Kind != "outcome" || e.Index != "sallyport-activity-2026.11.23" || string(e.Document) != fmt.Sprintf(`{"n":%d}`, i) {
			t.Errorf("entry %d is %s %+v, want %s as it was", i, e.Document, e, want)
		}
	}
	records := merged(t, acts)
	if len(outcomes) != 120 || len(records) != 4 {
		t.Fatalf("%d entries and %d acts wait, want 120 and 4", len(outcomes), len(records))
	}
	if r := records[1]; r.Event.Action != "records.retry" || len(r.Sallyport.Act.Targets) != 3 || r.Sallyport.Act.Details["retried"] != "1" || r.Sallyport.Act.Details["gone"] != "2" {
		t.Errorf("the act is %+v %+v", r.Event, r.Sallyport.Act)
	}
}

// TestAFullStreamTakesNoRetries has room for two entries, of which the act needs one.
func TestAFullStreamTakesNoRetries(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), StreamLimit: 2}
	store := state.Open(cfg.Redis)
	defer store.Close()
	client := adminv1.NewRejectedServiceClient(start(t, cfg))
	setAside(t, store, 3)
	for _, says := range []string{"Some entries (1) were sent again, and the others stay aside: too many records wait", "This was not done, since it can't be written down: too many records wait"} {
		_, err := client.RetryRejected(asAdmin(t), &adminv1.RetryRejectedRequest{All: true})
		if status.Code(err) != codes.Unavailable || !strings.HasPrefix(status.Convert(err).Message(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
	if backlog, _ := store.Backlog(t.Context()); backlog.Aside != 2 {
		t.Errorf("%d are kept aside, want 2", backlog.Aside)
	}
}

func TestStatusTellsWhatIsKeptAside(t *testing.T) {
	cfg := redisOnly(t)
	cfg.AccesslogOps = ops(t, "/readyz", 200, "ready", 0)
	store := state.Open(cfg.Redis)
	defer store.Close()
	setAside(t, store, 2)
	got, err := adminv1.NewStatusServiceClient(start(t, cfg)).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if part := got.GetParts()[3]; got.GetAside() != 2 || part.GetState() != adminv1.PartState_PART_STATE_DEGRADED || !strings.HasPrefix(part.GetDetail(), "2 entries are kept aside") {
		t.Errorf("%d aside, and accesslog is %v", got.GetAside(), part)
	}
}

// TestRejectedIsAcknowledged acknowledges some entries and then all, and reads the status in between.
func TestRejectedIsAcknowledged(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), AccesslogOps: ops(t, "/readyz", http.StatusOK, "ready", 0)}
	store := state.Open(cfg.Redis)
	defer store.Close()
	conn := start(t, cfg)
	client, statuses := adminv1.NewRejectedServiceClient(conn), adminv1.NewStatusServiceClient(conn)
	// said is what the status says of accesslog, and how many entries are aside, and acknowledged.
	said := func() string {
		answer, err := statuses.GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		of, _, _ := strings.Cut(accesslog(answer).GetDetail(), " kept aside")
		return fmt.Sprintf("%v %d %d %s", accesslog(answer).GetState(), answer.GetAside(), answer.GetAsideAcknowledged(), of)
	}
	list := func() []*adminv1.Rejected {
		page, err := client.ListRejected(with(t, viewerToken), &adminv1.ListRejectedRequest{PageSize: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return page.GetEntries()
	}
	acknowledge := func(token string, request *adminv1.AcknowledgeRejectedRequest, acknowledged, gone int64) {
		t.Helper()
		got, err := client.AcknowledgeRejected(with(t, token), request)
		if err != nil || got.GetAcknowledged() != acknowledged || got.GetGone() != gone {
			t.Errorf("%v: %v, %v; want %d acknowledged, %d gone", request, got, err, acknowledged, gone)
		}
	}
	is := func(want string) {
		t.Helper()
		if got := said(); got != want {
			t.Errorf("the status is %q, want %q", got, want)
		}
	}
	setAside(t, store, 120)
	is("PART_STATE_DEGRADED 120 0 120 entries are")
	first, second := list()[0].GetId(), list()[1].GetId()
	drain(t, store)
	acknowledge(token, &adminv1.AcknowledgeRejectedRequest{Ids: []string{first, first, "1-0"}}, 1, 1)
	is("PART_STATE_DEGRADED 120 1 119 entries are")
	acknowledge(robotToken, &adminv1.AcknowledgeRejectedRequest{All: true}, 119, 0)
	is("PART_STATE_READY 120 120 ")
	acts := merged(t, drain(t, store))
	if len(acts) != 2 || acts[0].Event.Action != "records.acknowledge" || acts[0].Sallyport.Act.Details["gone"] != "1" || acts[1].Sallyport.Act.Details["acknowledged"] != "119" {
		t.Errorf("the acts are %+v", acts)
	}
	for i, e := range list() {
		by := "ci-robot"
		if i == 0 {
			by = "admin"
		}
		if e.GetAcknowledgedBy() != by || time.Since(e.GetAcknowledgedAt().AsTime()).Abs() > time.Minute {
			t.Errorf("entry %d was acknowledged by %q at %v", i, e.GetAcknowledgedBy(), e.GetAcknowledgedAt().AsTime())
		}
	}
	// One that is sent again takes its acknowledgement along, as does one whose time is over. What is refused then is new.
	_, err := client.RetryRejected(asAdmin(t), &adminv1.RetryRejectedRequest{Ids: []string{first}})
	if err != nil {
		t.Fatal(err)
	}
	err = store.ForgetAside(t.Context(), []string{second})
	if err != nil {
		t.Fatal(err)
	}
	is("PART_STATE_READY 118 118 ")
	drain(t, store)
	setAside(t, store, 1)
	is("PART_STATE_DEGRADED 119 118 1 entry is")
}

// accesslog is what a status says of it.
func accesslog(answer *adminv1.GetStatusResponse) *adminv1.Part {
	for _, p := range answer.GetParts() {
		if p.GetName() == "accesslog" {
			return p
		}
	}
	return nil
}
