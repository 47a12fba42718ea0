package rovo

import (
	"context"
	"encoding/json"
	"maps"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sallyport/tools/atlassian/switches"
)

// offer is a tool and what runs it.
type offer struct {
	tool *mcp.Tool
	run  mcp.ToolHandler
}

// toolLists are the lists of tools as they are now.
type toolLists struct {
	mu    sync.Mutex
	lists map[listing]*toolList
}

type toolList struct {
	// catalogued is the list at the start, offered is as it was changed since.
	catalogued, offered map[string]offer
	// servers serve the list, each in its own form of answers.
	servers []*mcp.Server
}

func newToolLists(offers func(listing) map[string]offer) *toolLists {
	t := &toolLists{lists: map[listing]*toolList{}}
	for _, l := range []listing{v1, v2, v2All} {
		catalogued := offers(l)
		t.lists[l] = &toolList{catalogued: catalogued, offered: maps.Clone(catalogued)}
	}
	return t
}

// serve lets a server serve a list, now and after each change.
func (t *toolLists) serve(l listing, server *mcp.Server) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.lists[l]
	list.servers = append(list.servers, server)
	for _, o := range list.offered {
		server.AddTool(o.tool, o.run)
	}
}

// Set implements switches.Tools.
func (t *toolLists) Set(name string, as switches.Tool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := false
	for _, list := range t.lists {
		_, has := list.offered[name]
		known = known || has
	}
	for _, list := range t.lists {
		o, has := list.offered[name]
		if !has {
			if known {
				continue
			}
			o = addedOffer(name)
		}
		list.put(name, offer{change(o.tool, as), o.run})
	}
}

// Remove implements switches.Tools.
func (t *toolLists) Remove(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := false
	for _, list := range t.lists {
		if _, has := list.offered[name]; has {
			known = true
			list.remove(name)
		}
	}
	return known
}

// Reset implements switches.Tools.
func (t *toolLists) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.lists {
		for name, o := range list.offered {
			was, has := list.catalogued[name]
			switch {
			case !has:
				list.remove(name)
			case was.tool != o.tool:
				list.put(name, was)
			}
		}
		for name, was := range list.catalogued {
			if _, has := list.offered[name]; !has {
				list.put(name, was)
			}
		}
	}
}

func (l *toolList) put(name string, o offer) {
	l.offered[name] = o
	for _, server := range l.servers {
		server.AddTool(o.tool, o.run)
	}
}

func (l *toolList) remove(name string) {
	delete(l.offered, name)
	for _, server := range l.servers {
		server.RemoveTools(name)
	}
}

// addedOffer is a tool that the catalogue doesn't have; whatever it is asked, it answers the same.
func addedOffer(name string) offer {
	return offer{
		&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "This is " + name + "."}}}, nil
		},
	}
}

// change returns a copy, since clients may be reading the tool as it was.
func change(tool *mcp.Tool, as switches.Tool) *mcp.Tool {
	changed := *tool
	if as.Title != nil {
		changed.Title = *as.Title
	}
	if as.Description != nil {
		changed.Description = *as.Description
	}
	if as.InputSchema != nil {
		changed.InputSchema = as.InputSchema
	}
	if as.Annotations == nil {
		return &changed
	}
	hints := mcp.ToolAnnotations{}
	if tool.Annotations != nil {
		hints = *tool.Annotations
	}
	if as.Annotations.ReadOnlyHint != nil {
		hints.ReadOnlyHint = *as.Annotations.ReadOnlyHint
	}
	if as.Annotations.DestructiveHint != nil {
		hints.DestructiveHint = as.Annotations.DestructiveHint
	}
	changed.Annotations = &hints
	return &changed
}
