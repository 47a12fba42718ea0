package admin

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
)

// AlertServer lists what was alerted of.
type AlertServer struct {
	adminv1.UnsafeAlertServiceServer
	elastic esapi.Transport
}

// alertCursor is where a list goes on: after an alert's time and id.
type alertCursor struct {
	After position `json:"alert"`
}

// ListAlerts returns a page of alerts, newest first.
func (s *AlertServer) ListAlerts(ctx context.Context, request *adminv1.ListAlertsRequest) (*adminv1.ListAlertsResponse, error) {
	size := int(request.GetPageSize())
	switch {
	case size < 0 || size > maxPage:
		return nil, status.Errorf(codes.InvalidArgument, "page_size is %d: it may be 1 to %d, or 0 for %d.", size, maxPage, defaultPage)
	case size == 0:
		size = defaultPage
	}
	var from alertCursor
	if token := request.GetPageToken(); token != "" && (!readCursor(token, &from) || len(from.After) != 2) {
		return nil, status.Error(codes.InvalidArgument, "page_token is none that a list of alerts gave: send the next_page_token of a page, or none for the first.")
	}
	filters := []object{exists("sallyport.alert.record")}
	if since := request.GetSince(); since != nil {
		filters = append(filters, object{"range": object{"@timestamp": object{"gte": since.AsTime().Format(time.RFC3339Nano)}}})
	}
	body := object{
		"size": size + 1, "track_total_hits": false,
		"query": object{"bool": object{"filter": filters}},
		"sort": []object{
			{"@timestamp": object{"order": "desc", "format": "strict_date_optional_time_nanos", "unmapped_type": "date_nanos"}},
			{"event.id": object{"order": "desc", "unmapped_type": "keyword"}},
		},
	}
	if from.After != nil {
		body["search_after"] = from.After
	}
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	var answer struct{ Hits hits }
	yes := true
	search := esapi.SearchRequest{Index: []string{activity.Actions}, AllowNoIndices: &yes, IgnoreUnavailable: &yes}
	err := find(ctx, s.elastic, search, body, func(body io.Reader) error { return json.NewDecoder(body).Decode(&answer) })
	if err != nil {
		return nil, err
	}
	page := &adminv1.ListAlertsResponse{}
	for i, h := range answer.Hits.Hits {
		if i == size {
			page.NextPageToken = tokenOf(alertCursor{answer.Hits.Hits[i-1].Sort})
			break
		}
		stored, err := activity.Parse(h.Source)
		if err != nil {
			return nil, status.Errorf(codes.Internal, "The alert %s in Elasticsearch can't be read: %v.", h.ID, err)
		}
		page.Alerts = append(page.Alerts, alertMessage(stored))
	}
	return page, nil
}

func alertMessage(r activity.Record) *adminv1.Alert {
	shown := recordMessage(r, time.Now())
	m := &adminv1.Alert{
		Id: shown.GetId(), Time: timestamppb.New(r.Timestamp), Alert: strings.TrimPrefix(r.Event.Action, "alert."), Message: r.Message(),
		User: shown.GetUser(), Client: shown.GetClient(), Operation: shown.GetOperation().GetName(),
		RuleId: shown.GetDecision().GetRuleId(), RuleNumber: shown.GetDecision().GetRuleNumber(), RuleNote: shown.GetDecision().GetRuleNote(),
	}
	if a := r.Sallyport.Alert; a != nil {
		m.RecordId, m.Blocked, m.Calls = a.Record, int64(a.Blocked), int64(a.Calls)
		if !a.Since.IsZero() {
			m.Since = timestamppb.New(a.Since)
		}
	}
	return m
}
