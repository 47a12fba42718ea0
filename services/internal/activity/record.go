// Package activity is the record: one document for one thing an assistant tried to do, or an admin did, its one
// JSON form with the names of the Elastic Common Schema where it has them
// (https://www.elastic.co/guide/en/ecs), and its Elasticsearch template.
//
// A record is made of two halves that are written at different times, and merged under the record's id: of
// a call the decision, by authz, and the outcome, by accesslog; of an act of an admin what is about to be
// done, and what came of it, both by the service that does it. Calls have sallyport.decision, acts
// sallyport.act. An alert is a record with sallyport.alert, and whole from the beginning.
package activity

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// Actions is the pattern of the indices that hold what assistants did or tried to do.
	Actions = "sallyport-activity-*"
	// Protocol is the pattern of the indices of traffic that no rule governs, such as initialize.
	Protocol = "sallyport-protocol-*"
)

// IndexOf returns the index of a decision made at a time: one a day, in UTC.
func IndexOf(at time.Time, governed bool) string {
	pattern := Protocol
	if governed {
		pattern = Actions
	}
	return pattern[:len(pattern)-1] + at.UTC().Format(dayLayout)
}

// dayLayout is a day in the name of an index.
const dayLayout = "2006.01.02"

// DayOf returns when the day of an index begins, in UTC, and whether it is of governed messages. ok is false
// for a name that IndexOf doesn't give.
func DayOf(index string) (day time.Time, governed, ok bool) {
	day, err := time.Parse(dayLayout, index[max(0, len(index)-len(dayLayout)):])
	if err != nil {
		return time.Time{}, false, false
	}
	governed = index == IndexOf(day, true)
	return day, governed, governed || index == IndexOf(day, false)
}

// The decisions.
const (
	Allowed = "allowed"
	Blocked = "blocked"
)

// What became of an allowed call.
const (
	OutcomeOK        = "ok"
	OutcomeToolError = "tool_error"
	OutcomeHTTPError = "http_error"
	OutcomeUnknown   = "unknown"
	OutcomeInFlight  = "in_flight"
)

// OutcomeTimeout is how long an outcome is expected: longer than calls take, and Envoy's access
// log needs to be read. After it the outcome is taken as lost (design section 7).
const OutcomeTimeout = 5 * time.Minute

// Why it isn't known what became of an allowed call that Envoy reported (docs/record.md).
const (
	// UnreadCutOff is that the answer didn't come to its end, and what came of it isn't an answer.
	UnreadCutOff = "cut_off"
	// UnreadBatch is that there are several answers, and Envoy reads one.
	UnreadBatch = "batch"
	// UnreadCompressed is that Atlassian compressed the answer, though it was asked not to.
	UnreadCompressed = "compressed"
	// UnreadTooLarge is that it is an event of more than Envoy reads.
	UnreadTooLarge = "too_large"
	// UnreadNoAnswer is that what came to its end isn't an answer that Envoy can read.
	UnreadNoAnswer = "no_answer"
)

// Record is a whole record, or one half of it: what is zero isn't written.
type Record struct {
	Timestamp time.Time  `json:"@timestamp,omitzero"`
	Event     Event      `json:"event,omitzero"`
	User      *User      `json:"user,omitzero"`
	HTTP      *HTTP      `json:"http,omitzero"`
	Source    *Source    `json:"source,omitzero"`
	UserAgent *UserAgent `json:"user_agent,omitzero"`
	Trace     *Trace     `json:"trace,omitzero"`
	Error     *Error     `json:"error,omitzero"`
	Sallyport Sallyport  `json:"sallyport,omitzero"`
}

// Event is ECS event.*. Duration is in nanoseconds; Outcome is success, failure or unknown. Kind,
// Category and Type are of acts alone.
type Event struct {
	ID       string   `json:"id,omitzero"`
	Kind     string   `json:"kind,omitzero"`
	Category []string `json:"category,omitempty"`
	Type     []string `json:"type,omitempty"`
	Action   string   `json:"action,omitzero"`
	Outcome  string   `json:"outcome,omitzero"`
	Duration int64    `json:"duration,omitzero"`
}

// User is ECS user.*: the person, from Atlassian, and their groups at that time. Of an act it is whoever
// did it, which can be a token by its name, and Roles the role that they had.
type User struct {
	ID    string   `json:"id,omitzero"`
	Name  string   `json:"name,omitzero"`
	Email string   `json:"email,omitzero"`
	Roles []string `json:"roles,omitempty"`
	Group Group    `json:"group,omitzero"`
}

// Group is ECS user.group.*, the ids and names of all of the person's groups, in the same order.
type Group struct {
	ID   []string `json:"id,omitempty"`
	Name []string `json:"name,omitempty"`
}

// HTTP is ECS http.*.
type HTTP struct {
	Request  *Request  `json:"request,omitzero"`
	Response *Response `json:"response,omitzero"`
}

// Request is ECS http.request.*.
type Request struct {
	Method string `json:"method,omitzero"`
	Body   Body   `json:"body,omitzero"`
}

// Response is ECS http.response.*.
type Response struct {
	StatusCode int  `json:"status_code,omitzero"`
	Body       Body `json:"body,omitzero"`
}

// Body is ECS http.*.body.*. Content is kept only of a body that couldn't be read as MCP, cut to
// MaxText bytes.
type Body struct {
	Bytes   int64  `json:"bytes,omitzero"`
	Content string `json:"content,omitzero"`
}

// Source is ECS source.*.
type Source struct {
	IP string `json:"ip,omitzero"`
}

// UserAgent is ECS user_agent.*: what the client says of itself, never trusted.
type UserAgent struct {
	Original string `json:"original,omitzero"`
}

// Trace is ECS trace.*, from the W3C traceparent header.
type Trace struct {
	ID string `json:"id,omitzero"`
}

// Error is ECS error.*. Of an act it is why it failed: Code is a gRPC code, Message a sentence. Of a call
// that Atlassian answered with a JSON-RPC error Code is that error's code, and there is no Message.
type Error struct {
	Code    string `json:"code,omitzero"`
	Message string `json:"message,omitzero"`
}

// Sallyport is what ECS has no names for.
type Sallyport struct {
	Act           *Act           `json:"act,omitzero"`
	Alert         *Alert         `json:"alert,omitzero"`
	Client        *Client        `json:"client,omitzero"`
	Operation     *Operation     `json:"operation,omitzero"`
	Arguments     jsontext.Value `json:"arguments,omitzero"`
	ArgumentsText string         `json:"arguments_text,omitzero"`
	// IssueKeys and ProjectKeys are what KeysIn finds in ArgumentsText.
	IssueKeys   []string `json:"issue_key,omitempty"`
	ProjectKeys []string `json:"project_key,omitempty"`
	// Decision is allowed or blocked.
	Decision string `json:"decision,omitzero"`
	// Refusal is why a request was blocked without asking the policy: a code such as
	// duplicate_member.
	Refusal string `json:"refusal,omitzero"`
	// Ungoverned says that no rule decides about it, which a batch can have beside what rules do.
	Ungoverned    bool     `json:"ungoverned,omitzero"`
	Rule          *Rule    `json:"rule,omitzero"`
	Monitor       *Monitor `json:"monitor,omitzero"`
	GroupsUnknown bool     `json:"groups_unknown,omitzero"`
	PolicyVersion int64    `json:"policy_version,omitzero"`
	Site          string   `json:"site,omitzero"`
	// Outcome is ok, tool_error, http_error, unknown or in_flight; absent where blocked.
	Outcome string `json:"outcome,omitzero"`
	// OutcomeReason is why the outcome is unknown though Envoy reported the request: an Unread code.
	OutcomeReason string `json:"outcome_reason,omitzero"`
	// UpstreamLatency is Atlassian's part of the duration, in nanoseconds.
	UpstreamLatency int64 `json:"upstream_latency,omitzero"`
	// UpstreamTrace and UpstreamRequest are what Atlassian calls the request: its headers Atl-Traceid and
	// Atl-Request-Id.
	UpstreamTrace   string `json:"upstream_trace,omitzero"`
	UpstreamRequest string `json:"upstream_request,omitzero"`
	// MCPSession is a hash of the MCP session's id (state.SessionHash).
	MCPSession string `json:"mcp_session,omitzero"`
}

// Act is what an admin did, beside what event.* and user.* say of it.
type Act struct {
	// Caller is what they were known by: token_file, api_token or person; service for what Sallyport does by
	// itself. Only the first half has it.
	Caller string `json:"caller,omitzero"`
	// Targets are who or what it was done to.
	Targets []string `json:"targets,omitempty"`
	// Reason is why, in their words.
	Reason string `json:"reason,omitzero"`
	// Details are more of what was done, such as the version saved; never a secret.
	Details map[string]string `json:"details,omitempty"`
}

// Client is the assistant: Key, Name and Class from its registration, Info as it says itself.
type Client struct {
	Key   string `json:"key,omitzero"`
	Name  string `json:"name,omitzero"`
	Class string `json:"class,omitzero"`
	Info  string `json:"info,omitzero"`
	// Mismatch says that Info isn't what it registered as.
	Mismatch bool `json:"mismatch,omitzero"`
}

// Operation is what was tried (policy.md 1 and 2). Actions are the families of its verbs.
type Operation struct {
	Name    string   `json:"name,omitzero"`
	Outer   string   `json:"outer,omitzero"`
	Product string   `json:"product,omitzero"`
	Actions []string `json:"actions,omitempty"`
}

// Rule is the rule that decided; absent where the default did.
type Rule struct {
	ID     string `json:"id,omitzero"`
	Number int    `json:"number,omitzero"`
	Note   string `json:"note,omitzero"`
}

// Monitor is the first monitoring rule that matched, and what it would have done: allow or deny.
type Monitor struct {
	Rule   int    `json:"rule,omitzero"`
	Effect string `json:"effect,omitzero"`
}

// MaxText is how many bytes of a text are searchable and of an unreadable body are kept.
const MaxText = 32 << 10

// Cut returns the first MaxText bytes of a text as valid UTF-8, with a note of what was cut.
func Cut(text []byte) string { return CutTo(text, MaxText) }

// CutTo returns the first bytes of a text, most at most, as Cut does.
func CutTo(text []byte, most int) string {
	if len(text) <= most {
		return validText(text)
	}
	return validText(text[:most]) + cutNote(len(text)-most)
}

// JSON returns the record's JSON form.
func (r Record) JSON() ([]byte, error) { return json.Marshal(r) }

// Parse reads a record from its JSON form. Members that it doesn't know are ignored, so that
// records of a newer version can be read during an upgrade.
func Parse(document []byte) (Record, error) {
	var r Record
	err := json.Unmarshal(document, &r)
	return r, err
}
