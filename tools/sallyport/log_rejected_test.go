package main

import (
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// TestLogAloneShowsTheLog shows that the log has its flags as before it had verbs.
func TestLogAloneShowsTheLog(t *testing.T) {
	for line, want := range map[string]string{
		"log": "log list", "log --since 1h -q fire": "log list", "log -f": "log list", "log list --count": "log list",
		"log rejected --json": "log rejected", "log retry 1-0 2-0": "log retry <id>", "log retry --all": "log retry",
		"log acknowledge 1-0": "log acknowledge <id>", "log acknowledge --all": "log acknowledge",
	} {
		var into cli
		parser, err := kong.New(&into)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parser.Parse(strings.Fields(line))
		if err != nil || got.Command() != want {
			t.Errorf("%s is %v, %v; want %s", line, got, err, want)
		}
	}
	for _, line := range []string{"log retry", "log retry --all 1-0", "log acknowledge", "log acknowledge --all 1-0", "log rejected --limit 0"} {
		var into cli
		parser, err := kong.New(&into)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse(strings.Fields(line))
		if err == nil {
			t.Errorf("%s is taken", line)
		}
	}
}

func TestRejectedAsATable(t *testing.T) {
	entries := []*adminv1.Rejected{
		{Id: "1764072000000-0", RecordId: "r-1", Half: "decision", Since: timestamppb.New(noon), Reason: "document_parsing_exception", Detail: "field [x] of\x1b[2J", SizeBytes: 1234, Document: `{"a":1}`},
		{Id: "1764072000000-1", RecordId: "r-2", Half: "outcome", Since: timestamppb.New(noon.Add(time.Minute)), Reason: "x_content_parse_exception", SizeBytes: 5, AcknowledgedBy: "ana@acme.test", AcknowledgedAt: timestamppb.New(noon.Add(time.Hour))},
	}
	for name, test := range map[string]struct {
		list    logRejected
		entries []*adminv1.Rejected
		total   int64
		want    string
	}{
		"two of three": {logRejected{}, entries, 3, `
ID               SINCE             RECORD  HALF      BYTES  REASON                      ACKNOWLEDGED                     DETAIL
1764072000000-0  2026-11-23 12:00  r-1     decision  1,234  document_parsing_exception  no                               field [x] of` + "\uFFFD" + `[2J
1764072000000-1  2026-11-23 12:01  r-2     outcome   5      x_content_parse_exception   ana@acme.test, 2026-11-23 13:00
And 1 more: raise --limit.
Once what Elasticsearch says is mended, ` + "`sallyport log retry ID`" + `, or --all, has them indexed again.
`},
		"none": {logRejected{}, nil, 0, "\nNothing is kept aside: Elasticsearch has taken all that it was given.\n"},
		"JSON": {logRejected{JSON: true}, entries, 3, `
{"id":"1764072000000-0","record_id":"r-1","half":"decision","index":"","since":"2026-11-23T12:00:00Z","reason":"document_parsing_exception","detail":"field [x] of\u001b[2J","size_bytes":1234,"document":{"a":1},"acknowledged_by":"","acknowledged_at":null}
{"id":"1764072000000-1","record_id":"r-2","half":"outcome","index":"","since":"2026-11-23T12:01:00Z","reason":"x_content_parse_exception","detail":"","size_bytes":5,"document":null,"acknowledged_by":"ana@acme.test","acknowledged_at":"2026-11-23T13:00:00Z"}
`},
	} {
		var out strings.Builder
		err := test.list.show(&terminal{out: &out}, test.entries, test.total)
		if diff := cmp.Diff(test.want, "\n"+out.String()); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}
