package admin_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

const (
	jsonLines = adminv1.ExportFormat_EXPORT_FORMAT_JSON_LINES
	asCSV     = adminv1.ExportFormat_EXPORT_FORMAT_CSV
	events    = adminv1.ExportFormat_EXPORT_FORMAT_ATLASSIAN_EVENTS
)

// exported receives an export until its end, and returns its bytes and its last message. With took, which is
// given each message and says when it is to be cut, nothing is kept.
func exported(ctx context.Context, t testing.TB, client adminv1.ActivityServiceClient, request *adminv1.ExportActivityRequest, took func(*adminv1.ExportActivityResponse) bool) ([]byte, *adminv1.ExportActivityResponse, error) {
	t.Helper()
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	stream, err := client.ExportActivity(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	var data bytes.Buffer
	var last *adminv1.ExportActivityResponse
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return data.Bytes(), last, nil
		}
		if err != nil {
			return data.Bytes(), last, err
		}
		last = message
		if took == nil {
			data.Write(message.GetData())
		} else if !took(message) {
			return nil, last, nil
		}
	}
}

// idsOf are the ids of exported JSON lines.
func idsOf(t *testing.T, data []byte) []string {
	t.Helper()
	var list []string
	for line := range bytes.Lines(data) {
		var r struct{ ID string }
		err := json.Unmarshal(line, &r)
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, r.ID)
	}
	return list
}

// TestExportOfManyUnderLoad exports more than the 10,000 records that Elasticsearch counts unasked, some 20 MiB,
// while others are written, is cut twice and goes on: each of those that were there is in the file once,
// in order, and what admin holds meanwhile doesn't grow with the file.
func TestExportOfManyUnderLoad(t *testing.T) {
	const records, grows = 11_000, 12 << 20
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	began, want := time.Now().Add(-time.Hour), make([]string, 0, records)
	text := fmt.Appendf(nil, `{"body":%q}`, strings.Repeat("Lorem ipsum ", 100))
	for from := 0; from < records; from += 1000 {
		var batch []activity.Record
		for i := from; i < from+1000; i++ {
			r := call(fmt.Sprintf("r%05d", i), began.Add(time.Duration(i)*time.Millisecond), "createConfluencePage")
			r.Sallyport.Arguments = text
			batch, want = append(batch, r), append(want, r.Event.ID)
		}
		index(t, cfg.Elasticsearch, batch...)
	}
	slices.Reverse(want)
	written := make(chan struct{})
	ctx, stop := context.WithCancel(asAdmin(t))
	go func() {
		defer close(written)
		for i := 0; ctx.Err() == nil; i++ {
			index(t, cfg.Elasticsearch, call(fmt.Sprint("new", i), time.Now(), "getJiraIssue"))
			time.Sleep(50 * time.Millisecond)
		}
	}()
	defer func() { stop(); <-written }()
	heap := func() int64 {
		var now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&now)
		return int64(now.HeapAlloc)
	}
	base, most, messages, got := heap(), int64(0), 0, make([]string, 0, records)
	request := &adminv1.ExportActivityRequest{Format: jsonLines, Search: &adminv1.SearchActivityRequest{Operation: "createConfluencePage"}}
	for _, until := range []int64{1_000, 2_345, records + 1} {
		_, last, err := exported(ctx, t, client, request, func(m *adminv1.ExportActivityResponse) bool {
			got = append(got, idsOf(t, m.GetData())...)
			messages++
			if messages%20 == 0 {
				most = max(most, heap()-base)
			}
			return m.GetRecords() < until
		})
		if err != nil {
			t.Fatal(err)
		}
		if last.GetRecords() != int64(len(got)) || last.GetTotal() != records || last.GetDone() != (until > records) {
			t.Errorf("after %d records it says %d of %d, done %v", len(got), last.GetRecords(), last.GetTotal(), last.GetDone())
		}
		request.Cursor = last.GetCursor()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("not each once (-want +got):\n%.2000s", diff)
	}
	if most > grows {
		t.Errorf("%d MiB more were held", most>>20)
	}
}

// odd is a call with texts that a spreadsheet, or a reader of lines, could take for something else.
func odd() activity.Record {
	r := blocked(call("odd", time.Date(2026, 11, 23, 9, 0, 0, 5e6, time.UTC), "deleteJiraIssue"), 1, "=HYPERLINK(\"http://evil.test\",\"x\")")
	r.User.Name, r.Sallyport.Client.Info = "@SUM(1+1)*cmd|' /C calc'!A0", "-2+3"
	r.UserAgent = &activity.UserAgent{Original: "a \"quoted\", agent;\r\nin two lines"}
	r.Sallyport.Operation = &activity.Operation{Name: "deleteJiraIssue", Outer: "+execute", Product: "jira", Actions: []string{"delete"}}
	r.Sallyport.Arguments = []byte(`{"issueIdOrKey":"OKAPI-1"}`)
	r.Error = &activity.Error{Code: "-32602"}
	return r
}

// TestExportFormats exports calls and acts in each format, and reads the files.
func TestExportFormats(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	act := activity.Record{
		Timestamp: time.Now().Add(-time.Minute), Event: activity.Event{ID: "act", Action: "policy.save", Outcome: "failure"},
		User: &activity.User{Name: "ci-check", Roles: []string{"admin"}}, Error: &activity.Error{Code: "Aborted", Message: "Somebody was first."},
		Sallyport: activity.Sallyport{Act: &activity.Act{Caller: "api_token", Targets: []string{"a", "b"}, Reason: "Why not", Details: map[string]string{"version": "3"}}},
	}
	index(t, cfg.Elasticsearch, odd(), call("plain", time.Now(), "getJiraIssue"), act)
	ctx := asAdmin(t)
	data, last, err := exported(ctx, t, client, &adminv1.ExportActivityRequest{Format: jsonLines}, nil)
	if err != nil || last.GetTotal() != 2 || !last.GetDone() {
		t.Fatalf("%v, %v", last, err)
	}
	page, err := client.SearchActivity(ctx, &adminv1.SearchActivityRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	for _, r := range page.GetRecords() {
		text, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(r)
		if err == nil {
			err = json.Compact(&want, text)
		}
		if err != nil {
			t.Fatal(err)
		}
		want.WriteByte('\n')
	}
	if diff := cmp.Diff(want.String(), string(data)); diff != "" {
		t.Errorf("as JSON lines (-search +export):\n%s", diff)
	}
	data, _, err = exported(ctx, t, client, &adminv1.ExportActivityRequest{Format: events}, nil)
	if err != nil || bytes.Count(data, []byte("\n")) != 2 || !bytes.Contains(data, []byte(`"action":"rovo_mcp_tool_denied"`)) {
		t.Errorf("as events: %s, %v", data, err)
	}
	table := func(request *adminv1.ExportActivityRequest) []map[string]string {
		t.Helper()
		data, _, err := exported(ctx, t, client, request, nil)
		if err != nil || !bytes.HasSuffix(data, []byte("\r\n")) {
			t.Fatalf("%v: %q", err, data)
		}
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var list []map[string]string
		for _, row := range rows[1:] {
			named := map[string]string{}
			for i, text := range row {
				if text != "" {
					named[rows[0][i]] = text
				}
			}
			list = append(list, named)
		}
		return list
	}
	rows := table(&adminv1.ExportActivityRequest{Format: asCSV, Search: &adminv1.SearchActivityRequest{Decision: "blocked"}})
	if diff := cmp.Diff([]map[string]string{{
		"time": "2026-11-23T09:00:00.005Z", "id": "odd", "user_id": "712020:ana", "user_name": "'@SUM(1+1)*cmd|' /C calc'!A0", "user_email": "ana@acme.test",
		"groups": "developers", "client": "claude", "client_name": "Claude", "client_class": "verified", "client_info": "'-2+3",
		"operation": "deleteJiraIssue", "outer_operation": "'+execute", "product": "jira", "families": "delete", "decision": "blocked",
		"rule_number": "1", "rule_id": "r1", "rule_note": `'=HYPERLINK("http://evil.test","x")`, "policy_version": "3", "status_code": "200", "error_code": "'-32602",
		"request_bytes": "120", "response_bytes": "4096", "duration_ms": "20", "own_ms": "20", "user_agent": "a \"quoted\", agent;\nin two lines",
		"arguments": `{"issueIdOrKey":"OKAPI-1"}`,
	}}, rows); diff != "" {
		t.Errorf("as a table (-want +got):\n%s", diff)
	}
	rows = table(&adminv1.ExportActivityRequest{Format: asCSV, Search: &adminv1.SearchActivityRequest{Administrative: true, Operation: "policy.save"}})
	if len(rows) != 1 || rows[0]["act"] != "policy.save" || rows[0]["act_details"] != `{"version":"3"}` || rows[0]["act_targets"] != "a; b" || rows[0]["act_error_code"] != "Aborted" {
		t.Errorf("an act as a table: %v", rows)
	}
	none, last, err := exported(ctx, t, client, &adminv1.ExportActivityRequest{Format: asCSV, Search: &adminv1.SearchActivityRequest{User: "nobody"}}, nil)
	if err != nil || !last.GetDone() || !strings.HasPrefix(string(none), "time,id,user_id,") || bytes.Count(none, []byte("\n")) != 1 {
		t.Errorf("of nothing: %q, %v, %v", none, last, err)
	}
}

// TestExportWithholdsAndIsRecorded exports as each role, in each format, and looks at what is recorded of it.
func TestExportWithholdsAndIsRecorded(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	index(t, cfg.Elasticsearch, odd())
	store := state.Open(cfg.Redis)
	defer store.Close()
	for _, as := range roleTokens {
		for _, format := range []adminv1.ExportFormat{jsonLines, asCSV, events} {
			data, last, err := exported(with(t, as.token), t, client, &adminv1.ExportActivityRequest{Format: format, Search: &adminv1.SearchActivityRequest{User: "ana@acme.test"}}, nil)
			withheld := as.role == "viewer"
			if err != nil || !bytes.Contains(data, []byte("deleteJiraIssue")) || bytes.Contains(data, []byte("OKAPI")) == withheld || last.GetArgumentsWithheld() != withheld {
				t.Errorf("%v as %s: %s, %v", format, as.role, data, err)
			}
			recorded := merged(t, drain(t, store))
			if len(recorded) != 1 {
				t.Fatalf("recorded are %v", recorded)
			}
			r := recorded[0]
			want := map[string]string{"search": `{"user":"ana@acme.test"}`, "format": strings.TrimPrefix(strings.ToLower(format.String()), "export_format_"), "records": "1"}
			if diff := cmp.Diff(want, r.Sallyport.Act.Details); diff != "" || r.Event.Action != "activity.export" || r.Event.Outcome != "success" || r.User.Name != as.name {
				t.Errorf("recorded is %+v %+v:\n%s", r.Event, r.User, diff)
			}
		}
	}
}

// TestExportRefuses sends cursors of other exports, and what an export doesn't take.
func TestExportRefuses(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	var many []activity.Record
	for i := range 150 {
		many = append(many, call(fmt.Sprint("r", i), time.Now(), "getJiraIssue"))
	}
	index(t, cfg.Elasticsearch, many...)
	_, first, err := exported(asAdmin(t), t, client, &adminv1.ExportActivityRequest{Format: jsonLines}, func(*adminv1.ExportActivityResponse) bool { return false })
	if err != nil || first.GetDone() {
		t.Fatalf("%v, %v", first, err)
	}
	page, err := client.SearchActivity(asAdmin(t), &adminv1.SearchActivityRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		token   string
		request *adminv1.ExportActivityRequest
		says    string
	}{
		"no format":        {token, &adminv1.ExportActivityRequest{}, "format is missing"},
		"a page":           {token, &adminv1.ExportActivityRequest{Format: jsonLines, Search: &adminv1.SearchActivityRequest{PageSize: 5}}, "search may have no page_size"},
		"a wrong search":   {token, &adminv1.ExportActivityRequest{Format: jsonLines, Search: &adminv1.SearchActivityRequest{Decision: "perhaps"}}, "decision is"},
		"no cursor":        {token, &adminv1.ExportActivityRequest{Format: jsonLines, Cursor: "x"}, "cursor is none that an export sent"},
		"a page token":     {token, &adminv1.ExportActivityRequest{Format: jsonLines, Cursor: page.GetNextPageToken()}, "cursor is of another export"},
		"another format":   {token, &adminv1.ExportActivityRequest{Format: asCSV, Cursor: first.GetCursor()}, "cursor is of another export"},
		"another search":   {token, &adminv1.ExportActivityRequest{Format: jsonLines, Cursor: first.GetCursor(), Search: &adminv1.SearchActivityRequest{User: "bo"}}, "cursor is of another export"},
		"another's rights": {viewerToken, &adminv1.ExportActivityRequest{Format: jsonLines, Cursor: first.GetCursor()}, "cursor is of another export"},
	} {
		_, _, err := exported(with(t, test.token), t, client, test.request, nil)
		if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rest, last, err := exported(asAdmin(t), t, client, &adminv1.ExportActivityRequest{Format: jsonLines, Cursor: first.GetCursor()}, nil)
	if err != nil || len(idsOf(t, rest)) != 50 || last.GetResumedAt() != 100 {
		t.Errorf("the rest is %d records after %d, %v", len(idsOf(t, rest)), last.GetResumedAt(), err)
	}
}

// TestExportSaysWhatIsMissing exports while an entry has waited for a minute, and none.
func TestExportSaysWhatIsMissing(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	client := adminv1.NewActivityServiceClient(start(t, cfg))
	waiting := redis.NewClient(&redis.Options{Addr: cfg.Redis})
	defer waiting.Close()
	for _, old := range []bool{true, false} {
		if old {
			err := waiting.XAdd(t.Context(), &redis.XAddArgs{
				Stream: "{sallyport}:activity", ID: fmt.Sprintf("%d-0", time.Now().Add(-time.Minute).UnixMilli()), Values: []any{"kind", "decision"},
			}).Err()
			if err != nil {
				t.Fatal(err)
			}
		}
		_, last, err := exported(asAdmin(t), t, client, &adminv1.ExportActivityRequest{Format: jsonLines}, nil)
		if err != nil || (last.GetWaiting() > 0) != old {
			t.Errorf("with an old entry %v: %v, %v", old, last, err)
		}
		err = waiting.XTrimMaxLen(t.Context(), "{sallyport}:activity", 0).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzCSVCell makes sure that a table's readers get each text back, and spreadsheets no formula.
func FuzzCSVCell(f *testing.F) {
	for _, text := range []string{"", "=1+1", "@x", "\t=1", "a,b", `"`, "a\r\nb", "\r", " x ", "ä;b", "-1", "'=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := admin.CSVCell(text)
		rows, err := csv.NewReader(strings.NewReader("a," + cell + ",b\r\n")).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 3 {
			t.Fatalf("%q reads as %q, %v", cell, rows, err)
		}
		got := rows[0][1]
		if got != "" && strings.ContainsRune("=+-@\t\r\n", rune(got[0])) {
			t.Errorf("%q is a formula", cell)
		}
		// This reader makes every line break \n.
		plain := strings.ReplaceAll(text, "\r\n", "\n")
		if got != plain && got != "'"+plain {
			t.Errorf("%q reads as %q", text, got)
		}
	})
}
