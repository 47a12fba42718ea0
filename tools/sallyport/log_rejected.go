package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type logRejected struct {
	Limit int  `help:"How many at most." default:"50" short:"n"`
	JSON  bool `help:"One JSON object a line: id, record_id, half, index, since, reason, detail, size_bytes, document, acknowledged_by, acknowledged_at." name:"json"`
}

// Help is the examples of --help.
func (logRejected) Help() string {
	return `What Elasticsearch refuses for what it is, such as a field that its mapping doesn't have, is kept aside and holds up nothing. Those kept aside for longest come first. An entry is one half of a record: the decision of a call, the act of an admin, or the outcome of either; or the arguments of a call, the rest of which is indexed. A viewer sees the kind of error alone, since its words can quote what was sent; --json shows an auditor the documents.

Examples:

  sallyport log rejected
  sallyport log rejected --json | jq -r '[.id, .record_id, .reason, .detail] | @tsv'
  sallyport log retry --all
  sallyport log acknowledge --all`
}

// Validate refuses a limit that can't be.
func (l *logRejected) Validate() error {
	if l.Limit < 1 {
		return errors.New("--limit must be 1 or more")
	}
	return nil
}

// rejectedText is an entry as JSON.
type rejectedText struct {
	ID        string          `json:"id"`
	RecordID  string          `json:"record_id"`
	Half      string          `json:"half"`
	Index     string          `json:"index"`
	Since     *time.Time      `json:"since"`
	Reason    string          `json:"reason"`
	Detail    string          `json:"detail"`
	SizeBytes int64           `json:"size_bytes"`
	Document  json.RawMessage `json:"document"`

	AcknowledgedBy string     `json:"acknowledged_by"`
	AcknowledgedAt *time.Time `json:"acknowledged_at"`
}

func rejectedTextOf(e *adminv1.Rejected) rejectedText {
	text := rejectedText{
		e.GetId(), e.GetRecordId(), e.GetHalf(), e.GetIndex(), timeOf(e.GetSince()), e.GetReason(), e.GetDetail(), e.GetSizeBytes(), json.RawMessage("null"),
		e.GetAcknowledgedBy(), timeOf(e.GetAcknowledgedAt()),
	}
	if json.Valid([]byte(e.GetDocument())) {
		text.Document = json.RawMessage(e.GetDocument())
	}
	return text
}

// Run lists the entries.
func (l *logRejected) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewRejectedServiceClient(conn)
	request := &adminv1.ListRejectedRequest{}
	var entries []*adminv1.Rejected
	for {
		request.PageSize = int32(min(l.Limit-len(entries), maxPage))
		page, err := client.ListRejected(ctx, request)
		if err != nil {
			return err
		}
		entries = append(entries, page.GetEntries()...)
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" || len(entries) >= l.Limit {
			return l.show(t, entries, page.GetTotal())
		}
	}
}

func (l *logRejected) show(t *terminal, entries []*adminv1.Rejected, total int64) error {
	if l.JSON {
		for _, e := range entries {
			err := writeJSONLine(t.out, rejectedTextOf(e))
			if err != nil {
				return err
			}
		}
		return nil
	}
	if len(entries) == 0 {
		t.printf("Nothing is kept aside: Elasticsearch has taken all that it was given.\n")
		return nil
	}
	shown := table{columns: []column{
		{title: "ID"}, {title: "SINCE", drop: 1}, {title: "RECORD", least: 8, drop: 3}, {title: "HALF"}, {title: "BYTES", drop: 2}, {title: "REASON", least: 12},
		{title: "ACKNOWLEDGED", least: 8}, {title: "DETAIL", least: 12, most: maxArguments, spare: true},
	}}
	for _, e := range entries {
		shown.add(cell{text: e.GetId()}, cell{text: whenText(e.GetSince())}, cell{text: e.GetRecordId()}, cell{text: e.GetHalf()},
			cell{text: groupDigits(e.GetSizeBytes())}, cell{text: e.GetReason(), tint: red}, cell{text: acknowledgedText(e), tint: faint}, cell{text: e.GetDetail(), tint: faint})
	}
	shown.write(t)
	if more := total - int64(len(entries)); more > 0 {
		t.printf("%s\n", t.paint(fmt.Sprintf("And %s more: raise --limit.", groupDigits(more)), faint))
	}
	t.printf("%s\n", t.paint("Once what Elasticsearch says is mended, `sallyport log retry ID`, or --all, has them indexed again.", faint))
	return nil
}

// acknowledgedText is who has seen an entry, and when.
func acknowledgedText(e *adminv1.Rejected) string {
	if e.GetAcknowledgedBy() == "" {
		return "no"
	}
	return e.GetAcknowledgedBy() + ", " + whenText(e.GetAcknowledgedAt())
}

type logRetry struct {
	IDs  []string `arg:"" optional:"" name:"id" help:"Their ids, from log rejected."`
	All  bool     `help:"All that are kept aside now."`
	JSON bool     `help:"Answer with one JSON object: retried, gone." name:"json"`
}

// Help is the examples of --help.
func (logRetry) Help() string {
	return `Each entry is indexed as a part of the record that it belongs to. What Elasticsearch still refuses is kept aside again within seconds, under a new id. To send one twice does no harm. That it was done is a record.

Examples:

  sallyport log retry 1764072000000-0
  sallyport log retry --all
  sallyport log rejected`
}

// Validate refuses what says nothing, or two things.
func (r *logRetry) Validate() error {
	if r.All == (len(r.IDs) > 0) {
		return errors.New("name entries by the ids that log rejected shows, or say --all")
	}
	return nil
}

// Run sends the entries again.
func (r *logRetry) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewRejectedServiceClient(conn).RetryRejected(ctx, &adminv1.RetryRejectedRequest{Ids: r.IDs, All: r.All})
	if err != nil {
		return err
	}
	if r.JSON {
		return writeJSON(t.out, struct {
			Retried int64 `json:"retried"`
			Gone    int64 `json:"gone"`
		}{answer.GetRetried(), answer.GetGone()})
	}
	r.show(t, answer)
	return nil
}

func (r *logRetry) show(t *terminal, answer *adminv1.RetryRejectedResponse) {
	switch {
	case answer.GetRetried() > 0:
		t.printf("On the way to Elasticsearch again: %s. `sallyport log rejected` shows those that it still refuses.\n", count64(answer.GetRetried(), "entry"))
	case r.All:
		t.printf("Nothing is kept aside.\n")
	}
	if answer.GetGone() > 0 {
		t.printf("Not kept aside, or no longer: %s of these.\n", groupDigits(answer.GetGone()))
	}
}
