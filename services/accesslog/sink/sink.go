// Package sink sends records as OTLP logs, over HTTP, to an OpenTelemetry Collector or what else takes them, for
// the SIEM behind it (docs/siem.md).
package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	collogspb "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/slim/otlp/logs/v1"

	"sallyport/services/accesslog/follow"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// Sink is the other side.
type Sink struct {
	url     string
	headers http.Header
	timeout time.Duration
	client  *http.Client
	log     *slog.Logger
}

// Open returns a sink. It doesn't connect.
func Open(c Config, log *slog.Logger) (*Sink, error) {
	headers, err := readHeaders(c.HeadersFile)
	if err != nil {
		return nil, err
	}
	return &Sink{
		url: c.url(), headers: headers, timeout: c.Timeout, log: log,
		client: &http.Client{
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
			// A redirect would make a GET of it, without the records.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Check asks whether the other side is one, by a request without records, which OTLP says is to be taken: so that a
// setting that is wrong shows before there is a record to send.
func (s *Sink) Check(ctx context.Context, _ *state.Delivery, _ bool) error {
	_, err := s.post(ctx, request(nil))
	if _, ok := errors.AsType[*contentError](err); ok {
		return nil
	}
	return err
}

// Orders are the orders in which records are sent: when they are complete, so that none waits for a call
// under way; and those whose outcome didn't come, when it won't any more.
func (c Config) Orders() []follow.Order {
	excludes := []string{"sallyport.arguments_text", "sallyport.issue_key", "sallyport.project_key"}
	if !c.Arguments {
		excludes = append(excludes, "sallyport.arguments", "http.request.body.content")
	}
	source := follow.Object{"excludes": excludes}
	return []follow.Order{
		{
			Name: "completed", Field: "sallyport.completed", Source: source,
			// One without its first half, which Elasticsearch refused, comes when that is indexed.
			Filters: func(string) []follow.Object { return []follow.Object{follow.Exists("sallyport.sequence")} },
		},
		{
			Name: "swept", Field: "sallyport.sequence", Source: source, Delay: activity.OutcomeTimeout,
			Filters: func(after string) []follow.Object {
				return []follow.Object{{"bool": follow.Object{"should": []follow.Object{
					{"bool": follow.Object{"must_not": follow.Exists("sallyport.completed")}},
					// Its first half was indexed after its last.
					{"range": follow.Object{"sallyport.completed": follow.Object{"lte": after}}},
				}}}}
			},
		},
	}
}

// Deliver sends records in one request. Where the other side refuses what is in it, it finds out by halves
// which record that is, and leaves it out.
func (s *Sink) Deliver(ctx context.Context, found []follow.Found) ([]follow.Refused, error) {
	var unreadable []follow.Refused
	var readable []follow.Found
	var records []*logspb.LogRecord
	for _, f := range found {
		record, err := logRecord(f)
		if err != nil {
			unreadable = append(unreadable, follow.Refused{ID: f.ID, Reason: err.Error(), Count: 1})
			continue
		}
		readable, records = append(readable, f), append(records, record)
	}
	if len(records) == 0 {
		return unreadable, nil
	}
	refused, err := s.send(ctx, readable, records)
	return append(unreadable, refused...), err
}

func (s *Sink) send(ctx context.Context, found []follow.Found, records []*logspb.LogRecord) ([]follow.Refused, error) {
	answer, err := s.post(ctx, request(records))
	refused, ok := errors.AsType[*contentError](err)
	switch {
	case ok && len(records) > 1:
		half := len(records) / 2
		first, err := s.send(ctx, found[:half], records[:half])
		if err != nil {
			return nil, err
		}
		second, err := s.send(ctx, found[half:], records[half:])
		return append(first, second...), err
	case ok:
		// Something that refuses all requests, such as no collector, isn't to be taken for one that refuses
		// this record. A request without records is one that OTLP says is to be taken.
		_, empty := s.post(ctx, request(nil))
		if empty != nil {
			return nil, &follow.WaitError{Err: err}
		}
		return []follow.Refused{{ID: found[0].ID, Reason: refused.Error(), Count: 1}}, nil
	case err != nil:
		return nil, err
	}
	return s.partly(answer, found), nil
}

// partly is what an answer says wasn't taken. OTLP forbids to send it again.
func (s *Sink) partly(answer *collogspb.ExportLogsServiceResponse, found []follow.Found) []follow.Refused {
	rejected, why := int(answer.GetPartialSuccess().GetRejectedLogRecords()), answer.GetPartialSuccess().GetErrorMessage()
	switch {
	case rejected <= 0 && why != "":
		s.log.Warn("the OTLP sink took all records, and says", "message", why)
		return nil
	case rejected <= 0:
		return nil
	case rejected >= len(found):
		list := make([]follow.Refused, len(found))
		for i, f := range found {
			list[i] = follow.Refused{ID: f.ID, Reason: why, Count: 1}
		}
		return list
	}
	among := fmt.Sprintf("%d of the %d records from %s to %s", rejected, len(found), found[0].ID, found[len(found)-1].ID)
	return []follow.Refused{{ID: among, Reason: why, Count: rejected}}
}
