package rovo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/site"
)

// listing is one of the lists of tools that an endpoint may offer.
type listing int

const (
	v1 listing = iota
	v2
	v2All
)

// flatPage is how many tools a page of the flat list holds, so that clients must follow nextCursor.
const flatPage = 20

var executeTiers = map[string][]tier{
	"execute":            {read, write, destructive},
	"executeRead":        {read},
	"executeWrite":       {write},
	"executeDestructive": {destructive},
}

// offers are the tools of a list as the catalogue has them, by name.
func (s *Server) offers(l listing) map[string]offer {
	all := map[string]offer{}
	if l == v1 {
		for _, a := range s.catalogue.aliases {
			all[a.Name] = s.aliasOffer(a)
		}
		return all
	}
	for _, o := range s.catalogue.operations {
		if l == v2All || o.Primary {
			all[o.Name] = offer{describe(o.Name, o.Says, o, o.Takes.schema()), s.operationTool(o)}
		}
	}
	discover := params{{"query", "text", true}}
	about := operation{Tier: read}
	all["discover"] = offer{describe("discover", "Find operations and their parameters by what you want to do. Run them with an execute tool.", about, discover.schema()), s.discover}
	execute := params{{"name", "text", true}, {"cloudId", "text", false}, {"inputs", "object", false}}
	for name, tiers := range executeTiers {
		about := operation{Tier: tiers[len(tiers)-1]}
		says := "Run an operation that discover found: its name, the cloudId, and its flat inputs."
		all[name] = offer{describe(name, says, about, execute.schema()), s.executeTool(tiers)}
	}
	return all
}

func describe(name, says string, o operation, schema map[string]any) *mcp.Tool {
	isDestructive, openWorld := o.Tier == destructive, false
	return &mcp.Tool{
		Name: name, Description: says, InputSchema: schema,
		Annotations: &mcp.ToolAnnotations{
			ReadOnlyHint: o.Tier == read, DestructiveHint: &isDestructive, IdempotentHint: o.Tier == read || o.Idempotent, OpenWorldHint: &openWorld,
		},
	}
}

// aliasOffer is a v1 tool, whose schema allows no other arguments. No write of v1 calls itself destructive.
func (s *Server) aliasOffer(a alias) offer {
	o := *s.catalogue.byName[a.Of]
	schema := a.Takes.schema()
	schema["additionalProperties"] = false
	return offer{describe(a.Name, o.Says, o, schema), func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		args, err := arguments(req)
		if err == nil {
			err = a.Takes.check(args)
		}
		if name := a.Takes.unknown(args); err == nil && name != "" {
			err = fmt.Errorf("unrecognized parameter: %s", name)
		}
		if err != nil {
			//nolint:nilerr // MCP has errors of a tool in its result.
			return failed("MCP error -32602: Invalid arguments for tool " + a.Name + ": " + err.Error()), nil
		}
		renamed := map[string]any{}
		for name, value := range args {
			if now, ok := a.Renames[name]; ok {
				name = now
			}
			renamed[name] = value
		}
		maps.Copy(renamed, a.Fixed)
		return s.run(req, o, renamed), nil
	}}
}

func (s *Server) operationTool(o operation) mcp.ToolHandler {
	return func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		args, err := arguments(req)
		if err == nil {
			err = o.Takes.check(args)
		}
		if err != nil {
			return failed(err.Error()), nil
		}
		return s.run(req, o, o.Takes.keep(args)), nil
	}
}

// executeTool runs an operation of the tiers by its name. cloudId counts only beside the inputs.
func (s *Server) executeTool(tiers []tier) mcp.ToolHandler {
	return func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		args, err := arguments(req)
		if err != nil {
			return failed(err.Error()), nil
		}
		name, isText := args["name"].(string)
		o, known := s.catalogue.byName[name]
		switch {
		case !isText || name == "":
			return failed("missing required parameter: name"), nil
		case !known:
			return failed(fmt.Sprintf("Unknown operation %q. Run discover to find the operations that exist.", name)), nil
		case !slices.Contains(tiers, o.Tier):
			return failed(fmt.Sprintf("Operation %s can't be run by this tool. Run it with %s.", name, executorOf(o.Tier))), nil
		}
		inputs, isObject := args["inputs"].(map[string]any)
		if args["inputs"] != nil && !isObject {
			return failed("invalid type of parameter: inputs"), nil
		}
		given := o.Takes.keep(inputs)
		delete(given, "cloudId")
		if args["cloudId"] != nil {
			given["cloudId"] = args["cloudId"]
		}
		if err := o.Takes.check(given); err != nil {
			return failed(err.Error()), nil
		}
		return s.run(req, *o, given), nil
	}
}

func executorOf(t tier) string {
	return map[tier]string{read: "executeRead", write: "executeWrite", destructive: "executeDestructive"}[t]
}

// discover lists the operations in whose name or description any word of the query occurs.
func (s *Server) discover(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	args, err := arguments(req)
	if err != nil {
		return failed(err.Error()), nil
	}
	words := strings.Fields(strings.ToLower(plain(args["query"])))
	list := []any{}
	for _, o := range s.catalogue.operations {
		about := strings.ToLower(o.Name + " " + o.Says)
		if len(words) > 0 && !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(about, word) }) {
			continue
		}
		list = append(list, map[string]any{
			"name": o.Name, "description": o.Says, "executeTool": executorOf(o.Tier),
			"requiresCloudId": o.Site == nil, "inputSchema": o.Takes.schema(),
		})
	}
	return succeeded(map[string]any{"operations": list}), nil
}

// run does the operation as the person whose token came with the request.
func (s *Server) run(req *mcp.CallToolRequest, o operation, args map[string]any) *mcp.CallToolResult {
	grant, person, ok := s.caller(req.Extra)
	if !ok {
		return failed(`Authentication failed: {"code":401,"message":"Unauthorized"}`)
	}
	if id := plain(args["cloudId"]); id != "" && !site.IsCloudID(id) {
		return failed("Cloud id: " + id + " isn't explicitly granted by the user.")
	}
	answer, err := o.run(call{s.site, person, grant, args})
	if err != nil {
		return failed(explain(err))
	}
	return succeeded(answer)
}

func (s *Server) caller(extra *mcp.RequestExtra) (oauth.Grant, site.Person, bool) {
	var info *auth.TokenInfo
	if extra != nil {
		info = extra.TokenInfo
	}
	if info == nil {
		return oauth.Grant{}, site.Person{}, false
	}
	grant, ok := info.Extra[grantKey].(oauth.Grant)
	if !ok {
		return oauth.Grant{}, site.Person{}, false
	}
	person, known := s.site.Person(grant.AccountID)
	return grant, person, known
}

// explain puts a refusal of Jira or Confluence in the words in which the MCP server passes it on.
func explain(err error) string {
	var refused *site.Error
	if !errors.As(err, &refused) {
		return "We are having trouble completing this action. Please try again shortly."
	}
	if refused.Status == http.StatusForbidden {
		return "403 Forbidden — " + refused.Error()
	}
	body, err := json.Marshal(map[string]any{"errorMessages": refused.Messages, "errors": map[string]string{}})
	if err != nil {
		return refused.Error()
	}
	return fmt.Sprintf("%d %s: %s", refused.Status, http.StatusText(refused.Status), body)
}

// arguments reads a map, whose keys encoding/json leaves as they are written.
func arguments(req *mcp.CallToolRequest) (map[string]any, error) {
	args := map[string]any{}
	if len(req.Params.Arguments) == 0 {
		return args, nil
	}
	if err := json.Unmarshal(req.Params.Arguments, &args); err != nil {
		return nil, errors.New("arguments must be an object")
	}
	return args, nil
}

func succeeded(answer any) *mcp.CallToolResult {
	text, err := json.Marshal(answer)
	if err != nil {
		return failed("We are having trouble completing this action. Please try again shortly.")
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(text)}}}
}

func failed(message string) *mcp.CallToolResult {
	// Two fixed keys and a string always marshal.
	text, _ := json.Marshal(map[string]any{"error": true, "message": message})
	return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: string(text)}}}
}
