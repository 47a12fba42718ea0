package admin

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
)

const (
	// tailEvery is how often a tail looks for what is new.
	tailEvery = 500 * time.Millisecond
	// tailAlive is how often a tail says that it is alive, and tailCheck how often it makes sure that its
	// caller still may have it.
	tailAlive = 15 * time.Second
	tailCheck = 5 * time.Second
	// sequenceField and completedField are where a record has its place in the activity stream (state.Sequence):
	// that of its decision, and that of its outcome.
	sequenceField, completedField = "sallyport.sequence", "sallyport.completed"
)

// errStopping ends the streams when the service stops.
var errStopping = status.Error(codes.Unavailable, "Sallyport's admin service stops: go on from the cursor when it is back.")

// tail follows the records of a search. Each has its place in the activity stream, in which it was written
// down, and Redis knows up to which place all are indexed: so what is up to there is read in that order, and
// nothing can come before it any more.
type tail struct {
	server *ActivityServer
	search *search
	stream grpc.ServerStreamingServer[adminv1.TailActivityResponse]
	// place is the field in whose order records are sent: one that is found by its outcome comes with that.
	place string
	// at is the sequence up to which all was sent.
	at      string
	said    time.Time
	checked time.Time
}

// tailCursor is where a tail goes on.
type tailCursor struct {
	// Tail tells the search that it is of.
	Tail string `json:"f"`
	// At is the sequence up to which all was sent.
	At string `json:"q"`
}

// TailActivity sends records as they are indexed, until the caller goes, may not have them any more, or is
// cut since they fell behind.
func (s *ActivityServer) TailActivity(request *adminv1.TailActivityRequest, stream grpc.ServerStreamingServer[adminv1.TailActivityResponse]) error {
	ctx := stream.Context()
	t, err := s.newTail(ctx, request)
	if err != nil {
		return err
	}
	t.stream = stream
	err = t.send(&adminv1.TailActivityResponse{})
	if err != nil {
		return err
	}
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	for {
		err = t.step(ctx)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-t.server.stopping:
			return errStopping
		case <-tick.C:
		}
	}
}

func (s *ActivityServer) newTail(ctx context.Context, request *adminv1.TailActivityRequest) (*tail, error) {
	asked := request.GetSearch()
	if asked == nil {
		asked = &adminv1.SearchActivityRequest{}
	}
	if asked.GetSince() != nil || asked.GetUntil() != nil || asked.GetPageSize() != 0 || asked.GetPageToken() != "" || len(asked.GetCounts()) > 0 {
		return nil, status.Error(codes.InvalidArgument, "search may have no since, until, page_size, page_token or counts: a tail sends what comes from now on, or from its cursor on.")
	}
	if outcome := asked.GetOutcome(); outcome == activity.OutcomeInFlight || outcome == activity.OutcomeUnknown {
		return nil, status.Errorf(codes.InvalidArgument, "outcome is %q, of which nobody tells when it comes: a tail by outcome sends a record when that is known. Look for these by a search.", outcome)
	}
	search, err := newSearch(asked, callerOf(ctx).role >= auditor)
	if err != nil {
		return nil, err
	}
	t := &tail{server: s, search: search, place: sequenceField, checked: time.Now()}
	if asked.GetOutcome() != "" {
		t.place = completedField
	}
	if request.GetCursor() == "" {
		t.at, err = s.indexedTo(ctx)
		if err == nil {
			// What it doesn't send since it was indexed before is found by a search, once the tail has begun.
			err = s.refresh(ctx)
		}
		return t, err
	}
	var from tailCursor
	if !readCursor(request.GetCursor(), &from) || from.Tail == "" {
		return nil, status.Error(codes.InvalidArgument, "cursor is none that a tail sent: send that of the last message that you took, or none to begin now.")
	}
	if from.Tail != search.cursor.Search {
		return nil, status.Error(codes.InvalidArgument, "cursor is of another tail: the words, filters and your role have to be those of the tail that sent it. Send no cursor to begin now.")
	}
	t.at = from.At
	return t, nil
}

// indexedTo is the sequence up to which everything is indexed. The error is a status.
func (s *ActivityServer) indexedTo(ctx context.Context) (string, error) {
	to, err := s.store.IndexedTo(ctx)
	if err != nil {
		return "", status.Errorf(codes.Unavailable, "Redis doesn't answer, so it isn't known what was indexed. Start it again, and go on from the cursor. (%v)", err)
	}
	return to, nil
}

// step sends what is new, and otherwise from time to time that the tail is alive.
func (t *tail) step(ctx context.Context) error {
	if time.Since(t.checked) >= tailCheck {
		err := t.check(ctx)
		if err != nil {
			return err
		}
	}
	to, err := t.server.indexedTo(ctx)
	if err != nil {
		return err
	}
	if to > t.at {
		err = t.catchUp(ctx, to)
		if err != nil {
			return err
		}
	}
	if time.Since(t.said) >= tailAlive {
		return t.send(&adminv1.TailActivityResponse{})
	}
	return nil
}

// check ends the tail of somebody who may not have it any more.
func (t *tail) check(ctx context.Context) error {
	err := t.server.still(ctx, "tail", t.search.arguments)
	if err == nil {
		t.checked = time.Now()
	}
	return err
}

// still is an error where the caller of a stream may not have any more what they had when it began.
func (s *ActivityServer) still(ctx context.Context, stream string, arguments bool) error {
	who, err := s.callers.identify(ctx)
	if err != nil {
		return err
	}
	if who.role < viewer || who.role >= auditor != arguments {
		return status.Errorf(codes.PermissionDenied, "The %s has ended, since your role has changed: begin it again with what you may now.", stream)
	}
	return nil
}

// catchUp sends the records up to a sequence.
func (t *tail) catchUp(ctx context.Context, to string) error {
	err := t.server.refresh(ctx)
	if err != nil {
		return err
	}
	for {
		found, err := t.read(ctx, to)
		if err != nil {
			return err
		}
		if found.Total.Value > t.server.tailLimit {
			return status.Errorf(codes.OutOfRange, "The tail was cut: it is more than %d records behind. Begin it again without a cursor, and find by a search what was missed.", t.server.tailLimit)
		}
		err = t.sendAll(found.Hits)
		if err != nil {
			return err
		}
		if len(found.Hits) < fetchRecords {
			t.at = to
			return nil
		}
	}
}

// sendAll sends records in messages that aren't too large.
func (t *tail) sendAll(found []hit) error {
	message, size := &adminv1.TailActivityResponse{}, 0
	for i, hit := range found {
		record, err := hit.record(t.search.arguments)
		if err != nil {
			return err
		}
		if len(hit.Sort) == 0 {
			return status.Errorf(codes.Internal, "The record %s came without its place in the stream.", hit.ID)
		}
		message.Records = append(message.Records, record)
		t.at = hit.Sort[0]
		size += proto.Size(record)
		if size <= pageBytes && i < len(found)-1 {
			continue
		}
		err = t.send(message)
		if err != nil {
			return err
		}
		message, size = &adminv1.TailActivityResponse{}, 0
	}
	return nil
}

// send sends a message.
func (t *tail) send(message *adminv1.TailActivityResponse) error {
	message.Cursor = tokenOf(tailCursor{Tail: t.search.cursor.Search, At: t.at})
	message.ArgumentsWithheld = !t.search.arguments
	err := t.server.patiently("tail", func() error { return t.stream.Send(message) })
	if err == nil {
		t.said = time.Now()
	}
	return err
}

// patiently sends, and gives up on a reader that doesn't take it. What then still waits to be sent ends
// with the stream.
func (s *ActivityServer) patiently(stream string, send func() error) error {
	sent := make(chan error, 1)
	go func() { sent <- send() }()
	patience := time.NewTimer(s.tailPatience)
	defer patience.Stop()
	select {
	case err := <-sent:
		return err
	case <-patience.C:
		return status.Errorf(codes.OutOfRange, "The %s was cut: nothing was taken from it for %v. Go on from the cursor of the last message that you took.", stream, s.tailPatience)
	}
}

// read asks for the next records after those that were sent.
func (t *tail) read(ctx context.Context, to string) (*hits, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	filters := append(slices.Clip(t.search.filters), object{"range": object{t.place: object{"gt": t.at, "lte": to}}})
	body := object{
		"size": fetchRecords, "track_total_hits": t.server.tailLimit + 1,
		"query":   object{"bool": object{"filter": filters}},
		"_source": object{"excludes": t.search.withheld()},
		"sort":    []object{{t.place: object{"order": "asc", "unmapped_type": "keyword"}}},
	}
	var answer struct{ Hits hits }
	yes := true
	request := esapi.SearchRequest{Index: []string{activity.Actions}, AllowNoIndices: &yes, IgnoreUnavailable: &yes}
	err := find(ctx, t.server.elastic, request, body, func(body io.Reader) error { return json.NewDecoder(body).Decode(&answer) })
	return &answer.Hits, err
}

// refresh makes searchable what is indexed.
func (s *ActivityServer) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	yes := true
	response, err := esapi.IndicesRefreshRequest{Index: []string{activity.Actions}, AllowNoIndices: &yes, IgnoreUnavailable: &yes}.Do(ctx, s.elastic)
	if err != nil {
		return elasticAway(err)
	}
	defer response.Body.Close()
	err = elastic.Failure(response)
	if err != nil {
		return elasticRefused(response.StatusCode, err)
	}
	return nil
}
