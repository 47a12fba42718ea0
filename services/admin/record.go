package admin

import (
	"cmp"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	"sallyport/services/internal/activity"
)

// recordMessage is a stored record as the API shows it at a time.
func recordMessage(r activity.Record, now time.Time) *activityv1.Record {
	m := &activityv1.Record{
		Id:        r.Event.ID,
		Time:      timestamppb.New(r.Timestamp),
		Arguments: argumentsMessage(r.Sallyport.Arguments),
		Site:      r.Sallyport.Site,

		McpSession:        r.Sallyport.MCPSession,
		UpstreamTraceId:   r.Sallyport.UpstreamTrace,
		UpstreamRequestId: r.Sallyport.UpstreamRequest,
	}
	if r.Sallyport.Act != nil {
		m.Act = actMessage(r)
	} else {
		m.Decision, m.Outcome = decisionMessage(r.Sallyport), outcomeMessage(r, now)
	}
	if u := r.User; u != nil {
		m.User = &activityv1.User{Id: u.ID, Name: u.Name, Email: u.Email, Groups: u.Group.Name, GroupIds: u.Group.ID}
	}
	if c := r.Sallyport.Client; c != nil {
		m.Client = &activityv1.Client{Key: c.Key, Name: c.Name, Class: c.Class, Info: c.Info, Mismatch: c.Mismatch}
	}
	if o := r.Sallyport.Operation; o != nil {
		m.Operation = &activityv1.Operation{Name: o.Name, Outer: o.Outer, Product: o.Product, Actions: o.Actions}
	}
	if r.HTTP != nil && r.HTTP.Request != nil {
		m.RequestBytes, m.UnreadableBody = r.HTTP.Request.Body.Bytes, r.HTTP.Request.Body.Content
	}
	if r.Source != nil {
		m.SourceIp = r.Source.IP
	}
	if r.UserAgent != nil {
		m.UserAgent = r.UserAgent.Original
	}
	if r.Trace != nil {
		m.TraceId = r.Trace.ID
	}
	return m
}

// actMessage is what an admin did.
func actMessage(r activity.Record) *activityv1.Act {
	a := r.Sallyport.Act
	m := &activityv1.Act{
		Action: r.Event.Action, Caller: a.Caller, Targets: a.Targets, Reason: a.Reason, Details: a.Details,
		Outcome: cmp.Or(r.Event.Outcome, activity.OutcomeUnknown),
	}
	if r.User != nil {
		m.Role = strings.Join(r.User.Roles, ", ")
	}
	if r.Error != nil {
		m.ErrorCode, m.ErrorMessage = r.Error.Code, r.Error.Message
	}
	return m
}

func decisionMessage(s activity.Sallyport) *activityv1.Decision {
	d := &activityv1.Decision{
		Effect:        s.Decision,
		PolicyVersion: s.PolicyVersion,
		Reason:        s.Refusal,
		GroupsUnknown: s.GroupsUnknown,
		Ungoverned:    s.Ungoverned,
	}
	if s.Rule != nil {
		d.RuleNumber, d.RuleId, d.RuleNote = int32(s.Rule.Number), s.Rule.ID, s.Rule.Note
	}
	if s.Monitor != nil {
		d.MonitorRule, d.MonitorEffect = int32(s.Monitor.Rule), s.Monitor.Effect
	}
	return d
}

// outcomeMessage tells what came of a call: Atlassian's answer, or of a blocked one Sallyport's. An
// allowed call whose outcome never came was lost on the way here and not at Atlassian, so it reads
// as unknown.
func outcomeMessage(r activity.Record, now time.Time) *activityv1.Outcome {
	o := &activityv1.Outcome{Result: r.Sallyport.Outcome, Reason: r.Sallyport.OutcomeReason}
	if r.Sallyport.Decision == activity.Allowed && (o.Result == "" || o.Result == activity.OutcomeInFlight) {
		o.Result = activity.OutcomeInFlight
		if now.Sub(r.Timestamp) > activity.OutcomeTimeout {
			o.Result = activity.OutcomeUnknown
		}
		return o
	}
	if r.HTTP != nil && r.HTTP.Response != nil {
		o.StatusCode = int32(r.HTTP.Response.StatusCode)
		o.ResponseBytes = r.HTTP.Response.Body.Bytes
	}
	if r.Error != nil {
		o.ErrorCode = r.Error.Code
	}
	o.Duration = durationpb.New(time.Duration(r.Event.Duration))
	if r.Sallyport.UpstreamLatency > 0 {
		o.UpstreamLatency = durationpb.New(time.Duration(r.Sallyport.UpstreamLatency))
	}
	o.OwnLatency = durationpb.New(time.Duration(max(0, r.Event.Duration-r.Sallyport.UpstreamLatency)))
	return o
}

// argumentsMessage is the arguments as a Struct. Those that a Struct can't hold, such as a number
// beyond a double's range, come as they are, as a text under "json": the log may not leave out
// what was tried.
func argumentsMessage(arguments []byte) *structpb.Struct {
	if len(arguments) == 0 {
		return nil
	}
	m := &structpb.Struct{}
	err := protojson.Unmarshal(arguments, m)
	if err != nil {
		return &structpb.Struct{Fields: map[string]*structpb.Value{"json": structpb.NewStringValue(string(arguments))}}
	}
	return m
}
