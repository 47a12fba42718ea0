package authz

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"sallyport/services/authz/redact"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
	"sallyport/services/mcp"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

// question is a request with its body read, once, however often it is decided.
type question struct {
	request
	at       time.Time
	messages []mcp.Message
	claim    claim
	// redact are the keys whose values are cut out of records.
	redact *redact.Keys
	// refusal is why the request is blocked whatever the policy says; nil where it isn't.
	refusal *refusal
}

// question reads a request.
func (s *Server) question(r request) question {
	q := question{request: r, at: time.Now(), redact: s.redact}
	messages, err := r.messages()
	switch {
	case errors.Is(err, errTooLarge):
		q.refusal = tooLarge()
	case err != nil:
		reason, ok := errors.AsType[*mcp.Error](err)
		if !ok {
			reason = &mcp.Error{Code: "unreadable", Sentence: err.Error()}
		}
		q.refusal = refusalOf(reason)
	}
	if !s.fromAllowedOrigin(r) {
		q.refusal = foreignOrigin(s.cfg.Contact)
	}
	q.messages = messages
	q.claim = claimOf(messages, s.assistants)
	return q
}

// firstID is the JSON-RPC id to answer an error of the whole request to; nil where there is none.
func (q question) firstID() json.RawMessage {
	for _, m := range q.messages {
		if m.Kind == mcp.Request {
			return json.RawMessage(m.ID)
		}
	}
	return nil
}

// plan is what to write down about a request, and what to answer if it is blocked.
type plan struct {
	entries []state.Entry
	claim   state.Claim
	note    activity.Note
	status  int
	body    []byte
}

// judgement is what was decided about one message. reason is the sentence of a block.
type judgement struct {
	operation *operation.Operation
	outer     string
	decision  policy.Decision
	reason    string
	refusal   string
}

func (j judgement) blocked() bool { return j.reason != "" }

// plan decides every message of a request. One that is blocked blocks them all (policy.md 1).
func (q question) plan(s *session, rules *ruleset, contact string) (plan, error) {
	if q.refusal != nil {
		return q.planRefused(s, rules)
	}
	s, claimed := q.claim.by(s)
	judgements := make([]judgement, len(q.messages))
	governed := false
	p := plan{claim: claimed, status: http.StatusOK}
	for i, m := range q.messages {
		judgements[i] = judge(m, s, rules, contact)
		governed = governed || m.Governed()
		p.note.Blocked = p.note.Blocked || judgements[i].blocked()
		// A subscription has no answer but events, and ends when the assistant leaves.
		if m.Kind == mcp.Request && m.Method != "subscriptions/listen" {
			p.note.Requests++
		}
	}
	p.note.Index = activity.IndexOf(q.at, governed)
	if len(q.messages) == 1 && q.messages[0].Method == "initialize" && !q.stateless() {
		p.note.Holder = s.grant.Holder()
	}
	if len(q.messages) == 0 {
		// The stream that a client opens with GET, or the end of a session with DELETE.
		err := p.add(q.record(s, rules), q.id)
		return p, err
	}
	for i, m := range q.messages {
		id := q.id
		if len(q.messages) > 1 {
			id += "-" + strconv.Itoa(i+1)
		}
		err := p.add(q.messageRecord(s, rules, m, judgements[i], p.note.Blocked), id)
		if err != nil {
			return plan{}, err
		}
	}
	if p.note.Blocked {
		p.status, p.body = q.denial(judgements)
	}
	return p, nil
}

// planRefused blocks a request whatever the policy says. It has one record: that of its message, where
// there is one that can be read.
func (q question) planRefused(s *session, rules *ruleset) (plan, error) {
	s, _ = q.claim.by(s)
	p := plan{
		note:   activity.Note{Index: activity.IndexOf(q.at, true), Blocked: true},
		status: q.refusal.status,
		body:   q.refusal.body(q.firstID()),
	}
	record := q.record(s, rules)
	if len(q.messages) == 1 {
		j := judgement{refusal: q.refusal.code, reason: q.refusal.sentence}
		j.operation, j.outer, _ = operationOf(q.messages[0])
		record = q.messageRecord(s, rules, q.messages[0], j, true)
	}
	record.Sallyport.Decision = activity.Blocked
	record.Sallyport.Refusal = q.refusal.code
	record.HTTP.Request.Body.Content = q.redact.Body(q.body)
	err := p.add(record, q.id)
	return p, err
}

// operationOf is the operation that a governed message asks for, and the name of the execute call around
// it. ok is false where it has none.
func operationOf(m mcp.Message) (op *operation.Operation, outer string, ok bool) {
	if !m.Governed() {
		return nil, "", false
	}
	name, outer, ok := m.Operation()
	if !ok {
		return nil, outer, false
	}
	parsed := operation.Parse(name, m.FetchID)
	return &parsed, outer, true
}

func (p *plan) add(record activity.Record, id string) error {
	record.Event.ID = id
	document, err := record.JSON()
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	p.entries = append(p.entries, state.Entry{ID: id, Index: p.note.Index, Document: document})
	p.note.IDs = append(p.note.IDs, id)
	return nil
}

// judge decides one message.
func judge(m mcp.Message, s *session, rules *ruleset, contact string) judgement {
	if !m.Governed() {
		return judgement{}
	}
	op, outer, ok := operationOf(m)
	if !ok {
		return judgement{outer: outer, refusal: "no_operation_name",
			reason: "Sallyport blocked this call because it doesn't say which operation it is: the name is missing, isn't a string, or is that of another execute call."}
	}
	j := judgement{operation: op, outer: outer}
	if rules.engine == nil {
		j.refusal = "no_policy"
		j.reason = fmt.Sprintf("Sallyport blocked %s because it has no policy yet. If you need this, ask %s.", op.Name, contact)
		return j
	}
	j.decision = rules.engine.Decide(s.client, s.subject, policy.Call{Operation: *op, Outer: outer})
	if !j.decision.Allowed {
		j.reason = j.decision.Sentence(op.Name, contact)
	}
	return j
}

// blockedFor is the sentence of the first message that is blocked.
func blockedFor(judgements []judgement) string {
	return judgements[slices.IndexFunc(judgements, judgement.blocked)].reason
}

// denial answers a blocked request in the form that each kind of message has for it
// (reference: MCP 2025-11-25 and 2026-07-28, server/tools "Error Handling").
func (q question) denial(judgements []judgement) (int, []byte) {
	var responses []rpcResponse
	for i, m := range q.messages {
		if m.Kind != mcp.Request {
			continue
		}
		reason := judgements[i].reason
		if reason == "" {
			reason = "Sallyport did not send this message to Atlassian because another one of the same batch is blocked."
		}
		if m.Method == "tools/call" {
			responses = append(responses, toolError(json.RawMessage(m.ID), reason))
		} else {
			responses = append(responses, failure(json.RawMessage(m.ID), codeDenied, reason))
		}
	}
	switch {
	case len(responses) == 0:
		// A notification has no answer in JSON-RPC; HTTP says no.
		return http.StatusForbidden, rpcError(nil, codeDenied, blockedFor(judgements))
	case len(q.messages) == 1:
		return http.StatusOK, encode(responses[0])
	}
	return http.StatusOK, encode(responses)
}
