package authz

import (
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
	"sallyport/services/mcp"
)

// record is what every record of a request has: who, from where, by which policy.
func (q question) record(s *session, rules *ruleset) activity.Record {
	record := activity.Record{
		Timestamp: q.at.UTC(),
		Event:     activity.Event{Action: q.method},
		User: &activity.User{
			ID: s.grant.AccountID, Name: s.grant.Name, Email: s.grant.Email,
			Group: s.groupsOf(),
		},
		HTTP: &activity.HTTP{Request: &activity.Request{Method: q.method, Body: activity.Body{Bytes: int64(len(q.body))}}},
		Sallyport: activity.Sallyport{
			Client:        &activity.Client{Key: s.grant.ClientKey, Name: s.grant.ClientName, Class: s.grant.ClientClass, Info: s.grant.ClientInfo, Mismatch: s.grant.ClientMismatch},
			Decision:      activity.Allowed,
			GroupsUnknown: !s.groups.Known,
			PolicyVersion: rules.version,
			Site:          s.grant.Site,
		},
	}
	if q.sourceIP != "" {
		record.Source = &activity.Source{IP: q.sourceIP}
	}
	if q.userAgent != "" {
		record.UserAgent = &activity.UserAgent{Original: q.userAgent}
	}
	if q.traceID != "" {
		record.Trace = &activity.Trace{ID: q.traceID}
	}
	if sessions := q.headers["mcp-session-id"]; len(sessions) == 1 && !q.stateless() {
		record.Sallyport.MCPSession = state.SessionHash(sessions[0])
	}
	return record
}

// messageRecord is the record of one message. requestBlocked says that it, or another of its
// batch, didn't go on.
func (q question) messageRecord(s *session, rules *ruleset, m mcp.Message, j judgement, requestBlocked bool) activity.Record {
	record := q.record(s, rules)
	record.Event.Action = m.Method
	own := &record.Sallyport
	own.Ungoverned = !m.Governed()
	if requestBlocked {
		own.Decision = activity.Blocked
		own.Refusal = j.refusal
		if !j.blocked() {
			own.Refusal = "batch"
		}
	}
	own.Operation = &activity.Operation{Name: m.Method, Outer: j.outer}
	if j.operation != nil {
		record.Event.Action = j.operation.Name
		own.Operation.Name = j.operation.Name
		own.Operation.Product = j.operation.Product
		own.Operation.Actions = j.operation.Families()
	}
	if number := j.decision.Rule; number > 0 {
		own.Rule = &activity.Rule{ID: j.decision.RuleID, Number: number, Note: j.decision.Note}
	}
	if number := j.decision.MonitorRule; number > 0 {
		own.Monitor = &activity.Monitor{Rule: number, Effect: string(j.decision.MonitorEffect)}
	}
	if len(m.Arguments) > 0 {
		arguments := q.redact.Value(m.Arguments)
		if arguments[0] == '{' {
			// They go through Redis once: accesslog adds what they are found by.
			own.Arguments = arguments
		} else {
			own.ArgumentsText = activity.Cut(arguments)
			own.IssueKeys, own.ProjectKeys = activity.KeysIn(own.ArgumentsText)
		}
	}
	return record
}
