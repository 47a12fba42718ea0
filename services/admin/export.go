package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
)

// exportBehind is how long an entry waits to be indexed before an export says that it is missing.
const exportBehind = 10 * time.Second

// export writes the records of a search as a file, part by part, so that it holds one page of them at a time.
type export struct {
	server *ActivityServer
	search *search
	form   exportForm
	stream grpc.ServerStreamingServer[adminv1.ExportActivityResponse]
	cursor exportCursor
	answer *adminv1.ExportActivityResponse
	buffer bytes.Buffer
	// checked is when it was last made sure that the caller may have it.
	checked time.Time
}

// exportCursor is where an export goes on: a search's cursor, and what was counted.
type exportCursor struct {
	cursor
	Format  adminv1.ExportFormat `json:"f"`
	Records int64                `json:"n"`
	Total   int64                `json:"c"`
}

// ExportActivity sends all records of a search.
func (s *ActivityServer) ExportActivity(request *adminv1.ExportActivityRequest, stream grpc.ServerStreamingServer[adminv1.ExportActivityResponse]) error {
	ctx := stream.Context()
	e, err := s.newExport(request, callerOf(ctx).role >= auditor)
	if err != nil {
		return err
	}
	e.stream = stream
	err = e.begin(ctx, request.GetCursor() != "")
	if err != nil {
		return err
	}
	for {
		select {
		case <-s.stopping:
			return errStopping
		default:
		}
		more, err := e.step(ctx)
		if err != nil || !more {
			return err
		}
	}
}

func (s *ActivityServer) newExport(request *adminv1.ExportActivityRequest, arguments bool) (*export, error) {
	form, ok := exportForms[request.GetFormat()]
	if !ok {
		return nil, status.Error(codes.InvalidArgument, "format is missing: it may be EXPORT_FORMAT_JSON_LINES, EXPORT_FORMAT_CSV or EXPORT_FORMAT_ATLASSIAN_EVENTS.")
	}
	asked := request.GetSearch()
	if asked == nil {
		asked = &adminv1.SearchActivityRequest{}
	}
	if asked.GetPageSize() != 0 || asked.GetPageToken() != "" || len(asked.GetCounts()) > 0 {
		return nil, status.Error(codes.InvalidArgument, "search may have no page_size, page_token or counts: an export has all records, and goes on from its cursor.")
	}
	search, err := newSearch(asked, arguments)
	if err != nil {
		return nil, err
	}
	e := &export{server: s, search: search, form: form, checked: time.Now(), cursor: exportCursor{cursor: search.cursor, Format: request.GetFormat()}}
	if request.GetCursor() != "" {
		err = e.resume(request.GetCursor(), asked)
	}
	e.answer = &adminv1.ExportActivityResponse{ArgumentsWithheld: !arguments, ResumedAt: e.cursor.Records}
	return e, err
}

// resume goes on from a cursor of the same export.
func (e *export) resume(token string, asked *adminv1.SearchActivityRequest) error {
	var from exportCursor
	if !readCursor(token, &from) || !from.whole() {
		return status.Error(codes.InvalidArgument, "cursor is none that an export sent: send that of the last message that you took, or none to begin.")
	}
	if from.Search != e.cursor.Search || from.Format != e.cursor.Format {
		return status.Error(codes.InvalidArgument, "cursor is of another export: the words, filters, format and your role have to be those of the export that sent it. Send no cursor to begin.")
	}
	e.cursor = from
	e.search.cursor = from.cursor
	// What came of a call is judged as at the time at which the export began.
	var err error
	_, e.search.filters, err = filtersOf(asked, e.search.arguments, from.At)
	return err
}

// begin writes what stands before the records, and counts what is missing.
func (e *export) begin(ctx context.Context, resumed bool) error {
	waiting, age, err := e.server.store.StreamLength(ctx)
	if err != nil {
		return status.Errorf(codes.Unavailable, "Redis doesn't answer, so it isn't known which records are missing. Start it again, and try once more. (%v)", err)
	}
	if age > exportBehind {
		e.answer.Waiting = waiting
	}
	if resumed {
		return nil
	}
	e.buffer.WriteString(e.form.title)
	return e.server.refresh(ctx)
}

// step sends the next page of records. more is false after the last.
func (e *export) step(ctx context.Context) (more bool, _ error) {
	if time.Since(e.checked) >= tailCheck {
		err := e.server.still(ctx, "export", e.search.arguments)
		if err != nil {
			return false, err
		}
		e.checked = time.Now()
	}
	found, err := e.read(ctx)
	if err != nil {
		return false, err
	}
	if e.cursor.After == nil {
		e.cursor.Total = found.Total.Value
	}
	for _, hit := range found.Hits {
		stored, err := hit.stored(e.search.arguments)
		if err == nil {
			err = e.form.write(&e.buffer, stored, !e.search.arguments)
		}
		if err != nil {
			return false, err
		}
		e.cursor.After = hit.Sort
		e.cursor.Until = cmp.Or(e.cursor.Until, hit.Sort[0])
		e.cursor.Records++
		if e.buffer.Len() > pageBytes {
			err = e.send()
			if err != nil {
				return false, err
			}
		}
	}
	e.search.cursor = e.cursor.cursor
	if e.cursor.After != nil {
		// Nothing newer comes any more, so that whole days are passed over.
		e.search.cursor.Until = e.cursor.After[0]
	}
	e.answer.Done = len(found.Hits) < fetchRecords
	return !e.answer.Done, e.send()
}

// send sends what is in the buffer.
func (e *export) send() error {
	// The message may still be sent when a reader was given up on, so that its bytes are its own.
	message := &adminv1.ExportActivityResponse{
		Data: bytes.Clone(e.buffer.Bytes()), Records: e.cursor.Records, Total: e.cursor.Total, Done: e.answer.Done,
		ArgumentsWithheld: e.answer.GetArgumentsWithheld(), ResumedAt: e.answer.GetResumedAt(), Waiting: e.answer.GetWaiting(),
	}
	if e.cursor.After != nil {
		message.Cursor = tokenOf(e.cursor)
	}
	e.buffer.Reset()
	return e.server.patiently("export", func() error { return e.stream.Send(message) })
}

// read asks for the next records. Only the first answer has their number.
func (e *export) read(ctx context.Context) (*hits, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	body := e.search.body(fetchRecords, false)
	body["track_total_hits"] = e.cursor.After == nil
	var answer struct{ Hits hits }
	request := esapi.SearchRequest{Index: []string{activity.Actions}, AllowNoIndices: &yes, IgnoreUnavailable: &yes, Preference: e.cursor.Search}
	err := find(ctx, e.server.elastic, request, body, func(body io.Reader) error { return json.NewDecoder(body).Decode(&answer) })
	return &answer.Hits, err
}
