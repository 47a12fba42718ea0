package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

const (
	usualRejected = 50
	maxRejected   = 1000
	// maxRejectedDetail is how many bytes of Elasticsearch's words are shown: they can quote the document.
	maxRejectedDetail = 4 << 10
)

// RejectedServer shows what Elasticsearch refuses, and has it indexed again.
type RejectedServer struct {
	adminv1.UnsafeRejectedServiceServer
	store *state.Store
	// streamLimit is how many entries may wait to be indexed.
	streamLimit int64
}

// ListRejected returns one page of what is kept aside.
func (s *RejectedServer) ListRejected(ctx context.Context, request *adminv1.ListRejectedRequest) (*adminv1.ListRejectedResponse, error) {
	size := cmp.Or(int(request.GetPageSize()), usualRejected)
	if size < 1 || size > maxRejected {
		return nil, status.Errorf(codes.InvalidArgument, "page_size is %d: it must be 1 to %d.", size, maxRejected)
	}
	after := request.GetPageToken()
	if after != "" && !state.IsPosition(after) {
		return nil, status.Error(codes.InvalidArgument, "page_token isn't one that ListRejected returned. Leave it out to begin anew.")
	}
	backlog, err := s.store.Backlog(ctx)
	if err != nil {
		return nil, rejectedAway(err)
	}
	page := &adminv1.ListRejectedResponse{Total: backlog.Aside, DocumentsWithheld: callerOf(ctx).role < auditor}
	bytes := 0
	for {
		wanted := min(size-len(page.Entries)+1, fetchRecords)
		found, err := s.store.Aside(ctx, after, int64(wanted))
		if err != nil {
			return nil, rejectedAway(err)
		}
		for _, e := range found {
			if len(page.Entries) == size || bytes > pageBytes {
				page.NextPageToken = after
				return page, nil
			}
			message := rejectedMessage(e, page.GetDocumentsWithheld())
			bytes += len(message.GetDocument()) + len(message.GetDetail())
			page.Entries = append(page.Entries, message)
			after = e.Position
		}
		if len(found) < wanted {
			return page, nil
		}
	}
}

func rejectedMessage(e state.Aside, withheld bool) *adminv1.Rejected {
	kind, words, _ := strings.Cut(e.Reason, ": ")
	message := &adminv1.Rejected{
		Id: e.Position, RecordId: e.ID, Half: e.Kind, Index: e.Index, Reason: kind, SizeBytes: int64(len(e.Document)),
	}
	milliseconds, _, _ := strings.Cut(e.Position, "-")
	at, err := strconv.ParseInt(milliseconds, 10, 64)
	if err == nil {
		message.Since = timestamppb.New(time.UnixMilli(at))
	}
	if e.Acknowledged != (state.Acknowledgement{}) {
		message.AcknowledgedBy, message.AcknowledgedAt = e.Acknowledged.By, timestamppb.New(e.Acknowledged.At)
	}
	if !withheld {
		message.Detail = activity.CutTo([]byte(words), maxRejectedDetail)
		message.Document = strings.ToValidUTF8(string(e.Document), "\uFFFD")
	}
	return message
}

// RetryRejected has entries indexed again.
func (s *RejectedServer) RetryRejected(ctx context.Context, request *adminv1.RetryRejectedRequest) (*adminv1.RetryRejectedResponse, error) {
	ids := request.GetIds()
	err := checkRejected(ids, request.GetAll())
	if err != nil {
		return nil, err
	}
	answer := &adminv1.RetryRejectedResponse{}
	if request.GetAll() {
		moved, err := s.store.RetryAside(ctx, s.streamLimit, state.Retry{})
		if err != nil {
			return nil, notRetried(err, moved)
		}
		answer.Retried = moved
		return answer, nil
	}
	for _, id := range ids {
		moved, err := s.store.RetryAside(ctx, s.streamLimit, state.Retry{Position: id})
		answer.Retried += moved
		if err != nil {
			return nil, notRetried(err, answer.GetRetried())
		}
		answer.Gone += 1 - moved
	}
	return answer, nil
}

// checkRejected refuses what names no entries, or all and some.
func checkRejected(ids []string, all bool) error {
	switch {
	case all == (len(ids) > 0):
		return status.Error(codes.InvalidArgument, "Name the entries by ids, as ListRejected returns them, or set all for all of them.")
	case len(ids) > maxRejected:
		return status.Errorf(codes.InvalidArgument, "There are %d ids: send %d at most at a time, or set all.", len(ids), maxRejected)
	}
	for i, id := range ids {
		if !state.IsPosition(id) {
			return status.Errorf(codes.InvalidArgument, "ids[%d] is %q, which is none of an entry: ListRejected and `sallyport log rejected` show them, such as 1764072000000-0.", i, id)
		}
	}
	return nil
}

// AcknowledgeRejected notes that somebody has seen entries.
func (s *RejectedServer) AcknowledgeRejected(ctx context.Context, request *adminv1.AcknowledgeRejectedRequest) (*adminv1.AcknowledgeRejectedResponse, error) {
	ids := request.GetIds()
	err := checkRejected(ids, request.GetAll())
	if err != nil {
		return nil, err
	}
	answer := &adminv1.AcknowledgeRejectedResponse{}
	if request.GetAll() {
		ids = []string{""}
	}
	by := state.Acknowledgement{By: callerOf(ctx).name, At: time.Now().UTC()}
	for _, id := range ids {
		found, noted, err := s.store.AcknowledgeAside(ctx, id, by)
		answer.Acknowledged += noted
		if err != nil {
			return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm that the entries are acknowledged. Start it again, and try once more: that does no harm. (%v)", err)
		}
		if found == 0 && id != "" {
			answer.Gone++
		}
	}
	return answer, nil
}

// notRetried is the error of a retry that came to an end early, after some entries.
func notRetried(err error, moved int64) error {
	before := "No entry was sent again"
	if moved > 0 {
		before = fmt.Sprintf("Some entries (%d) were sent again, and the others stay aside", moved)
	}
	if errors.Is(err, state.ErrStreamFull) {
		return status.Errorf(codes.Unavailable, "%s: too many records wait for Elasticsearch, which has been away for long. Start it again, and try once more when the records are indexed.", before)
	}
	return status.Errorf(codes.Unavailable, "%s: Redis doesn't answer. Start it again, and try once more. (%v)", before, err)
}

func rejectedAway(err error) error {
	return status.Errorf(codes.Unavailable, "Redis doesn't answer, so what is kept aside can't be listed. Start it again, and try once more. (%v)", err)
}
