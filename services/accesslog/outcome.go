package accesslog

import (
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// decisionMetadata is where Envoy keeps what authz says of its decision (activity.Note).
const decisionMetadata = "envoy.filters.http.ext_authz"

// Headers of answers that Envoy reports (envoy/envoy.yaml). By the last two Atlassian knows the request.
const (
	sessionHeader  = "mcp-session-id"
	encodingHeader = "content-encoding"
	traceHeader    = "atl-traceid"
	requestHeader  = "atl-request-id"
)

// maxTrace is how many bytes of what Atlassian calls a request are recorded.
const maxTrace = 256

// eventFailure is ECS event.outcome of what an assistant wanted and didn't get.
const eventFailure = "failure"

// eventOutcomes is ECS event.outcome, of what the assistant wanted, by sallyport.outcome.
var eventOutcomes = map[string]string{
	activity.OutcomeOK: "success", activity.OutcomeToolError: eventFailure, activity.OutcomeHTTPError: eventFailure, activity.OutcomeUnknown: "unknown",
}

func noteOf(entry *accesslogv3.HTTPAccessLogEntry) activity.Note {
	return activity.NoteFrom(entry.GetCommonProperties().GetMetadata().GetFilterMetadata()[decisionMetadata])
}

// outcomes are the outcomes' halves of the records that a request has: one for each message of its
// body, none where authz wrote none, such as for a request without a valid token.
func outcomes(entry *accesslogv3.HTTPAccessLogEntry) ([]state.Entry, error) {
	common := entry.GetCommonProperties()
	note := noteOf(entry)
	if len(note.IDs) == 0 {
		return nil, nil
	}
	status := int(entry.GetResponse().GetResponseCode().GetValue())
	record := activity.Record{
		Event: activity.Event{Outcome: eventFailure, Duration: duration(common).Nanoseconds()},
		HTTP: &activity.HTTP{Response: &activity.Response{
			StatusCode: status,
			Body:       activity.Body{Bytes: int64(entry.GetResponse().GetResponseBodyBytes())},
		}},
	}
	if !note.Blocked {
		a := answerOf(entry)
		own := &record.Sallyport
		own.Outcome, own.OutcomeReason = a.outcome(status, note.Requests)
		own.UpstreamLatency = upstreamLatency(common).Nanoseconds()
		headers := entry.GetResponse().GetResponseHeaders()
		own.UpstreamTrace, own.UpstreamRequest = traceOf(headers[traceHeader]), traceOf(headers[requestHeader])
		if session := headers[sessionHeader]; session != "" && note.Holder != "" {
			// The request that begins a session can't name it.
			own.MCPSession = state.SessionHash(session)
		}
		record.Event.Outcome = eventOutcomes[own.Outcome]
		if a.code != "" && note.Requests == 1 {
			record.Error = &activity.Error{Code: a.code}
		}
	}
	document, err := record.JSON()
	if err != nil {
		return nil, err
	}
	entries := make([]state.Entry, len(note.IDs))
	for i, id := range note.IDs {
		entries[i] = state.Entry{ID: id, Index: note.Index, Document: document}
	}
	return entries, nil
}

// traceOf is what Atlassian calls a request, as it can be recorded.
func traceOf(header string) string { return activity.CutTo([]byte(header), maxTrace) }

// duration is from the first byte of the request to the last of the response.
func duration(common *accesslogv3.AccessLogCommon) time.Duration {
	if common.GetDuration() != nil {
		return common.GetDuration().AsDuration()
	}
	return common.GetTimeToLastDownstreamTxByte().AsDuration()
}

// upstreamLatency is from the first byte sent to Atlassian to the last received.
func upstreamLatency(common *accesslogv3.AccessLogCommon) time.Duration {
	return max(0, common.GetTimeToLastUpstreamRxByte().AsDuration()-common.GetTimeToFirstUpstreamTxByte().AsDuration())
}
