package e2e_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestHostileBodies sends what two readers could read differently, each with a word that shows
// whether it got past both gates. None of them may, and each is answered with the reason.
func TestHostileBodies(t *testing.T) {
	applyPolicy(t, blockDeletes)
	token := connect(t, "cy@acme.test", "Cursor").token(t)
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, _ = zip.Write([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","arguments":{"mark":"hostile"}}}`))
	_ = zip.Close()
	const getIssue = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","arguments":{"mark":"hostile"}}}`

	tests := []struct {
		name    string
		body    string
		headers map[string]string
		status  int
		says    string
	}{
		{"name and NAME", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","NAME":"deleteJiraIssue","arguments":{"mark":"hostile"}}}`, nil, 400, "NAME"},
		{"duplicate keys", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","name":"deleteJiraIssue","arguments":{"mark":"hostile"}}}`, nil, 400, "name"},
		{"an escaped duplicate", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","n\u0061me":"deleteJiraIssue","arguments":{"mark":"hostile"}}}`, nil, 400, "name"},
		{"trailing bytes", getIssue + `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"deleteJiraIssue"}}`, nil, 400, ""},
		{"a batch with a blocked call", `[` + getIssue + `,{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"deleteJiraIssue","arguments":{"mark":"hostile"}}}]`, nil, 200, "AI may never delete anything"},
		{"invalid UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"getJiraIssue\",\"arguments\":{\"mark\":\"hostile\xff\"}}}", nil, 400, "UTF-8"},
		{"a byte order mark", "\xef\xbb\xbf" + getIssue, nil, 400, ""},
		{"2 MiB", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","arguments":{"mark":"hostile","pad":"` + strings.Repeat("x", 2<<20) + `"}}}`, nil, 413, "1 MiB"},
		{"gzip", zipped.String(), map[string]string{"Content-Encoding": "gzip"}, 400, "Content-Encoding"},
		{"gzip unannounced", zipped.String(), nil, 400, ""},
		{"another content type", getIssue, map[string]string{"Content-Type": "text/plain"}, 400, "application/json"},
		{"another charset", getIssue, map[string]string{"Content-Type": "application/json; charset=utf-16"}, 400, "UTF-8"},
		{"a name that is a number", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7,"arguments":{"mark":"hostile"}}}`, nil, 200, "name"},
		{"an execute call without a name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute","arguments":{"mark":"hostile"}}}`, nil, 200, "name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := post(t, token, []byte(test.body), test.headers)
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || !strings.Contains(string(body), test.says) {
				t.Errorf("got HTTP %d %.400s, want %d with %q", response.StatusCode, body, test.status, test.says)
			}
			if !strings.Contains(string(body), `"jsonrpc"`) {
				t.Errorf("the answer isn't JSON-RPC: %.200s", body)
			}
		})
	}
	if reached := atlassianSaw(t, "hostile"); reached > 0 {
		t.Errorf("%d of them reached Atlassian", reached)
	}
}

// TestFrontDoor shows what Envoy turns away by itself.
func TestFrontDoor(t *testing.T) {
	token := connect(t, "cy@acme.test", "Cursor").token(t)
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

	response := post(t, "", []byte(ping), nil)
	challenge := response.Header.Get("WWW-Authenticate")
	if response.StatusCode != http.StatusUnauthorized || !strings.Contains(challenge, "/.well-known/oauth-protected-resource/mcp") {
		t.Errorf("without a token: HTTP %d, challenge %q", response.StatusCode, challenge)
	}
	response = post(t, "not-a-token", []byte(ping), nil)
	if challenge = response.Header.Get("WWW-Authenticate"); response.StatusCode != http.StatusUnauthorized || !strings.Contains(challenge, "invalid_token") {
		t.Errorf("with a wrong token: HTTP %d, challenge %q", response.StatusCode, challenge)
	}

	request, err := newPost(t.Context(), token, []byte(ping), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example"
	response, err = http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("under a foreign host name: HTTP %d", response.StatusCode)
	}

	response = post(t, token, []byte(ping), map[string]string{"X-Request-Id": "chosen-by-the-client", "X-Sallyport-User": "bo", "X-Forwarded-For": "203.0.113.9"})
	if got := response.Header.Get("X-Request-Id"); got == "" || got == "chosen-by-the-client" {
		t.Errorf("the request id is %q, which the client could choose", got)
	}
	for _, word := range []string{"chosen-by-the-client", "X-Sallyport-User", "x-sallyport-user", "203.0.113.9"} {
		if atlassianSaw(t, word) > 0 {
			t.Errorf("%q of the client's reached Atlassian", word)
		}
	}
}
