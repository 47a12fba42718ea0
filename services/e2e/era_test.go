package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// modern is a message of MCP 2026-07-28.
func modern(method, params string) string {
	if params != "" {
		params = "," + params
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}%s}}`, method, params)
}

// ask sends a request to the MCP endpoint, and returns the answer's status, headers and body.
func ask(t *testing.T, token, method, body string, headers map[string]string) (int, http.Header, string) {
	t.Helper()
	request, err := newPost(t.Context(), token, []byte(body), headers)
	if err != nil {
		t.Fatal(err)
	}
	request.Method = method
	if body == "" {
		request.Body, request.ContentLength = nil, 0
		request.Header.Del("Content-Type")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

// begin opens an MCP session and returns its id.
func begin(t *testing.T, token string) string {
	t.Helper()
	status, header, body := ask(t, token, "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"claude-code","version":"1"}}}`, nil)
	if status != http.StatusOK || header.Get("Mcp-Session-Id") == "" {
		t.Fatalf("initialize gave HTTP %d %v %s", status, header, body)
	}
	return header.Get("Mcp-Session-Id")
}

// TestEras shows what clients of each era get, through both gates.
func TestEras(t *testing.T) {
	applyPolicy(t, blockDeletes)
	token := signIn(t, "bo@acme.test", "Claude Code", "http://localhost:3118/callback").access
	session := begin(t, token)
	const getIssue = `"name":"getJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1"}`
	const deletion = `"name":"deleteJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1","mark":"eras"}`
	named := func(version, method, name string) map[string]string {
		return map[string]string{"MCP-Protocol-Version": version, "Mcp-Method": method, "Mcp-Name": name}
	}
	for _, test := range []struct {
		name, method, body string
		headers            map[string]string
		status             int
		says               string
	}{
		{"initialize of 2024-11-05", "POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05"}}`, nil, 200, "2025-11-25"},
		{"a header of 2024-11-05", "POST", ping, map[string]string{"MCP-Protocol-Version": "2024-11-05"}, 400, `"requested":"2024-11-05"`},
		{"a call of 2025-11-25", "POST", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + getIssue + `}}`, map[string]string{"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}, 200, "OPS-1"},
		{"a batch of 2025-11-25", "POST", "[" + ping + "]", map[string]string{"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}, 400, "batch"},
		{"a call of 2026-07-28", "POST", modern("tools/call", getIssue), named("2026-07-28", "tools/call", "getJiraIssue"), 200, "OPS-1"},
		{"a call of 2026-07-28 with a session that it ignores", "POST", modern("tools/call", getIssue), map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "getJiraIssue", "Mcp-Session-Id": "eras-ignored"}, 200, "OPS-1"},
		{"a blocked call of 2026-07-28", "POST", modern("tools/call", deletion), named("2026-07-28", "tools/call", "deleteJiraIssue"), 200, "AI may never delete anything"},
		{"discovery", "POST", modern("server/discover", ""), map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "server/discover"}, 200, "supportedVersions"},
		{"an unknown method", "POST", modern("vendor/eras", ""), map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "vendor/eras"}, 404, "-32601"},
		{"a stream of 2026-07-28", "GET", "", map[string]string{"MCP-Protocol-Version": "2026-07-28"}, 405, "POST"},
		{"a delete behind the name of a read", "POST", modern("tools/call", deletion), named("2026-07-28", "tools/call", "getJiraIssue"), 400, "-32020"},
		{"a call behind the name of a list", "POST", modern("tools/call", getIssue+`,"mark":"eras"`), map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}, 400, "-32020"},
		{"a legacy delete behind the name of a read", "POST", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + deletion + `}}`, named("2025-11-25", "tools/call", "getJiraIssue"), 400, "-32020"},
		{"a modern body behind a legacy version", "POST", modern("tools/call", getIssue+`,"mark":"eras"`), named("2025-11-25", "tools/call", "getJiraIssue"), 400, "-32020"},
		{"a resumption without a session", "GET", "", map[string]string{"MCP-Protocol-Version": "2025-11-25", "Last-Event-ID": "1"}, 400, "Mcp-Session-Id"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _, body := ask(t, token, test.method, test.body, test.headers)
			if status != test.status || !strings.Contains(body, test.says) {
				t.Errorf("got HTTP %d %.400s, want %d with %q", status, body, test.status, test.says)
			}
		})
	}
	if reached := atlassianSaw(t, `\"mark\":\"eras\"`) + atlassianSaw(t, "eras-ignored"); reached > 0 {
		t.Errorf("%d of what is refused reached Atlassian", reached)
	}
	base := strings.TrimSuffix(sallyport.MCPURL, "/mcp")
	for _, old := range []string{"GET /sse", "POST /messages", "POST /messages/?sessionId=1", "GET /v1/sse", "GET /mcp/sse", "POST /message"} {
		method, path, _ := strings.Cut(old, " ")
		request, err := http.NewRequestWithContext(t.Context(), method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusGone || !strings.Contains(string(text), sallyport.MCPURL) {
			t.Errorf("%s gives HTTP %d %s", old, response.StatusCode, text)
		}
	}
}

// TestStreamsAndResponsesOfASession does what a session of 2025-11-25 is for: a stream that is opened,
// resumed and ended, and messages of the client's that are no requests.
func TestStreamsAndResponsesOfASession(t *testing.T) {
	applyPolicy(t, blockDeletes)
	token := signIn(t, "bo@acme.test", "Claude Code", "http://localhost:3118/callback").access
	session := begin(t, token)
	headers := map[string]string{"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}
	for _, body := range []string{`{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","id":"srv-1","result":{}}`} {
		status, _, text := ask(t, token, "POST", body, headers)
		if status != http.StatusAccepted {
			t.Errorf("%s gives HTTP %d %s", body, status, text)
		}
	}
	request, err := newPost(t.Context(), token, nil, map[string]string{"Accept": "text/event-stream", "MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session})
	if err != nil {
		t.Fatal(err)
	}
	request.Method = http.MethodGet
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("the stream is HTTP %d %v", response.StatusCode, response.Header)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		}
	}()
	status, _, text := ask(t, token, "DELETE", "", headers)
	if status != http.StatusNoContent && status != http.StatusOK {
		t.Errorf("DELETE gives HTTP %d %s", status, text)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the stream goes on after the end of its session")
	}
	status, _, _ = ask(t, token, "POST", ping, headers)
	if status != http.StatusNotFound {
		t.Errorf("after its end the session gives HTTP %d", status)
	}
}

// TestSessionOfAnotherPerson shows that a session is of no use to anybody else, not even before its
// own client has used it.
func TestSessionOfAnotherPerson(t *testing.T) {
	applyPolicy(t, blockDeletes)
	ana := signIn(t, "ana@acme.test", "Claude Code", "http://localhost:3118/callback").access
	others := map[string]string{
		"another person":         signIn(t, "bo@acme.test", "Claude Code", "http://localhost:3118/callback").access,
		"another client of hers": signIn(t, "ana@acme.test", "Cursor", "http://localhost:8787/callback").access,
	}
	began := time.Now()
	session := begin(t, ana)
	// Envoy reports answers within 0.2 s; nobody has used the session until then.
	waitForRecords(t, "sallyport-protocol-*", map[string]any{"bool": map[string]any{"filter": []any{
		map[string]any{"term": map[string]any{"event.action": "initialize"}},
		map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gte": began.UTC().Format(time.RFC3339Nano)}}},
		map[string]any{"exists": map[string]any{"field": "http.response.status_code"}},
	}}}, 1)
	headers := map[string]string{"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": session}
	for name, token := range others {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			body := ""
			if method == "POST" {
				body = `{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{"mark":"foreign-session"}}`
			}
			status, _, text := ask(t, token, method, body, headers)
			var answer struct {
				ID    json.RawMessage
				Error struct{ Message string }
			}
			err := json.Unmarshal([]byte(text), &answer)
			if err != nil || status != http.StatusNotFound || method == "POST" && string(answer.ID) != "9" || !strings.Contains(answer.Error.Message, "initialize") {
				t.Errorf("%s of %s gives HTTP %d %s", method, name, status, text)
			}
		}
	}
	if reached := atlassianSaw(t, "foreign-session"); reached > 0 {
		t.Errorf("%d of them reached Atlassian", reached)
	}
	status, _, text := ask(t, ana, "POST", ping, headers)
	if status != http.StatusOK {
		t.Errorf("her own session gives HTTP %d %s", status, text)
	}
}
