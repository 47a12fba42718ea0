// Package audit turns a record into what Atlassian's own audit logs would have of it: an event of the
// organization's log, a record of Jira's, or one of Confluence's (docs/audit-formats.md). It says nothing that
// isn't in the record; arguments are in it where they are in the record.
package audit

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // UUIDs of version 5 are made by it; nothing rests on its strength
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"sallyport/services/internal/activity"
)

// Format is one of Atlassian's.
type Format string

// The formats.
const (
	// Organization is an event of the organization's audit log, which any record can be.
	Organization Format = "organization"
	// Jira and Confluence are records of these products' audit logs, for calls of their tools.
	Jira       Format = "jira"
	Confluence Format = "confluence"
)

// ErrOtherProduct means that a record isn't of the product whose format was asked for.
var ErrOtherProduct = errors.New("the record isn't of a call to this product")

// JSON is a record in a format, on one line. The error is ErrOtherProduct, or that the record can't be written
// as JSON.
func JSON(r activity.Record, f Format) ([]byte, error) {
	of := r.Sallyport.Operation
	if f != Organization && (of == nil || of.Product != string(f)) {
		return nil, ErrOtherProduct
	}
	var form any
	switch f {
	case Jira:
		form = newJiraRecord(r)
	case Confluence:
		form = newConfluenceRecord(r)
	default:
		form = newOrganizationEvent(r)
	}
	return json.Marshal(form)
}

// category is what all records of calls are filed under: Atlassian's own name for what it logs of calls to
// its MCP server.
const category = "Rovo MCP User Actions"

// namespace is that of the UUIDs of events (RFC 9562, section 5.5), made up once.
var namespace = [16]byte{0x5a, 0x11, 0x70, 0x27, 0x3c, 0x8e, 0x4d, 0x1b, 0x9f, 0x60, 0x2d, 0x74, 0xc1, 0x08, 0xe6, 0x35}

// uuidOf is the UUID of version 5 of a record's id: the same record always has the same.
func uuidOf(id string) string {
	sum := sha1.Sum(append(namespace[:], id...)) //nolint:gosec // as above
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// numberOf is a positive number for a record's id: the first 53 bits of its SHA-256, which every reader of JSON
// can hold. Of ten million records two share one with a chance of one in 200.
func numberOf(id string) int64 {
	sum := sha256.Sum256([]byte(id))
	return max(1, int64(binary.BigEndian.Uint64(sum[:8])>>11))
}

// tool is the name of what was called, or of the method where there is none.
func tool(r activity.Record) string {
	if r.Sallyport.Operation != nil && r.Sallyport.Operation.Name != "" {
		return r.Sallyport.Operation.Name
	}
	return r.Event.Action
}

// summary is what happened, in a few words.
func summary(r activity.Record) string {
	if r.Sallyport.Decision == activity.Blocked {
		return "Rovo MCP tool call blocked: " + tool(r)
	}
	return "Rovo MCP tool called: " + tool(r)
}

// assistant is what the assistant is known by.
func assistant(r activity.Record) string {
	c := r.Sallyport.Client
	switch {
	case c == nil:
		return ""
	case c.Name != "":
		return c.Name
	}
	return c.Key
}

// sentence tells a call in one sentence, without its arguments.
func sentence(r activity.Record) string {
	own := r.Sallyport
	var text strings.Builder
	fmt.Fprintf(&text, "%s by %s was %s", tool(r), cmp.Or(assistant(r), "an unknown assistant"), own.Decision)
	switch {
	case own.Refusal != "":
		fmt.Fprintf(&text, " (%s)", own.Refusal)
	case own.Rule != nil:
		fmt.Fprintf(&text, " by rule %d", own.Rule.Number)
		if own.Rule.Note != "" {
			fmt.Fprintf(&text, " (%s)", own.Rule.Note)
		}
		fmt.Fprintf(&text, " of policy version %d", own.PolicyVersion)
	case !own.Ungoverned:
		fmt.Fprintf(&text, " by the default of policy version %d", own.PolicyVersion)
	}
	if own.Outcome != "" {
		fmt.Fprintf(&text, "; what came of it: %s", own.Outcome)
	}
	text.WriteByte('.')
	return text.String()
}

func remoteAddress(r activity.Record) string {
	if r.Source == nil {
		return ""
	}
	return r.Source.IP
}

func userOf(r activity.Record) activity.User {
	if r.User == nil {
		return activity.User{}
	}
	return *r.User
}
