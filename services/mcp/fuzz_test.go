package mcp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"sallyport/services/mcp"
)

// FuzzParse shows that a body that is taken has one reading: that of the most lenient reader we
// know, encoding/json, which folds the case of names and takes the last of duplicates, is ours.
func FuzzParse(f *testing.F) {
	var read []readCase
	load(f, "testdata/read.yaml", &read)
	for _, c := range read {
		f.Add([]byte(c.Body))
	}
	for _, c := range refusedCases(f) {
		if len(c.body()) < 1<<10 {
			f.Add([]byte(c.body()))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) { readAlike(t, body) })
}

// readAlike parses a body, and returns whether it was taken.
func readAlike(t *testing.T, body []byte) bool {
	t.Helper()
	before := bytes.Clone(body)
	parsed, err := mcp.Parse(body)
	if refused := naive(body); (refused == "") != (err == nil) {
		t.Fatalf("got error %v of %q; to a plain reader it is refused for %q", err, body, refused)
	}
	if !bytes.Equal(before, body) {
		t.Fatal("the body was changed")
	}
	if err != nil {
		var refusal *mcp.Error
		if !errors.As(err, &refusal) || refusal.Code == "" || !strings.HasSuffix(refusal.Sentence, ".") {
			t.Fatalf("the error is %#v", err)
		}
		return false
	}
	messages := []json.RawMessage{body}
	if parsed.Batch {
		messages = nil
		lenient(t, body, &messages)
	}
	if len(messages) != len(parsed.Messages) {
		t.Fatalf("%d messages, of which we read %d", len(messages), len(parsed.Messages))
	}
	for i, message := range messages {
		agree(t, message, parsed.Messages[i])
	}
	return true
}

// lenient reads with encoding/json, which must take all that we take.
func lenient(t *testing.T, text []byte, to any) {
	t.Helper()
	err := json.Unmarshal(text, to)
	if err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
}

func agree(t *testing.T, message []byte, m mcp.Message) {
	t.Helper()
	var envelope struct {
		ID     json.RawMessage `json:"id"`
		Method any             `json:"method"`
		Params json.RawMessage `json:"params"`
	}
	lenient(t, message, &envelope)
	method, _ := envelope.Method.(string)
	if method != m.Method || !bytes.Equal(envelope.ID, m.ID) {
		t.Fatalf("method %q and id %s, of which we read %q and %s", method, envelope.ID, m.Method, m.ID)
	}
	var params struct {
		Name      any             `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		URI       any             `json:"uri"`
		Task      any             `json:"taskId"`
		Meta      json.RawMessage `json:"_meta"`
	}
	if bytes.HasPrefix(envelope.Params, []byte("{")) && m.Kind != mcp.Response {
		lenient(t, envelope.Params, &params)
	}
	if uri, _ := params.URI.(string); uri != m.URI {
		t.Fatalf("URI %q, of which we read %q", uri, m.URI)
	}
	agreeOnClaims(t, params.Meta, m)
	if task, _ := params.Task.(string); strings.HasPrefix(m.Method, "tasks/") && task != m.TaskID {
		t.Fatalf("task %q, of which we read %q", task, m.TaskID)
	}
	if m.Method != "tools/call" {
		return
	}
	name, isText := params.Name.(string)
	if name != m.Name || m.NameOK != (isText && name != "") || !bytes.Equal(params.Arguments, m.Arguments) {
		t.Fatalf("name %v and arguments %s, of which we read %q, %t and %s", params.Name, params.Arguments, m.Name, m.NameOK, m.Arguments)
	}
	var arguments struct {
		Name   any             `json:"name"`
		ID     any             `json:"id"`
		Inputs json.RawMessage `json:"inputs"`
	}
	if bytes.HasPrefix(params.Arguments, []byte("{")) {
		lenient(t, params.Arguments, &arguments)
	}
	if !m.Execute {
		agreeOnFetch(t, name, arguments.ID, m)
		return
	}
	inner, isText := arguments.Name.(string)
	if inner != m.Inner || m.InnerOK != (isText && inner != "") || !bytes.Equal(arguments.Inputs, m.Inputs) {
		t.Fatalf("inner name %v and inputs %s, of which we read %q, %t and %s", arguments.Name, arguments.Inputs, m.Inner, m.InnerOK, m.Inputs)
	}
	var inputs struct {
		ID any `json:"id"`
	}
	if bytes.HasPrefix(arguments.Inputs, []byte("{")) {
		lenient(t, arguments.Inputs, &inputs)
	}
	agreeOnFetch(t, inner, inputs.ID, m)
}

func agreeOnClaims(t *testing.T, text []byte, m mcp.Message) {
	t.Helper()
	var meta struct {
		Version      any `json:"io.modelcontextprotocol/protocolVersion"`
		Capabilities any `json:"io.modelcontextprotocol/clientCapabilities"`
	}
	if bytes.HasPrefix(text, []byte("{")) {
		lenient(t, text, &meta)
	}
	_, capable := meta.Capabilities.(map[string]any)
	if version, _ := meta.Version.(string); version != m.MetaVersion || capable != m.Capable {
		t.Fatalf("revision %q, of which we read %q; capable %t and %t", version, m.MetaVersion, capable, m.Capable)
	}
}

func agreeOnFetch(t *testing.T, tool string, id any, m mcp.Message) {
	t.Helper()
	text, _ := id.(string)
	if !strings.EqualFold(tool, "fetch") {
		text = ""
	}
	if m.FetchID != text {
		t.Fatalf("id %v, of which we read %q", id, m.FetchID)
	}
}
