package authz

import (
	"encoding/json"
	"net/http"

	"sallyport/services/internal/state"
	"sallyport/services/mcp"
)

// refusal is why a request is blocked whatever the policy says, and how that is answered.
type refusal struct {
	// code is stable, for records.
	code     string
	status   int
	rpcCode  int
	sentence string
	// data is the error's data member; nil for none.
	data any
}

// versions is the data of an error about the revision (MCP 2025-11-25, basic/lifecycle "Error
// Handling"; 2026-07-28, basic/versioning).
type versions struct {
	Supported []string `json:"supported"`
	Requested string   `json:"requested"`
}

func refusalOf(e *mcp.Error) *refusal {
	r := &refusal{
		code: e.Code, status: e.HTTPStatus(), rpcCode: e.RPCCode(),
		sentence: "Sallyport can't take this request, so it sent nothing to Atlassian. " + e.Sentence,
	}
	if e.Requested != "" {
		r.data = versions{mcp.Revisions, e.Requested}
	}
	return r
}

// foreignOrigin refuses what a page of a site that isn't allowed sends (MCP 2025-11-25,
// basic/transports "Security Warning").
func foreignOrigin(contact string) *refusal {
	return &refusal{
		code: "origin", status: http.StatusForbidden, rpcCode: codeDenied,
		sentence: "Sallyport takes no requests from web pages of this origin, so it sent nothing to Atlassian. If the page is one of your company's, ask " + contact + " to add it to --allowed-origins.",
	}
}

// tooLarge refuses a body that isn't there as a whole.
func tooLarge() *refusal {
	return &refusal{
		code: "too_large", status: http.StatusRequestEntityTooLarge, rpcCode: codeInvalid,
		sentence: "The request is larger than 1 MiB, which is the most that Sallyport reads, so it was not sent to Atlassian. Send it in smaller parts.",
	}
}

// foreign refuses a request for somebody else's session or task, in the words of one that doesn't exist:
// an assistant begins anew where it isn't an attacker.
func (q question) foreign(e *state.ForeignError) *refusal {
	if e.Place < q.boundSessions() {
		return &refusal{
			code: "foreign_session", status: http.StatusNotFound, rpcCode: codeNotFound,
			sentence: "You have no MCP session of this id here, so Sallyport sent nothing to Atlassian. Begin a new one with initialize.",
		}
	}
	return &refusal{
		code: "foreign_task", status: http.StatusNotFound, rpcCode: codeNotFound,
		sentence: "You have no task of this id here, so Sallyport sent nothing to Atlassian.",
	}
}

// body is the JSON-RPC error that answers the request with an id.
func (r *refusal) body(id json.RawMessage) []byte {
	response := failure(id, r.rpcCode, r.sentence)
	response.Error.Data = r.data
	return encode(response)
}

// boundSessions is how many of the things in bound are sessions; the others are tasks.
func (q question) boundSessions() int {
	if q.stateless() {
		return 0
	}
	return len(q.headers["mcp-session-id"])
}

// bound are the sessions and tasks that the request is about. In a stateless revision a session is
// ignored; mcp.Headers allows at most one in the others.
func (q question) bound() []string {
	if q.refusal != nil {
		return nil
	}
	var hashes []string
	if !q.stateless() {
		for _, id := range q.headers["mcp-session-id"] {
			hashes = append(hashes, state.SessionHash(id))
		}
	}
	for _, m := range q.messages {
		if m.TaskID != "" {
			hashes = append(hashes, state.TaskHash(m.TaskID))
		}
	}
	return hashes
}

func (r request) stateless() bool { return r.spoken().Stateless() }
