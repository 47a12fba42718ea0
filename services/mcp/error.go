package mcp

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Error is why a body can't be read.
type Error struct {
	// Code is stable, for records and metrics: one of the codes below.
	Code string
	// Sentence says it in words.
	Sentence string
}

func (e *Error) Error() string { return e.Sentence }

// RPCCode is the code that JSON-RPC 2.0 section 5.1 has for it.
func (e *Error) RPCCode() int {
	switch e.Code {
	case codeNotAnObject, codeBatchSize, codeAmbiguousMember, codeNotJSONRPC, codeBadID, codeBadMethod, codeNoMethod, codeNameTooLong:
		return -32600 // Invalid Request
	}
	return -32700 // Parse error
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
		return &Error{codeDuplicateMember, fmt.Sprintf("The JSON has the same member twice%s. Send it once.", at)}
	}
	return &Error{codeParseError, fmt.Sprintf("The body isn't valid JSON%s.", at)}
}
