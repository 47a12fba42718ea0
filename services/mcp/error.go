package mcp

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Error is why a request is refused before anybody looks at what it wants.
type Error struct {
	// Code is stable, for records and metrics: one of the codes below.
	Code string
	// Sentence says it in words.
	Sentence string
	// Requested is the revision that was asked for, where the reason is that it isn't spoken.
	Requested string
}

func (e *Error) Error() string { return e.Sentence }

// RPCCode is the code that JSON-RPC 2.0 section 5.1 has for it, or MCP 2026-07-28 where it has one.
func (e *Error) RPCCode() int {
	switch e.Code {
	case codeNotAnObject, codeBatchSize, codeAmbiguousMember, codeNotJSONRPC, codeBadID, codeBadMethod, codeNoMethod, codeNameTooLong,
		codeBadTaskID, codeBatchNotSpoken, codeNotSpoken, codeStreamNotSpoken, codeOldTransport, codeLastEventID, codeSessionTwice:
		return -32600 // Invalid Request
	case codeInitializeVersion, codeMissingMeta:
		return -32602 // Invalid params
	case codeHeaderMismatch:
		return -32020
	case codeProtocolVersion:
		return -32022
	}
	return -32700 // Parse error
}

// HTTPStatus is the status that it is answered with.
func (e *Error) HTTPStatus() int {
	switch e.Code {
	case codeInitializeVersion:
		// An answer to initialize is a JSON-RPC error like others: with HTTP 400 a client that knows
		// HTTP+SSE would look for that, and nobody would read the sentence.
		return 200
	case codeStreamNotSpoken, codeOldTransport:
		return 405
	}
	return 400
}

// What isn't one JSON value that everybody reads alike.
const (
	codeEmpty           = "empty"
	codeByteOrderMark   = "byte_order_mark"
	codeInvalidUTF8     = "invalid_utf8"
	codeTooDeep         = "too_deep"
	codeParseError      = "parse_error"
	codeDuplicateMember = "duplicate_member"
	codeTrailingData    = "trailing_data"
)

// What is JSON, but no message of MCP that everybody reads alike.
const (
	codeNotAnObject     = "not_an_object"
	codeBatchSize       = "batch_size"
	codeAmbiguousMember = "ambiguous_member"
	codeNotJSONRPC      = "not_jsonrpc"
	codeBadID           = "bad_id"
	codeBadMethod       = "bad_method"
	codeNoMethod        = "no_method"
	codeNameTooLong     = "name_too_long"
	codeBadTaskID       = "bad_task_id"
)

// What the revision of MCP that a request names doesn't have, or doesn't allow.
const (
	codeInitializeVersion = "initialize_version"
	codeProtocolVersion   = "protocol_version"
	codeHeaderMismatch    = "header_mismatch"
	codeMissingMeta       = "missing_meta"
	codeBatchNotSpoken    = "batch_not_spoken"
	codeNotSpoken         = "response_not_spoken"
	codeStreamNotSpoken   = "stream_not_spoken"
	codeOldTransport      = "old_transport"
	codeLastEventID       = "last_event_id"
	codeSessionTwice      = "session_twice"
)

// readError says why jsontext can't read a body.
func readError(err error) *Error {
	at := ""
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = fmt.Sprintf(" at byte %d", syntactic.ByteOffset)
		if syntactic.JSONPointer != "" {
			// It is made of the body's own names, which can be of any length.
			at += fmt.Sprintf(", in %.100q", syntactic.JSONPointer)
		}
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return &Error{Code: codeDuplicateMember, Sentence: fmt.Sprintf("The JSON has the same member twice%s. Send it once.", at)}
	}
	return &Error{Code: codeParseError, Sentence: fmt.Sprintf("The body isn't valid JSON%s.", at)}
}
