package authz_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"go.yaml.in/yaml/v3"

	"sallyport/services/internal/activity"
)

// values are those of a header: one, or a list.
type values []string

func (v *values) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*v = values{node.Value}
		return nil
	}
	return node.Decode((*[]string)(v))
}

type revisionCase struct {
	Name, Method, Body, Modern, Params string
	Headers                            map[string]values
	Without                            []string
	Status, Code                       int
	ID, Refusal, Says                  string
}

func (c revisionCase) body() string {
	if c.Modern == "" {
		return c.Body
	}
	params := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	if c.Params != "" {
		params += "," + c.Params
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s}}`, c.Modern, params)
}

func (c revisionCase) headers() []string {
	headers := []string{"authorization", "Bearer " + accessToken}
	if c.Method != http.MethodGet && c.Method != http.MethodDelete {
		headers = append(headers, "content-type", "application/json")
	}
	for name, list := range c.Headers {
		for _, value := range list {
			headers = append(headers, name, value)
		}
	}
	return headers
}

func TestRevisions(t *testing.T) {
	text, err := os.ReadFile("testdata/revisions.yaml")
	must(t, err)
	var cases []revisionCase
	must(t, yaml.Unmarshal(text, &cases))
	g := signedIn(t, `{"default":"allow"}`)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if c.Method == "" {
				c.Method = http.MethodPost
			}
			r := g.ask(c.Method, c.body(), c.headers()...)
			records := g.records()
			if c.Status == 0 {
				wantAllowed(t, r, atlassian)
				without := slices.Sorted(slices.Values(r.GetOkResponse().GetHeadersToRemove()))
				if !slices.Equal(without, c.Without) || len(records) == 0 || records[0].Sallyport.Decision != activity.Allowed {
					t.Errorf("it went on without %q, recorded as %+v", without, records)
				}
				return
			}
			wantAnswer(t, r, c.Status, c.Says, "sent nothing to Atlassian", fmt.Sprintf(`"code":%d`, c.Code))
			var answer struct{ ID json.RawMessage }
			must(t, json.Unmarshal([]byte(r.GetDeniedResponse().GetBody()), &answer))
			if string(answer.ID) != c.ID {
				t.Errorf("the answer has the id %s", answer.ID)
			}
			if len(records) != 1 || records[0].Sallyport.Decision != activity.Blocked || records[0].Sallyport.Refusal != c.Refusal {
				t.Errorf("recorded as %+v, want a block for %s", records, c.Refusal)
			}
			allow := slices.ContainsFunc(r.GetDeniedResponse().GetHeaders(), func(h *corev3.HeaderValueOption) bool { return h.GetHeader().GetKey() == "allow" })
			if allow != (c.Status == http.StatusMethodNotAllowed) {
				t.Errorf("with an Allow header: %t", allow)
			}
		})
	}
}
