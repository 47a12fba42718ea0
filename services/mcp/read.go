package mcp

import (
	"fmt"
	"strings"
)

// message reads the next message.
func (r *reader) message() (Message, error) {
	if r.decoder.PeekKind() != '{' {
		_, err := r.next()
		if err != nil {
			return Message{}, err
		}
		return Message{}, &Error{Code: codeNotAnObject, Sentence: "A message is a JSON object."}
	}
	defer r.envelope.forget()
	err := r.scan(r.envelope)
	if err != nil {
		return Message{}, err
	}
	var m Message
	err = r.readEnvelope(&m)
	if err != nil || m.Kind == Response {
		return m, err
	}
	return m, r.readParams(&m)
}

func (r *reader) readEnvelope(m *Message) error {
	err := r.envelope.unambiguous(r.envelope.names...)
	if err != nil {
		return err
	}
	if r.envelope.text("jsonrpc") != "2.0" {
		return &Error{Code: codeNotJSONRPC, Sentence: `A message needs "jsonrpc": "2.0".`}
	}
	m.ID = r.envelope.value("id")
	if len(m.ID) > 0 && !strings.ContainsRune(`"0n`, rune(m.ID.Kind())) {
		return &Error{Code: codeBadID, Sentence: "The id of a message is a string or a number."}
	}
	if len(r.envelope.value("method")) == 0 {
		m.Kind = Response
		if len(r.envelope.value("result"))+len(r.envelope.value("error")) == 0 {
			return &Error{Code: codeNoMethod, Sentence: "A message has a method, a result or an error."}
		}
		return nil
	}
	m.Method = r.envelope.text("method")
	if m.Method == "" {
		return &Error{Code: codeBadMethod, Sentence: "The method of a message is a string that isn't empty."}
	}
	if len(m.ID) == 0 {
		m.Kind = Notification
	}
	return shortEnough("method", m.Method)
}

func (r *reader) readParams(m *Message) error {
	err := r.params.unambiguous(r.params.names...)
	if err != nil {
		return err
	}
	m.Arguments = r.envelope.value("params")
	m.URI = r.params.text("uri")
	err = r.readClaims(m)
	if err != nil {
		return err
	}
	switch {
	case m.Method == "tools/call":
		return r.readCall(m)
	case m.Method == "prompts/get":
		m.Name = r.params.text("name")
		m.NameOK = m.Name != ""
	case strings.HasPrefix(m.Method, "tasks/"):
		m.TaskID = r.params.text("taskId")
		if m.TaskID == "" && len(r.params.value("taskId")) > 0 {
			// Whose task it is is looked up by its text, which a lenient reader could make of a number.
			return &Error{Code: codeBadTaskID, Sentence: "The taskId of a message is a string that isn't empty."}
		}
	}
	return nil
}

// readCall reads the params of a tools/call. Where they are of another type than object, the call
// has no name, and is blocked for that.
func (r *reader) readCall(m *Message) error {
	m.Name = r.params.text("name")
	m.NameOK = m.Name != ""
	m.Arguments = r.params.value("arguments")
	if !executing(m.Name) {
		return r.readTool(m, m.Name, r.arguments)
	}
	err := r.arguments.unambiguous("name", "inputs")
	if err != nil {
		return err
	}
	m.Execute = true
	m.Inner = r.arguments.text("name")
	m.InnerOK = m.Inner != ""
	m.Inputs = r.arguments.value("inputs")
	return r.readTool(m, m.Inner, r.inputs)
}

// readTool reads what rules need of the tool that is really called, and of its arguments.
func (r *reader) readTool(m *Message, tool string, arguments *object) error {
	if strings.EqualFold(tool, "fetch") {
		err := arguments.unambiguous("id")
		if err != nil {
			return err
		}
		m.FetchID = arguments.text("id")
	}
	err := shortEnough("tool", m.Name)
	if err != nil {
		return err
	}
	return shortEnough("tool", m.Inner)
}

// readClaims reads what the client says of itself. What isn't of that form says nothing.
func (r *reader) readClaims(m *Message) error {
	err := r.meta.unambiguous(r.meta.names...)
	if err != nil {
		return err
	}
	m.MetaVersion = r.meta.text(metaVersion)
	m.HasMetaVersion = len(r.meta.value(metaVersion)) > 0
	capabilities := r.meta.value(metaCapabilities)
	m.Capable = len(capabilities) > 0 && capabilities.Kind() == '{'
	info := r.modern
	m.ProtocolVersion = m.MetaVersion
	if m.Method == "initialize" {
		info = r.initializing
		m.ProtocolVersion = r.params.text("protocolVersion")
	}
	m.ClientInfo.Name = info.text("name")
	m.ClientInfo.Version = info.text("version")
	m.ClientInfo.Title = info.text("title")
	return nil
}

func shortEnough(kind, name string) error {
	if len(name) > maxName {
		return &Error{Code: codeNameTooLong, Sentence: fmt.Sprintf("The name of a %s has at most %d bytes.", kind, maxName)}
	}
	return nil
}
