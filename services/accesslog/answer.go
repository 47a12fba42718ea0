package accesslog

import (
	"cmp"
	"net/http"
	"strconv"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"google.golang.org/protobuf/proto"

	"sallyport/services/internal/activity"
)

// answerMetadata is where Envoy's filters leave what they read of Atlassian's answer (envoy/envoy.yaml).
const answerMetadata = "sallyport.answer"

// maxEvent is how many bytes an event may have to be read (envoy/envoy.yaml).
const maxEvent = 1 << 20

// answer is what Envoy could read of Atlassian's answer. What the answer says stays out of it.
type answer struct {
	// read says that it was there, whole, and read.
	read bool
	// toolError is the result's isError.
	toolError bool
	// code is that of a JSON-RPC error, or "".
	code string
	// compressed says that it couldn't be read for that; cutOff that it had no end.
	compressed, cutOff bool
	bytes              uint64
}

func answerOf(entry *accesslogv3.HTTPAccessLogEntry) answer {
	fields := entry.GetCommonProperties().GetMetadata().GetFilterMetadata()[answerMetadata].GetFields()
	a := answer{
		toolError: fields["is_error"].GetBoolValue(),
		// Of JSON that could be read its jsonrpc is here; of a stream that its result was among the events.
		read:       fields["jsonrpc"].GetStringValue() != "" || fields["result"].GetBoolValue(),
		bytes:      entry.GetResponse().GetResponseBodyBytes(),
		compressed: entry.GetResponse().GetResponseHeaders()[encodingHeader] != "",
		cutOff:     cutOff(entry.GetCommonProperties().GetResponseFlags()),
	}
	if code, ok := fields["code"]; ok {
		a.read = true
		a.code = cmp.Or(code.GetStringValue(), strconv.FormatFloat(code.GetNumberValue(), 'f', -1, 64))
	}
	return a
}

// cutOff reports whether the response ended for another reason than that it was at its end. Envoy sets
// no flag of a request that went well.
func cutOff(flags *accesslogv3.ResponseFlags) bool {
	return flags != nil && !proto.Equal(flags, &accesslogv3.ResponseFlags{})
}

// outcome is sallyport.outcome of a request with so many messages that want an answer, and why it is
// unknown. Without a status the connection ended before Atlassian answered.
func (a answer) outcome(status, requests int) (outcome, reason string) {
	switch {
	case status == 0:
		return activity.OutcomeUnknown, activity.UnreadCutOff
	case status >= http.StatusBadRequest:
		return activity.OutcomeHTTPError, ""
	case requests == 0:
		return activity.OutcomeOK, ""
	case requests > 1:
		return activity.OutcomeUnknown, activity.UnreadBatch
	case a.code != "" || a.toolError:
		return activity.OutcomeToolError, ""
	case a.read:
		return activity.OutcomeOK, ""
	case a.cutOff:
		return activity.OutcomeUnknown, activity.UnreadCutOff
	case a.compressed:
		return activity.OutcomeUnknown, activity.UnreadCompressed
	case a.bytes > maxEvent:
		return activity.OutcomeUnknown, activity.UnreadTooLarge
	}
	return activity.OutcomeUnknown, activity.UnreadNoAnswer
}
