package atlassian_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sallyport/services/identity/atlassian"
)

// serveList is an MCP server that answers tools/list with these bytes, whatever is wrong with them.
// The stand-in for Atlassian can't: its SDK refuses to.
func serveList(t *testing.T, result string) *atlassian.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			ID     json.RawMessage
			Method string
		}
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &request)
		answer := `"error":{"code":-32601,"message":"Method not found"}`
		switch {
		case r.URL.Query().Get("tools") != "all":
			t.Errorf("asked at %s", r.URL)
		case request.ID == nil:
			w.WriteHeader(http.StatusAccepted)
			return
		case request.Method == "initialize":
			answer = `"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"odd","version":"1"}}`
		case request.Method == "tools/list":
			answer = `"result":` + result
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, request.ID, answer)
	}))
	t.Cleanup(server.Close)
	client, err := atlassian.New(atlassian.Config{MCPURL: server.URL + "/v2/mcp?tools=all"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestTools(t *testing.T) {
	for name, c := range map[string]struct {
		described string
		want      atlassian.Tool
		leftOut   string
	}{
		"all members": {
			described: `{"name":"a","title":"A","description":"Does a.","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":false,"destructiveHint":false}}`,
			want:      atlassian.Tool{Name: "a", Title: "A", Description: "Does a.", InputSchema: []byte(`{"type":"object"}`)},
		},
		"a canonical schema": {
			described: `{"name":"a","inputSchema":{"type":"object", "properties":{"b":{"maximum":1e2},"a":{}}}}`,
			want:      atlassian.Tool{Name: "a", InputSchema: []byte(`{"properties":{"a":{},"b":{"maximum":100}},"type":"object"}`), Destructive: true},
		},
		"no schema":             {described: `{"name":"a"}`, want: atlassian.Tool{Name: "a", InputSchema: []byte(`null`), Destructive: true}},
		"nothing but read-only": {described: `{"name":"a","annotations":{"readOnlyHint":true,"destructiveHint":true}}`, want: atlassian.Tool{Name: "a", InputSchema: []byte(`null`), ReadOnly: true}},
		"bytes that aren't UTF-8": {
			described: "{\"name\":\"a\xff\",\"description\":\"\xfe\",\"inputSchema\":{\"title\":\"\xff\"}}",
			want:      atlassian.Tool{Name: "a\uFFFD", Description: "\uFFFD", InputSchema: []byte("{\"title\":\"\uFFFD\"}"), Destructive: true},
		},
		"a header that is wrong": {
			described: `{"name":"a","inputSchema":{"properties":{"b":{"type":"object","x-mcp-header":"b"}}}}`,
			want:      atlassian.Tool{Name: "a", InputSchema: []byte(`{"properties":{"b":{"type":"object","x-mcp-header":"b"}}}`), Destructive: true},
		},
		"the longest name": {
			described: `{"name":"` + strings.Repeat("n", 256) + `"}`,
			want:      atlassian.Tool{Name: strings.Repeat("n", 256), InputSchema: []byte(`null`), Destructive: true},
		},
		"a longer name": {described: `{"name":"` + strings.Repeat("n", 257) + `"}`, leftOut: "more than 256 bytes"},
		"no name":       {described: `{"description":"x"}`, leftOut: "one has no name"},
		"null":          {described: `null`, leftOut: "one is null"},
		"a second one":  {described: `{"name":"last","description":"x"}`, leftOut: `"last" is listed twice`},
	} {
		t.Run(name, func(t *testing.T) {
			list := `{"tools":[` + c.described + `,{"name":"last"}]}`
			if strings.Contains(c.leftOut, "twice") {
				list = `{"tools":[{"name":"last"},` + c.described + `]}`
			}
			tools, leftOut, err := serveList(t, list).Tools(t.Context(), "token")
			if err != nil {
				t.Fatal(err)
			}
			want := []atlassian.Tool{{Name: "last", InputSchema: []byte(`null`), Destructive: true}}
			if c.leftOut == "" {
				want = append([]atlassian.Tool{c.want}, want...)
			}
			if diff := cmp.Diff(want, tools, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("tools (-want +got)\n%s", diff)
			}
			if got := strings.Join(leftOut, "; "); (got == "") != (c.leftOut == "") || !strings.Contains(got, c.leftOut) {
				t.Errorf("left out %q, want %q", got, c.leftOut)
			}
		})
	}
}

func TestToolsHaveLimits(t *testing.T) {
	for name, c := range map[string]struct{ list, want string }{
		"pages without end": {`{"tools":[],"nextCursor":"again"}`, "more than 50 pages"},
		"tools":             {`{"tools":[{"name":"a"}` + strings.Repeat(`,{"name":"a"}`, 5000) + `]}`, "more than 5000"},
		"bytes":             {`{"tools":[{"name":"a","description":"` + strings.Repeat("x", 8<<20) + `"}]}`, "more than 8388608 bytes"},
		"bytes of pages":    {`{"tools":[{"name":"a","description":"` + strings.Repeat("x", 1<<20) + `"}],"nextCursor":"again"}`, "more than 8388608 bytes"},
		"no list":           {`{"tools":1}`, "listing the tools"},
		"no JSON":           {`}`, "listing the tools"},
	} {
		t.Run(name, func(t *testing.T) {
			tools, _, err := serveList(t, c.list).Tools(t.Context(), "token")
			if err == nil || !strings.Contains(err.Error(), c.want) || tools != nil {
				t.Errorf("%d tools, error %v", len(tools), err)
			}
		})
	}
}
