package switches

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Tool is what a tool is to say of itself; what is nil stays as it is. Its JSON form is that of
// tools/list (MCP 2025-11-25, server/tools).
type Tool struct {
	Title       *string          `json:"title"`
	Description *string          `json:"description"`
	InputSchema json.RawMessage  `json:"inputSchema"`
	Annotations *ToolAnnotations `json:"annotations"`
}

// ToolAnnotations are the hints that a tool gives; what is nil stays as it is.
type ToolAnnotations struct {
	ReadOnlyHint    *bool `json:"readOnlyHint"`
	DestructiveHint *bool `json:"destructiveHint"`
}

// Tools are the lists of tools that the MCP server offers.
type Tools interface {
	// Set changes a tool in every list that has it; one that no list has is added to all.
	Set(name string, as Tool)
	// Remove takes a tool off all lists, and returns false if none had it.
	Remove(name string) bool
	// Reset undoes all changes.
	Reset()
}

func (t Tool) check() error {
	if t.InputSchema == nil {
		return nil
	}
	var schema struct{ Type string }
	if err := json.Unmarshal(t.InputSchema, &schema); err != nil || schema.Type != "object" {
		return errors.New(`inputSchema is a JSON Schema with "type":"object"`)
	}
	// The SDK panics at those that aren't valid.
	if bytes.Contains(t.InputSchema, []byte("x-mcp-header")) {
		return errors.New("inputSchema can't have x-mcp-header here")
	}
	return nil
}

func (a api) setTool(w http.ResponseWriter, r *http.Request) {
	var as Tool
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&as); err != nil {
		refuse(w, fmt.Errorf(`the body must be what tools/list says of a tool, such as {"description":"..."}: %w`, err))
		return
	}
	if err := as.check(); err != nil {
		refuse(w, err)
		return
	}
	a.Tools.Set(r.PathValue("name"), as)
	w.WriteHeader(http.StatusNoContent)
}

func (a api) removeTool(w http.ResponseWriter, r *http.Request) {
	if !a.Tools.Remove(r.PathValue("name")) {
		refuse(w, fmt.Errorf("no list has a tool %q", r.PathValue("name")))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
