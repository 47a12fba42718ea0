package admin

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

const (
	// callsSince is how far back calls are counted, in Elasticsearch's date math.
	callsSince = "now-30d"
	// maxSeen is how many names of called operations are told apart. Assistants can make names up;
	// those beyond are the rarest.
	maxSeen = 2000
	// countTimeout bounds counting calls, so that an answer without the counts comes soon.
	countTimeout = 5 * time.Second
)

// methods are what MCP has to call beside tools, and what rules decide about (policy.md 1).
var methods = []string{"completion/complete", "prompts/get", "resources/read", "resources/subscribe"}

// catalogue knows the operations that rules are about.
type catalogue struct {
	store   *state.Store
	elastic esapi.Transport
}

// known is an operation that the site offers, or that was called.
type known struct {
	call  policy.Call
	tool  *state.Tool
	calls int64
}

// offered is a tool as a known operation.
func offered(tool *state.Tool) known {
	return known{call: policy.Call{Operation: operation.Parse(tool.Name, "")}, tool: tool}
}

// toolsUnknown says why no tools are known.
const toolsUnknown = "The tools that the site offers aren't known yet: they are learned when the first person signs in."

// tools returns the tools of the site, none before the first sign-in, with a status as the error.
func (c catalogue) tools(ctx context.Context) ([]state.Tool, error) {
	tools, err := c.store.Tools(ctx)
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis doesn't answer, so the tools of the site can't be read. Start it again, and try once more. (%v)", err)
	}
	return tools, nil
}

// all returns the known operations by name, and sentences about what isn't known. Its error is a
// status.
func (c catalogue) all(ctx context.Context) ([]known, []string, error) {
	byName := map[string]*known{}
	add := func(name string) *known {
		if byName[name] == nil {
			byName[name] = &known{call: policy.Call{Operation: operation.Parse(name, "")}}
		}
		return byName[name]
	}
	tools, err := c.tools(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i, tool := range tools {
		add(tool.Name).tool = &tools[i]
	}
	var unknown []string
	if len(tools) == 0 {
		unknown = append(unknown, toolsUnknown)
	}
	seen, err := c.called(ctx)
	if err != nil {
		unknown = append(unknown, "What was called in the last 30 days isn't known. "+status.Convert(err).Message())
	}
	for name, calls := range seen {
		add(name).calls = calls
	}
	if len(byName) > 0 {
		for _, name := range methods {
			add(name)
		}
	}
	var list []known
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list = append(list, *byName[name])
	}
	return list, unknown, nil
}

// called returns how often each operation was called lately, with a status as the error.
func (c catalogue) called(ctx context.Context) (map[string]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	var answer struct {
		Aggregations struct {
			Names struct {
				Buckets []struct {
					Key   string
					Count int64 `json:"doc_count"`
				}
			}
		}
	}
	yes := true
	request := esapi.SearchRequest{Index: []string{activity.Actions}, AllowNoIndices: &yes, IgnoreUnavailable: &yes}
	err := find(ctx, c.elastic, request, object{
		"size": 0,
		// Alerts name an operation, too.
		"query": object{"bool": object{"filter": []object{exists("sallyport.decision"), {"range": object{"@timestamp": object{"gte": callsSince}}}}}},
		"aggs":  object{"names": object{"terms": object{"field": "sallyport.operation.name", "size": maxSeen}}},
	}, func(body io.Reader) error { return json.NewDecoder(body).Decode(&answer) })
	if err != nil {
		return nil, err
	}
	calls := map[string]int64{}
	for _, bucket := range answer.Aggregations.Names.Buckets {
		calls[bucket.Key] = bucket.Count
	}
	return calls, nil
}

func callsOf(operations []known) []policy.Call {
	calls := make([]policy.Call, len(operations))
	for i, o := range operations {
		calls[i] = o.call
	}
	return calls
}
