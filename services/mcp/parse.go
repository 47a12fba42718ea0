package mcp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxBatch is how many messages a batch may have.
	maxBatch = 100
	// maxDepth is how deeply values may be nested: far more than any tool needs.
	maxDepth = 256
)

// Error is why a body can't be read.
type Error struct {
	// Code is stable, for records and metrics: parse_error, duplicate_member, ...
	Code string
	// Sentence says it in words.
	Sentence string
}

func (e *Error) Error() string { return e.Sentence }

// Body is what a request's body says.
type Body struct {
	// Batch says that it is an array of messages, which only MCP 2025-03-26 has.
	Batch    bool
	Messages []Message
}

// Parse reads a body. Errors are of type *Error. It keeps references into the body.
func Parse(body []byte) (Body, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return Body{}, &Error{"empty", "The body is empty."}
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	value, err := d.ReadValue()
	if err != nil {
		return Body{}, readError(err)
	}
	value = value.Clone()
	_, err = d.ReadToken()
	if !errors.Is(err, io.EOF) {
		return Body{}, &Error{"trailing_data", "There is something after the end of the JSON value."}
	}
	if depth(value) > maxDepth {
		return Body{}, &Error{"too_deep", fmt.Sprintf("Values are nested more than %d deep.", maxDepth)}
	}
	if value.Kind() != '[' {
		m, err := parseMessage(value)
		return Body{Messages: []Message{m}}, err
	}
	var elements []jsontext.Value
	err = json.Unmarshal(value, &elements)
	if err != nil {
		return Body{}, readError(err)
	}
	if len(elements) == 0 || len(elements) > maxBatch {
		return Body{}, &Error{"batch_size", fmt.Sprintf("A batch has between 1 and %d messages.", maxBatch)}
	}
	b := Body{Batch: true, Messages: make([]Message, len(elements))}
	for i, element := range elements {
		b.Messages[i], err = parseMessage(element)
		if err != nil {
			return Body{}, err
		}
	}
	return b, nil
}

func readError(err error) error {
	switch text := err.Error(); {
	case errors.Is(err, jsontext.ErrDuplicateName):
		var syntactic *jsontext.SyntacticError
		at := ""
		if errors.As(err, &syntactic) {
			at = " " + string(syntactic.JSONPointer)
		}
		return &Error{"duplicate_member", fmt.Sprintf("The JSON has the same member twice:%s.", at)}
	case strings.Contains(text, "UTF-8"):
		return &Error{"invalid_utf8", "The body isn't valid UTF-8."}
	}
	return &Error{"parse_error", "The body isn't one JSON value."}
}

// depth returns how deeply a valid value is nested.
func depth(value jsontext.Value) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// envelope, parameters and execution are the member names that decide what a message means. A name
// that is one of them in another case is refused, because a lenient reader would take it for it.
var (
	envelope   = []string{"jsonrpc", "id", "method", "params", "result", "error"}
	parameters = []string{"name", "arguments", "uri", "_meta", "taskId", "cursor"}
	execution  = []string{"name"}
)

func parseMessage(value jsontext.Value) (Message, error) {
	var m Message
	if value.Kind() != '{' {
		return m, &Error{"not_an_object", "A message is a JSON object."}
	}
	members, err := membersOf(value, envelope)
	if err != nil {
		return m, err
	}
	if version, ok := text(members["jsonrpc"]); !ok || version != "2.0" {
		return m, &Error{"not_jsonrpc", `A message needs "jsonrpc": "2.0".`}
	}
	m.ID = members["id"]
	if len(m.ID) > 0 && !strings.ContainsRune(`"0n`, rune(m.ID.Kind())) {
		return m, &Error{"bad_id", "The id of a message is a string or a number."}
	}
	method, hasMethod := members["method"]
	if !hasMethod {
		m.Kind = Response
		if len(members["result"])+len(members["error"]) == 0 {
			return m, &Error{"no_method", "A message has a method, a result or an error."}
		}
		return m, nil
	}
	var ok bool
	m.Method, ok = text(method)
	if !ok || m.Method == "" {
		return m, &Error{"bad_method", "The method of a message is a string."}
	}
	if len(m.ID) == 0 {
		m.Kind = Notification
	}
	return m, m.readParams(members["params"])
}

func (m *Message) readParams(params jsontext.Value) error {
	m.Arguments = params
	if len(params) == 0 || params.Kind() != '{' {
		if m.Method == "tools/call" {
			m.Arguments = nil
		}
		return nil
	}
	members, err := membersOf(params, parameters)
	if err != nil {
		return err
	}
	m.readClientInfo(members)
	if m.Method != "tools/call" {
		return nil
	}
	m.Name, m.NameOK = text(members["name"])
	m.NameOK = m.NameOK && m.Name != ""
	m.Arguments = members["arguments"]
	if len(m.Arguments) == 0 || m.Arguments.Kind() != '{' {
		return nil
	}
	var decisive []string
	if executes[m.Name] {
		decisive = execution
	}
	arguments, err := membersOf(m.Arguments, decisive)
	if err != nil {
		return err
	}
	m.FetchID, _ = text(arguments["id"])
	m.Inner, m.InnerOK = text(arguments["name"])
	m.InnerOK = m.InnerOK && m.Inner != ""
	return nil
}

func (m *Message) readClientInfo(params map[string]jsontext.Value) {
	info := params["clientInfo"]
	if meta := params["_meta"]; len(meta) > 0 && meta.Kind() == '{' {
		members, err := membersOf(meta, nil)
		if err == nil && len(members["io.modelcontextprotocol/clientInfo"]) > 0 {
			info = members["io.modelcontextprotocol/clientInfo"]
		}
	}
	if len(info) > 0 {
		// What isn't of this form is a claim that says nothing.
		_ = json.Unmarshal(info, &m.ClientInfo)
	}
}

// membersOf returns the members of an object as raw values, and refuses a name that differs from a
// decisive one only in case, as simple Unicode folding sees it.
func membersOf(object jsontext.Value, decisive []string) (map[string]jsontext.Value, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(object))
	_, err := d.ReadToken()
	if err != nil {
		return nil, readError(err)
	}
	members := map[string]jsontext.Value{}
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, readError(err)
		}
		name := token.String()
		for _, known := range decisive {
			if name != known && strings.EqualFold(name, known) {
				return nil, &Error{"ambiguous_member", fmt.Sprintf("The member %q could be taken for %q. Leave it out.", name, known)}
			}
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, readError(err)
		}
		members[name] = value.Clone()
	}
	return members, nil
}

// text returns a JSON string's value; ok is false for anything else.
func text(value jsontext.Value) (string, bool) {
	if len(value) == 0 || value.Kind() != '"' {
		return "", false
	}
	plain, err := jsontext.AppendUnquote(nil, value)
	return string(plain), err == nil
}
