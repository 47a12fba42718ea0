package mcp

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

const (
	// Stateless is the first revision without sessions: a request says by itself all that it needs.
	Stateless = "2026-07-28"
	// oldest is the first one over Streamable HTTP, the one that a request without a version header is
	// of, and the only one with batches.
	oldest = "2025-03-26"
)

// Revisions are those that are spoken, newest first.
var Revisions = []string{Stateless, "2025-11-25", "2025-06-18", oldest}

// Headers are the headers that speak about a request's message: each as often as it came.
type Headers struct {
	// Version is MCP-Protocol-Version; Method and Name are Mcp-Method and Mcp-Name.
	Version, Method, Name []string
	// Session is Mcp-Session-Id; LastEvent is Last-Event-ID.
	Session, LastEvent []string
}

// Stateless says whether the request is of a revision without sessions.
func (h Headers) Stateless() bool { return h.revision() == Stateless }

func (h Headers) revision() string {
	if len(h.Version) == 0 {
		return oldest
	}
	return h.Version[0]
}

// CheckStream returns an error where the revision doesn't have such a request without a body: GET for
// a stream, or DELETE for the end of a session.
func (h Headers) CheckStream(method string) error {
	err := h.check()
	switch {
	case err != nil:
		return err
	case h.Stateless():
		return &Error{Code: codeStreamNotSpoken, Sentence: fmt.Sprintf("MCP %s has no %s: send each message with POST.", Stateless, method)}
	case method == "GET" && len(h.Version)+len(h.Session) == 0:
		// A stream of the revisions that are spoken comes after initialize, which says both.
		return &Error{Code: codeOldTransport, Sentence: "HTTP+SSE of MCP 2024-11-05 isn't spoken here. Begin with initialize, sent with POST, by a client of MCP " + oldest + " or later (Streamable HTTP)."}
	}
	return nil
}

// Check returns an error where a body isn't one of the revision that the headers name, or where the
// headers say something else than the body (MCP 2026-07-28, basic/transports "Request Metadata
// Headers"). Mcp-Param-* headers aren't looked at: only the schema of a tool's input says which argument
// each repeats, and that is known to the server alone, which has to compare them.
func (h Headers) Check(b Body) error {
	for _, m := range b.Messages {
		// Other revisions are negotiated: the server answers with one that it speaks.
		if m.Method == "initialize" && m.ProtocolVersion != "" && m.ProtocolVersion < oldest {
			return &Error{Code: codeInitializeVersion, Sentence: unspoken(m.ProtocolVersion), Requested: m.ProtocolVersion}
		}
	}
	err := h.check()
	if err != nil {
		return err
	}
	if b.Batch {
		return h.checkBatch(b)
	}
	m := b.Messages[0]
	err = h.checkVersion(m)
	if err != nil {
		return err
	}
	return h.checkMirrors(m)
}

// check looks at the headers alone.
func (h Headers) check() error {
	if len(h.Version) > 1 || len(h.Method) > 1 || len(h.Name) > 1 {
		return mismatch("One of the headers MCP-Protocol-Version, Mcp-Method and Mcp-Name is there more than once. Send it once.")
	}
	if revision := h.revision(); !slices.Contains(Revisions, revision) {
		return &Error{Code: codeProtocolVersion, Sentence: unspoken(revision), Requested: revision}
	}
	if h.Stateless() {
		return nil
	}
	if len(h.Session) > 1 {
		return &Error{Code: codeSessionTwice, Sentence: "The header Mcp-Session-Id is there more than once. Send it once."}
	}
	if len(h.LastEvent) > 0 && len(h.Session) == 0 {
		return &Error{Code: codeLastEventID, Sentence: "A stream is resumed with the Mcp-Session-Id of its session beside Last-Event-ID."}
	}
	return nil
}

func (h Headers) checkBatch(b Body) error {
	if revision := h.revision(); revision != oldest {
		return &Error{Code: codeBatchNotSpoken, Sentence: fmt.Sprintf("MCP %s has no batches: only %s had. Send each message in a request of its own.", revision, oldest)}
	}
	if len(h.Method)+len(h.Name) > 0 {
		return mismatch("A batch has no Mcp-Method and no Mcp-Name.")
	}
	for _, m := range b.Messages {
		if m.HasMetaVersion || m.Method == "initialize" {
			return &Error{Code: codeBatchNotSpoken, Sentence: "Neither initialize nor a message of MCP " + Stateless + " can be part of a batch. Send it in a request of its own."}
		}
	}
	return nil
}

// checkVersion compares the revision of the headers with that of a message, and what a message of a
// stateless revision needs.
func (h Headers) checkVersion(m Message) error {
	switch stateless := h.Stateless(); {
	case m.HasMetaVersion && m.MetaVersion == "":
		return &Error{Code: codeMissingMeta, Sentence: fmt.Sprintf("The %q in _meta is a string that isn't empty.", metaVersion)}
	case m.HasMetaVersion && len(h.Version) == 0:
		return mismatch("A message whose _meta names a revision needs the header MCP-Protocol-Version with the same one.")
	case m.HasMetaVersion && m.MetaVersion != h.revision():
		return mismatch("The header MCP-Protocol-Version says %.40q, and _meta says %.40q. Send the same.", h.revision(), m.MetaVersion)
	case stateless && m.Kind == Response:
		return &Error{Code: codeNotSpoken, Sentence: fmt.Sprintf("In MCP %s clients send requests and notifications, no responses.", Stateless)}
	case stateless && m.Kind == Request && !m.HasMetaVersion:
		return &Error{Code: codeMissingMeta, Sentence: fmt.Sprintf("A request of MCP %s needs %q in params._meta.", Stateless, metaVersion)}
	case stateless && m.Kind == Request && !m.Capable:
		return &Error{Code: codeMissingMeta, Sentence: fmt.Sprintf("A request of MCP %s needs %q in params._meta, an object.", Stateless, metaCapabilities)}
	}
	return nil
}

// checkMirrors compares Mcp-Method and Mcp-Name with the message. In the older revisions they mean
// nothing, but mcp-remote sends them, and somebody between here and the server may read them: where
// they are there, they say the truth as well.
func (h Headers) checkMirrors(m Message) error {
	stateless := h.Stateless()
	if m.Kind == Response {
		return nil
	}
	switch {
	case len(h.Method) == 0 && stateless:
		return mismatch("A message of MCP %s needs the header Mcp-Method: its method.", Stateless)
	case len(h.Method) > 0 && h.Method[0] != m.Method:
		return mismatch("The header Mcp-Method says %.100q, and the method is %.100q. Send the same.", h.Method[0], m.Method)
	}
	what, value, ok := m.mirrored()
	if !ok {
		return nil
	}
	if len(h.Name) == 0 {
		if stateless && value != "" && !removed(m.Method) {
			return mismatch("A %s of MCP %s needs the header Mcp-Name: its params.%s.", m.Method, Stateless, what)
		}
		return nil
	}
	name, ok := decoded(h.Name[0])
	if !ok || name != value {
		return mismatch("The header Mcp-Name says %.100q, and params.%s is %.100q. Send the same.", h.Name[0], what, value)
	}
	return nil
}

// mirrored is the parameter that Mcp-Name repeats, and its value, which is empty where it is missing
// or no string. ok is false where the method has none.
func (m Message) mirrored() (what, value string, ok bool) {
	switch {
	case m.Method == "tools/call" || m.Method == "prompts/get":
		return "name", m.Name, true
	case m.Method == "resources/read":
		return "uri", m.URI, true
	case strings.HasPrefix(m.Method, "tasks/") && m.TaskID != "":
		return "taskId", m.TaskID, true
	}
	return "", "", false
}

// removed says whether a method for tasks isn't one of 2026-07-28 any more. Clients needn't name what isn't
// there, and the server says that it knows no such method.
func removed(method string) bool {
	return strings.HasPrefix(method, "tasks/") && !slices.Contains([]string{"tasks/get", "tasks/update", "tasks/cancel"}, method)
}

// decoded is the value of a header that may be in Base64, since headers can't hold every text.
func decoded(value string) (string, bool) {
	inner, ok := strings.CutPrefix(value, "=?base64?")
	if !ok {
		return value, true
	}
	inner, ok = strings.CutSuffix(inner, "?=")
	if !ok {
		return value, true
	}
	text, err := base64.StdEncoding.Strict().DecodeString(inner)
	return string(text), err == nil
}

func mismatch(format string, args ...any) *Error {
	return &Error{Code: codeHeaderMismatch, Sentence: fmt.Sprintf(format, args...)}
}

// unspoken says what is spoken instead of a revision.
func unspoken(revision string) string {
	return fmt.Sprintf("MCP %.40q isn't spoken here. Use one of %s, over Streamable HTTP.", revision, strings.Join(Revisions, ", "))
}
