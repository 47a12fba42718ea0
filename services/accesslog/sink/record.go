package sink

import (
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	collogspb "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/slim/otlp/resource/v1"

	"sallyport/services/accesslog/follow"
	"sallyport/services/internal/activity"
)

// body is a record as it is sent: as it is stored, and of an alert its sentence.
type body struct {
	activity.Record
	Message string `json:"message,omitzero"`
}

// request is a request with records.
func request(records []*logspb.LogRecord) *collogspb.ExportLogsServiceRequest {
	if len(records) == 0 {
		return &collogspb.ExportLogsServiceRequest{}
	}
	return &collogspb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
		Resource:  &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("service.name", "sallyport")}},
		ScopeLogs: []*logspb.ScopeLogs{{Scope: &commonpb.InstrumentationScope{Name: "sallyport.record"}, LogRecords: records}},
	}}}
}

// logRecord is a stored record as an OTLP log record.
func logRecord(f follow.Found) (*logspb.LogRecord, error) {
	record, err := activity.Parse(f.Source)
	if err != nil {
		return nil, fmt.Errorf("reading record %s: %w", f.ID, err)
	}
	settle(&record)
	whole, err := json.Marshal(body{record, record.Message()})
	if err != nil {
		return nil, fmt.Errorf("writing record %s: %w", f.ID, err)
	}
	severity, word := severityOf(record)
	return &logspb.LogRecord{
		TimeUnixNano:         uint64(record.Timestamp.UnixNano()),
		ObservedTimeUnixNano: uint64(time.Now().UnixNano()),
		SeverityNumber:       severity, SeverityText: word,
		EventName:  "sallyport." + kindOf(record),
		Body:       &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: string(whole)}},
		Attributes: attributes(record),
	}, nil
}

// settle says of a call whose outcome hasn't come that it isn't known: it is sent when it won't come any more.
func settle(r *activity.Record) {
	if r.Sallyport.Decision == activity.Allowed && r.Sallyport.Outcome == "" {
		r.Sallyport.Outcome, r.Event.Outcome = activity.OutcomeUnknown, activity.OutcomeUnknown
	}
	if r.Sallyport.Act != nil && r.Event.Outcome == "" {
		r.Event.Outcome = activity.OutcomeUnknown
	}
}

func kindOf(r activity.Record) string {
	switch {
	case r.Sallyport.Act != nil:
		return "act"
	case r.Sallyport.Alert != nil:
		return "alert"
	}
	return "call"
}

// severityOf is WARN for what was blocked, for acts that failed, and for alerts.
func severityOf(r activity.Record) (logspb.SeverityNumber, string) {
	if r.Sallyport.Decision == activity.Blocked || r.Sallyport.Alert != nil || r.Sallyport.Act != nil && r.Event.Outcome == "failure" {
		return logspb.SeverityNumber_SEVERITY_NUMBER_WARN, "WARN"
	}
	return logspb.SeverityNumber_SEVERITY_NUMBER_INFO, "INFO"
}

// attributes are the fields that SIEMs filter and group by, under their names in the record. Those that are
// empty are left out.
func attributes(r activity.Record) []*commonpb.KeyValue {
	own := r.Sallyport
	list := [][2]string{
		{"event.id", r.Event.ID}, {"event.kind", r.Event.Kind}, {"event.action", r.Event.Action}, {"event.outcome", r.Event.Outcome},
		{"sallyport.decision", own.Decision}, {"sallyport.refusal", own.Refusal}, {"sallyport.outcome", own.Outcome}, {"message", r.Message()},
	}
	if r.User != nil {
		list = append(list, [][2]string{{"user.id", r.User.ID}, {"user.name", r.User.Name}, {"user.email", r.User.Email}}...)
	}
	if r.Source != nil {
		list = append(list, [2]string{"source.ip", r.Source.IP})
	}
	if own.Client != nil {
		list = append(list, [][2]string{{"sallyport.client.key", own.Client.Key}, {"sallyport.client.class", own.Client.Class}}...)
	}
	if own.Operation != nil {
		list = append(list, [][2]string{{"sallyport.operation.name", own.Operation.Name}, {"sallyport.operation.product", own.Operation.Product}}...)
	}
	if own.Rule != nil {
		list = append(list, [][2]string{{"sallyport.rule.id", own.Rule.ID}, {"sallyport.rule.number", strconv.Itoa(own.Rule.Number)}, {"sallyport.rule.note", own.Rule.Note}}...)
	}
	if own.Alert != nil {
		list = append(list, [2]string{"sallyport.alert.record", own.Alert.Record})
	}
	var all []*commonpb.KeyValue
	for _, pair := range list {
		if pair[1] != "" {
			all = append(all, text(pair[0], pair[1]))
		}
	}
	return all
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}
