package mcp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxBatch is how many messages a batch may have.
	maxBatch = 100
	// maxDepth is how deeply values may be nested: far more than any tool needs.
	maxDepth = 256
	// maxName is how many bytes a method's or a tool's name may have. MCP advises 128 at most
	// (2025-11-25, server/tools "Tool Names"); rules look at each name many times.
	maxName = 256
)

// Body is what a request's body says.
type Body struct {
	// Batch says that it is an array of messages, which only MCP 2025-03-26 has.
	Batch    bool
	Messages []Message
}

// Parse reads a body: one message, or a batch of 1 to 100. It goes through it once. Errors are of
// type *Error. What it returns are parts of the body, which must not be changed afterwards.
func Parse(body []byte) (Body, error) {
	err := readable(body)
	if err != nil {
		return Body{}, err
	}
	r := readers.Get().(*reader)
	defer readers.Put(r)
	r.begin(body)
	defer r.begin(nil)
	b, err := r.everything()
	if err != nil {
		return Body{}, err
	}
	_, err = r.decoder.ReadToken()
	if !errors.Is(err, io.EOF) {
		return Body{}, &Error{Code: codeTrailingData, Sentence: "There is something after the end of the JSON value. Send one value in a request."}
	}
	return b, nil
}

// readers keeps readers for the next body, since making one costs more than reading a small body.
var readers = sync.Pool{New: func() any { return newReader() }}

// readable refuses what isn't worth parsing.
func readable(body []byte) error {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return &Error{Code: codeEmpty, Sentence: "The body is empty."}
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return &Error{Code: codeByteOrderMark, Sentence: "The body begins with a byte order mark. Leave it out."}
	case !utf8.Valid(body):
		return &Error{Code: codeInvalidUTF8, Sentence: "The body isn't valid UTF-8."}
	case tooDeep(body):
		return &Error{Code: codeTooDeep, Sentence: fmt.Sprintf("Values are nested more than %d deep.", maxDepth)}
	}
	return nil
}

// tooDeep reports whether values are nested too deeply. It may be mistaken about a text that isn't
// JSON, which is refused anyway.
func tooDeep(body []byte) bool {
	if bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) <= maxDepth {
		return false
	}
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			i = stringEnd(body, i+1)
		case '{', '[':
			depth++
			if depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// stringEnd returns the place of the quote that ends a string whose text begins at a place, or the
// body's length if none does.
func stringEnd(body []byte, at int) int {
	for ; at < len(body); at++ {
		switch body[at] {
		case '"':
			return at
		case '\\':
			at++
		}
	}
	return at
}

// reader reads messages: a scanner with the objects of a message that matter.
type reader struct {
	scanner

	envelope, params, arguments, inputs, initializing, meta, modern *object
}

// The members of a request's _meta in which a client says since MCP 2026-07-28 what it did once in
// initialize.
const (
	metaVersion      = "io.modelcontextprotocol/protocolVersion"
	metaClient       = "io.modelcontextprotocol/clientInfo"
	metaCapabilities = "io.modelcontextprotocol/clientCapabilities"
)

func newReader() *reader {
	r := &reader{
		scanner:      scanner{decoder: jsontext.NewDecoder(bytes.NewReader(nil))},
		envelope:     newObject("jsonrpc", "id", "method", "params", "result", "error"),
		params:       newObject("name", "arguments", "uri", "_meta", "taskId", "cursor", "protocolVersion", "clientInfo"),
		arguments:    newObject("name", "inputs", "id"),
		inputs:       newObject("id"),
		initializing: newObject("name", "version", "title"),
		meta:         newObject(metaVersion, metaClient, metaCapabilities),
		modern:       newObject("name", "version", "title"),
	}
	r.envelope.nested = map[string]*object{"params": r.params}
	r.params.nested = map[string]*object{"arguments": r.arguments, "_meta": r.meta, "clientInfo": r.initializing}
	r.arguments.nested = map[string]*object{"inputs": r.inputs}
	r.meta.nested = map[string]*object{metaClient: r.modern}
	return r
}

// begin turns to another body, and lets go of the one before: a decoder reads a bytes.Buffer in
// place.
func (r *reader) begin(body []byte) {
	r.body = body
	r.decoder.Reset(bytes.NewBuffer(body))
}

// everything reads the message, or the batch.
func (r *reader) everything() (Body, error) {
	if r.decoder.PeekKind() != '[' {
		m, err := r.message()
		return Body{Messages: []Message{m}}, err
	}
	_, err := r.decoder.ReadToken()
	if err != nil {
		return Body{}, readError(err)
	}
	b := Body{Batch: true}
	for r.decoder.PeekKind() != ']' {
		m, err := r.message()
		if err != nil {
			return Body{}, err
		}
		b.Messages = append(b.Messages, m)
		if len(b.Messages) > maxBatch {
			break
		}
	}
	if len(b.Messages) == 0 || len(b.Messages) > maxBatch {
		return Body{}, &Error{Code: codeBatchSize, Sentence: fmt.Sprintf("A batch has between 1 and %d messages.", maxBatch)}
	}
	_, err = r.decoder.ReadToken()
	if err != nil {
		return Body{}, readError(err)
	}
	return b, nil
}
