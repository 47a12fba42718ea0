// Package mcp reads the messages of the Model Context Protocol from a request's body, strictly:
// what two readers could read differently is refused.
package mcp

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Kind is what a JSON-RPC message is.
type Kind int

// The kinds (JSON-RPC 2.0, sections 4 and 5).
const (
	Request Kind = iota
	Notification
	Response
)

// Message is one JSON-RPC message. Raw values are parts of the body that was parsed, as they came.
type Message struct {
	Kind Kind
	// ID is a string, a number or null as JSON; empty where there is none.
	ID     jsontext.Value
	Method string
	// Name is params.name of a tools/call or a prompts/get; NameOK says that it is a string, and not
	// empty.
	Name   string
	NameOK bool
	// Arguments is params.arguments of a tools/call, or the whole params of another method.
	Arguments jsontext.Value
	// Execute says that the tool is one whose real operation is in its arguments: Inner is
	// arguments.name, and InnerOK says that it is a string, and not empty. Inputs is
	// arguments.inputs, with which the inner tool is called.
	Execute bool
	Inner   string
	InnerOK bool
	Inputs  jsontext.Value
	// FetchID is the id argument of a fetch call, also of one inside an execute call, where that is
	// a string.
	FetchID string
	// URI is params.uri where that is a string, as in resources/read.
	URI string
	// TaskID is params.taskId of the methods for tasks.
	TaskID string
	// MetaVersion is the revision that params._meta names, since 2026-07-28; HasMetaVersion says that
	// it names one, which may be no string. Capable says that _meta has the client's capabilities.
	MetaVersion             string
	HasMetaVersion, Capable bool
	// ProtocolVersion and ClientInfo are what the client says of itself, in initialize (until MCP
	// 2025-11-25) or in a request's _meta (since 2026-07-28).
	ProtocolVersion string
	ClientInfo      ClientInfo
}

// ClientInfo is MCP's Implementation: a claim.
type ClientInfo struct {
	Name, Version, Title string
}

// executes are the tools whose real operation is in their arguments.
var executes = []string{"execute", "executeRead", "executeWrite", "executeDestructive"}

// executing reports whether a tool is one of them. It takes any case: in another one it is either
// no tool at all, or the same, and then the inner name must not escape the rules.
func executing(tool string) bool {
	for _, name := range executes {
		if strings.EqualFold(tool, name) {
			return true
		}
	}
	return false
}

// ungoverned are the methods that everyone who is signed in may use (the rule language, section 1).
var ungoverned = map[string]bool{
	"initialize": true, "ping": true, "logging/setLevel": true, "server/discover": true, "subscriptions/listen": true,
}

// Governed reports whether rules decide about the message.
func (m Message) Governed() bool {
	if m.Kind == Response || ungoverned[m.Method] {
		return false
	}
	return !strings.HasPrefix(m.Method, "notifications/") && !strings.HasPrefix(m.Method, "tasks/") && !strings.HasSuffix(m.Method, "/list")
}

// Operation returns the name of the operation that a governed message asks for, and the name of the
// execute call around it. ok is false where it has none, and is blocked whatever the policy says: an
// execute call of an execute call too, since what that executes would escape the rules.
func (m Message) Operation() (name, outer string, ok bool) {
	switch {
	case m.Method != "tools/call":
		return m.Method, "", true
	case !m.NameOK:
		return "", "", false
	case m.Execute:
		return m.Inner, m.Name, m.InnerOK && !executing(m.Inner)
	}
	return m.Name, "", true
}
