package admin_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
)

// index puts records into Elasticsearch as accesslog does, and makes them searchable.
func index(t testing.TB, address string, records ...activity.Record) {
	t.Helper()
	indexInto(t, address, func(r activity.Record) string { return activity.IndexOf(r.Timestamp, true) }, records...)
}

func indexInto(t testing.TB, address string, into func(activity.Record) string, records ...activity.Record) {
	t.Helper()
	transport, err := elastic.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	for _, r := range records {
		document, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&body, `{"update":{"_index":%q,"_id":%q}}`+"\n"+`{"doc":%s,"doc_as_upsert":true}`+"\n",
			into(r), r.Event.ID, document)
	}
	response, err := esapi.BulkRequest{Body: &body, Refresh: "true"}.Do(t.Context(), transport)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(response.Body)
	if err != nil || response.IsError() || !strings.Contains(answer.String(), `"errors":false`) {
		t.Fatalf("indexing: %v %s", err, answer.String())
	}
}

// call is a record of a call by ana that was allowed and is done.
func call(id string, at time.Time, operation string) activity.Record {
	return activity.Record{
		Timestamp: at,
		Event:     activity.Event{ID: id, Action: operation, Outcome: "success", Duration: 20e6},
		User:      &activity.User{ID: "712020:ana", Name: "Ana Acme", Email: "ana@acme.test", Group: activity.Group{Name: []string{"developers"}}},
		HTTP: &activity.HTTP{
			Request:  &activity.Request{Method: "POST", Body: activity.Body{Bytes: 120}},
			Response: &activity.Response{StatusCode: 200, Body: activity.Body{Bytes: 4096}},
		},
		Sallyport: activity.Sallyport{
			Client:        &activity.Client{Key: "claude", Name: "Claude", Class: "verified"},
			Operation:     &activity.Operation{Name: operation},
			Decision:      activity.Allowed,
			PolicyVersion: 3, Outcome: activity.OutcomeOK, UpstreamLatency: 15e6,
		},
	}
}

func blocked(r activity.Record, rule int, note string) activity.Record {
	r.Sallyport.Decision, r.Sallyport.Outcome, r.Sallyport.UpstreamLatency = activity.Blocked, "", 0
	r.Sallyport.Rule = &activity.Rule{ID: "r1", Number: rule, Note: note}
	return r
}

// days is a small log: newest first, each record named by what it is.
func days(now time.Time) []activity.Record {
	search := call("search", now.Add(-time.Minute), "searchJiraIssuesUsingJql")
	search.Sallyport.ArgumentsText = `cloudId acme jql project = OPS`
	remove := blocked(call("delete", now.Add(-2*time.Minute), "deleteJiraIssue"), 1, "AI may never delete anything")
	remove.Sallyport.Operation.Outer = "executeDestructive"
	remove.Sallyport.ArgumentsText = "issueIdOrKey OPS-12"
	create := call("create", now.Add(-time.Hour), "createJiraIssue")
	create.User = &activity.User{ID: "712020:bo", Name: "Bo Acme", Email: "bo@acme.test"}
	create.Sallyport.Client = &activity.Client{Key: "cursor", Name: "Cursor", Class: "claimed"}
	create.Sallyport.ArgumentsText = "summary the printer is on fire"
	page := call("page", now.Add(-50*time.Hour), "confluence_get_page")
	return []activity.Record{search, remove, create, page}
}

func TestSearchActivityFilters(t *testing.T) {
	address := elastictest.Empty(t)
	now := time.Now()
	index(t, address, days(now)...)
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	for name, test := range map[string]struct {
		request *adminv1.SearchActivityRequest
		want    string
	}{
		"all":                       {&adminv1.SearchActivityRequest{}, "search delete create page"},
		"user by e-mail":            {&adminv1.SearchActivityRequest{User: "BO@acme.test"}, "create"},
		"user by account id":        {&adminv1.SearchActivityRequest{User: "712020:bo"}, "create"},
		"user by name":              {&adminv1.SearchActivityRequest{User: "bo"}, "create"},
		"user by half an e-mail":    {&adminv1.SearchActivityRequest{User: "acme.test"}, ""},
		"client by key":             {&adminv1.SearchActivityRequest{Client: "cursor"}, "create"},
		"client by name":            {&adminv1.SearchActivityRequest{Client: "Claude"}, "search delete page"},
		"operation":                 {&adminv1.SearchActivityRequest{Operation: "deletejiraissue"}, "delete"},
		"operation by glob":         {&adminv1.SearchActivityRequest{Operation: "*Jira*"}, "search delete create"},
		"operation by outer name":   {&adminv1.SearchActivityRequest{Operation: "execute*"}, "delete"},
		"? isn't special":           {&adminv1.SearchActivityRequest{Operation: "deleteJiraIssu?"}, ""},
		"a part is no glob":         {&adminv1.SearchActivityRequest{Operation: "deleteJira"}, ""},
		"blocked":                   {&adminv1.SearchActivityRequest{Decision: "blocked"}, "delete"},
		"allowed":                   {&adminv1.SearchActivityRequest{Decision: "allowed"}, "search create page"},
		"since":                     {&adminv1.SearchActivityRequest{Since: timestamppb.New(now.Add(-2 * time.Hour))}, "search delete create"},
		"both ends count":           {&adminv1.SearchActivityRequest{Since: timestamppb.New(now.Add(-time.Minute))}, "search"},
		"query a prefix":            {&adminv1.SearchActivityRequest{Query: "searchJira"}, "search"},
		"query in a name":           {&adminv1.SearchActivityRequest{Query: "get_page"}, "page"},
		"query arguments":           {&adminv1.SearchActivityRequest{Query: "printer"}, "create"},
		"query an issue key":        {&adminv1.SearchActivityRequest{Query: "ops-12"}, "delete"},
		"query a note":              {&adminv1.SearchActivityRequest{Query: "never"}, "delete"},
		"query an e-mail":           {&adminv1.SearchActivityRequest{Query: "bo@acme.test"}, "create"},
		"query words of any fields": {&adminv1.SearchActivityRequest{Query: "ana ops"}, "search delete"},
		"query what isn't there":    {&adminv1.SearchActivityRequest{Query: "ana giraffe"}, ""},
		"query a star":              {&adminv1.SearchActivityRequest{Query: "*"}, ""},
		"all together": {&adminv1.SearchActivityRequest{
			User: "ana@acme.test", Client: "claude", Operation: "delete*", Decision: "blocked", Query: "OPS", Since: timestamppb.New(now.Add(-time.Hour)),
		}, "delete"},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := client.SearchActivity(ctx, test.request)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(ids(page), " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if page.GetTotal() != int64(len(page.GetRecords())) || page.GetNextPageToken() != "" {
				t.Errorf("got total %d and next page %q of %d records", page.GetTotal(), page.GetNextPageToken(), len(page.GetRecords()))
			}
		})
	}
}

func ids(page *adminv1.SearchActivityResponse) []string {
	var found []string
	for _, r := range page.GetRecords() {
		found = append(found, r.GetId())
	}
	return found
}

func TestSearchActivityShowsTheWholeRecord(t *testing.T) {
	address := elastictest.Empty(t)
	at := time.Now().Add(-time.Hour).Truncate(time.Nanosecond)
	r := call("a", at, "deleteJiraIssue")
	r.Sallyport.Operation = &activity.Operation{Name: "deleteJiraIssue", Outer: "execute", Product: "jira", Actions: []string{"delete"}}
	r.Sallyport.Client.Info = "1.2.3"
	r.Sallyport.Arguments = []byte(`{"issueIdOrKey":"OPS-12","deep":[1,{"x":null}]}`)
	r.Sallyport.Rule = &activity.Rule{ID: "r2", Number: 2, Note: "Trial"}
	r.Sallyport.Monitor = &activity.Monitor{Rule: 1, Effect: "deny"}
	r.Sallyport.Site, r.Sallyport.GroupsUnknown = "acme", true
	r.Source, r.UserAgent, r.Trace = &activity.Source{IP: "192.0.2.1"}, &activity.UserAgent{Original: "claude/1"}, &activity.Trace{ID: "t"}
	index(t, address, r)
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	page, err := client.SearchActivity(ctx, &adminv1.SearchActivityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	arguments, err := structpb.NewStruct(map[string]any{"issueIdOrKey": "OPS-12", "deep": []any{1, map[string]any{"x": nil}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []*activityv1.Record{{
		Id: "a", Time: timestamppb.New(at),
		User:      &activityv1.User{Id: "712020:ana", Name: "Ana Acme", Email: "ana@acme.test", Groups: []string{"developers"}},
		Client:    &activityv1.Client{Key: "claude", Name: "Claude", Class: "verified", Info: "1.2.3"},
		Operation: &activityv1.Operation{Name: "deleteJiraIssue", Outer: "execute", Product: "jira", Actions: []string{"delete"}},
		Decision: &activityv1.Decision{
			Effect: "allowed", RuleNumber: 2, RuleId: "r2", RuleNote: "Trial", MonitorRule: 1, MonitorEffect: "deny", PolicyVersion: 3, GroupsUnknown: true,
		},
		Outcome: &activityv1.Outcome{
			Result: "ok", StatusCode: 200, ResponseBytes: 4096,
			Duration: durationpb.New(20 * time.Millisecond), UpstreamLatency: durationpb.New(15 * time.Millisecond), OwnLatency: durationpb.New(5 * time.Millisecond),
		},
		Arguments: arguments, RequestBytes: 120, SourceIp: "192.0.2.1", UserAgent: "claude/1", TraceId: "t", Site: "acme",
	}}
	if diff := cmp.Diff(want, page.GetRecords(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestOutcomesThatNeverCame(t *testing.T) {
	address := elastictest.Empty(t)
	now := time.Now()
	fresh := call("fresh", now.Add(-time.Second), "getJiraIssue")
	fresh.Sallyport.Outcome = ""
	lost := call("lost", now.Add(-6*time.Minute), "getJiraIssue")
	lost.Sallyport.Outcome = ""
	denied := blocked(call("denied", now.Add(-7*time.Minute), "deleteJiraIssue"), 1, "")
	early := activity.Record{Timestamp: now, Event: activity.Event{ID: "outcome first"}, Sallyport: activity.Sallyport{Outcome: activity.OutcomeOK}}
	index(t, address, fresh, lost, denied, early)
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	page, err := client.SearchActivity(ctx, &adminv1.SearchActivityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range page.GetRecords() {
		got = append(got, r.GetId()+":"+r.GetOutcome().GetResult())
	}
	if diff := cmp.Diff([]string{"fresh:in_flight", "lost:unknown", "denied:"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestSearchActivityPages reads a log page by page that has records of the same time, spans days,
// and grows meanwhile.
func TestSearchActivityPages(t *testing.T) {
	address := elastictest.Empty(t)
	now := time.Now().Truncate(time.Second)
	var records []activity.Record
	var want []string
	for i := range 230 {
		id := fmt.Sprintf("r%03d", 999-i)
		records = append(records, call(id, now.Add(-time.Duration(i/3)*time.Hour), "getJiraIssue"))
		want = append(want, id)
	}
	index(t, address, records...)
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	var got []string
	request := &adminv1.SearchActivityRequest{PageSize: 110}
	for n := 0; ; n++ {
		page, err := client.SearchActivity(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			index(t, address, call("newer", now.Add(time.Minute), "getJiraIssue"))
		}
		got = append(got, ids(page)...)
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" {
			break
		}
		if len(page.GetRecords()) != 110 {
			t.Errorf("page %d has %d records, want 110", n+1, len(page.GetRecords()))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPagesFitIntoAMessage has records that are too large to be sent all at once.
func TestPagesFitIntoAMessage(t *testing.T) {
	const large = 7 // of 900 KiB; a client takes 4 MiB
	address := elastictest.Empty(t)
	now := time.Now()
	var records []activity.Record
	for i := range large {
		r := call(fmt.Sprint(i), now.Add(-time.Duration(i)*time.Second), "createConfluencePage")
		r.Sallyport.Arguments = fmt.Appendf(nil, `{"body":%q}`, strings.Repeat("x", 900<<10))
		records = append(records, r)
	}
	for part := range slices.Chunk(records, 4) {
		index(t, address, part...)
	}
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	request := &adminv1.SearchActivityRequest{PageSize: 1000}
	found := 0
	for {
		page, err := client.SearchActivity(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		found += len(page.GetRecords())
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" {
			break
		}
	}
	if found != large {
		t.Errorf("got %d records, want %d", found, large)
	}
}

func TestSearchActivityRefuses(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{}))
	for name, request := range map[string]*adminv1.SearchActivityRequest{
		"page_size 1001":         {PageSize: 1001},
		"page_size -1":           {PageSize: -1},
		"page_token no base64":   {PageToken: "%"},
		"page_token no position": {PageToken: "WzFd"},
		"page_token three":       {PageToken: "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsImEiLCJiIl0"},
		"decision maybe":         {Decision: "maybe"},
		"query long":             {Query: strings.Repeat("a", 1025)},
		"query many":             {Query: strings.Repeat("a ", 33)},
		"since year 10000":       {Since: &timestamppb.Timestamp{Seconds: 1 << 50}},
	} {
		field, _, _ := strings.Cut(name, " ")
		_, err := client.SearchActivity(ctx, request)
		if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), field) {
			t.Errorf("%s: got %v, want INVALID_ARGUMENT about %s", name, err, field)
		}
	}
}

func TestSearchActivityWithoutElasticsearch(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{}))
	_, err := client.SearchActivity(ctx, &adminv1.SearchActivityRequest{})
	if status.Code(err) != codes.Unavailable || !strings.Contains(status.Convert(err).Message(), "nothing is lost") {
		t.Errorf("got %v, want UNAVAILABLE and that nothing is lost", err)
	}
}

func TestSearchActivityBeforeTheFirstRecord(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: elastictest.Empty(t)}))
	page, err := client.SearchActivity(ctx, &adminv1.SearchActivityRequest{Query: "anything"})
	if err != nil || len(page.GetRecords()) != 0 || page.GetTotal() != 0 {
		t.Errorf("got %v, %v, want no records", page, err)
	}
}

// TestSearchWaitsForANewDay searches while an index that was just made has no place yet, and gets one a moment later.
func TestSearchWaitsForANewDay(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	now := time.Now()
	index(t, cfg.Elasticsearch, call("yesterday's", now.Add(-24*time.Hour), "getJiraIssue"))
	transport, err := elastic.Open(cfg.Elasticsearch)
	if err != nil {
		t.Fatal(err)
	}
	today := activity.IndexOf(now, true)
	ask := func(request esapi.Request) {
		err := elastic.Ask(t.Context(), transport, request, nil)
		if err != nil {
			t.Error(err)
		}
	}
	ask(esapi.IndicesCreateRequest{Index: today, WaitForActiveShards: "0", Body: strings.NewReader(`{"settings":{"index.routing.allocation.require._name":"nobody"}}`)})
	search := func() (*adminv1.SearchActivityResponse, error) {
		return client.SearchActivity(asAdmin(t), &adminv1.SearchActivityRequest{})
	}
	page, err := search()
	if status.Code(err) != codes.Unavailable {
		t.Errorf("with an index that gets no place: %v, %v", page, err)
	}
	var placed sync.WaitGroup
	placed.Go(func() {
		time.Sleep(500 * time.Millisecond)
		ask(esapi.IndicesPutSettingsRequest{Index: []string{today}, Body: strings.NewReader(`{"index.routing.allocation.require._name":null}`)})
	})
	page, err = search()
	placed.Wait()
	if err != nil || len(page.GetRecords()) != 1 {
		t.Errorf("got %v, %v", page, err)
	}
}
