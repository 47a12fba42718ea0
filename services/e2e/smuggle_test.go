package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// raw sends bytes to the MCP endpoint as they are, and returns the statuses of all answers until the
// connection is closed or quiet.
func raw(t *testing.T, text string) []int {
	t.Helper()
	connection, err := net.Dial("tcp", "127.0.0.1:"+port(t, hostPort(t, sallyport.MCPURL)))
	if err != nil {
		t.Error(err)
		return nil
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(3 * time.Second))
	_, err = io.WriteString(connection, text)
	if err != nil {
		t.Error(err)
		return nil
	}
	var statuses []int
	for reader := bufio.NewReader(connection); ; {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return statuses
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		statuses = append(statuses, response.StatusCode)
	}
}

// rawAll does so with each text on a connection of its own, eight at a time: most of it is waiting.
func rawAll(t *testing.T, texts []string) [][]int {
	t.Helper()
	statuses := make([][]int, len(texts))
	var sending errgroup.Group
	sending.SetLimit(8)
	for i, text := range texts {
		sending.Go(func() error {
			statuses[i] = raw(t, text)
			return nil
		})
	}
	_ = sending.Wait()
	return statuses
}

// request is an HTTP/1.1 request for the MCP endpoint with these header lines beside those it needs.
func request(t *testing.T, token, body string, lines ...string) string {
	t.Helper()
	lines = append([]string{
		"POST /mcp HTTP/1.1", "Host: " + hostPort(t, sallyport.MCPURL), "Authorization: Bearer " + token,
		"Content-Type: application/json", "Accept: application/json, text/event-stream", "Connection: close", fmt.Sprintf("Content-Length: %d", len(body)),
	}, lines...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// marked is a call that leaves a mark in the stand-in's journal if it reaches it.
func marked(tool, mark string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1","mark":%q}}}`, tool, mark)
}

// TestAttackIdentityHeaders sends headers that a server behind a gateway may take for the
// gateway's own word. What counts is what Atlassian receives: nothing of them, and the person's token.
func TestAttackIdentityHeaders(t *testing.T) {
	applyPolicy(t, blockDeletes)
	token := signIn(t, "bo@acme.test", "Claude Code", "http://localhost:3118/callback").access
	const value = "smuggled-identity"
	names := []string{
		"x-sallyport-user", "X-Sallyport-User", "X-SALLYPORT-ACCOUNT", "x-user", "x-user-id", "X-User-Email", "x-userinfo", "x-forwarded-user", "x-forwarded-email", "X-Forwarded-For",
		"x-forwarded-client-cert", "x-forwarded-access-token", "x-forwarded-host", "x-envoy-original-path", "x-envoy-external-address", "x-envoy-peer-metadata", "X-Envoy-Auth-Partial-Body",
		"x-auth-request-user", "x-authenticated-user", "x-remote-user", "remote-user", "x-amzn-oidc-data", "x-goog-authenticated-user-email", "x-ms-client-principal",
		"x-original-url", "x-rewrite-url", "x-real-ip", "forwarded", "via", "x-http-method-override", "proxy-authorization", "cookie", "atl-account-id", "x-atlassian-user", "x-request-id", "origin-account",
	}
	mark := func(i int) string { return fmt.Sprintf("identity-%02d", i) }
	var texts []string
	for i, name := range names {
		texts = append(texts, request(t, token, marked("getJiraIssue", mark(i)), name+": "+value))
	}
	for i, statuses := range rawAll(t, texts) {
		if reached := atlassianSaw(t, mark(i)); len(statuses) != 1 || statuses[0] != 200 || reached != 1 {
			t.Errorf("a call with %s is answered %v, and reached Atlassian %d times", names[i], statuses, reached)
		}
	}
	if seen := atlassianSaw(t, value); seen > 0 {
		t.Errorf("%d of the headers reached Atlassian", seen)
	}
	for _, call := range atlassianCalls(t) {
		if strings.Contains(string(call), "identity-") && !strings.Contains(string(call), `"person":"bo@acme.test"`) {
			t.Errorf("a call reached Atlassian as somebody else's: %s", call)
		}
	}
}

// TestAttackSmuggledRequests sends what two readers of HTTP could read differently. What isn't refused must
// reach Atlassian as the one request that was decided, with the person's own token.
func TestAttackSmuggledRequests(t *testing.T) {
	applyPolicy(t, blockDeletes)
	token := signIn(t, "bo@acme.test", "Claude Code", "http://localhost:3118/callback").access
	host := "Host: " + hostPort(t, sallyport.MCPURL)
	// Each case has a mark of its own, as long as this one.
	const mark = "smuggled-00"
	get := marked("getJiraIssue", mark)
	inner := request(t, token, marked("deleteJiraIssue", mark))
	chunked := func(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }
	begin := "POST /mcp HTTP/1.1\r\n" + host + "\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
	var names, texts []string
	for name, text := range map[string]string{
		"two Authorizations":          request(t, token, get, "Authorization: Bearer other"),
		"two Authorizations, in case": request(t, token, get, "AUTHORIZATION: Basic other"),
		"an underscore":               request(t, token, get, "x_sallyport_user: other"),
		"mcp_method":                  request(t, token, get, "mcp_method: tools/list"),
		"a blank before the colon":    request(t, token, get, "Mcp-Name : other"),
		"a folded header":             request(t, token, get, "X-A: b", " Authorization: Bearer other"),
		"a NUL in a header":           request(t, token, get, "X-A: a\x00b"),
		"two lengths":                 request(t, token, get, "Content-Length: 5"),
		"two hosts":                   request(t, token, get, "Host: evil.example"),
		"two content types":           request(t, token, get, "Content-Type: text/plain"),
		"two sessions":                request(t, token, get, "Mcp-Session-Id: a", "Mcp-Session-Id: b"),
		"two versions":                request(t, token, get, "MCP-Protocol-Version: 2025-11-25", "mcp-protocol-version: 2025-06-18"),
		"another name, twice":         request(t, token, get, "Mcp-Name: getJiraIssue", "MCP-NAME: searchJira"),
		"another method":              request(t, token, get, "Mcp-Method: tools/list"),
		"a length and chunks":         begin + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n", len(get)) + chunked(get) + inner,
		"chunks and a length":         begin + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + chunked(get) + inner,
		"chunks by another name":      begin + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: xchunked\r\n\r\n", len(get)) + get,
		"chunks twice":                begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked(get),
		"a chunk of a wrong size":     begin + "Transfer-Encoding: chunked\r\n\r\n5\r\n" + get + "\r\n0\r\n\r\n",
		"a length that is negative":   begin + "Content-Length: -1\r\n\r\n" + get,
		"a length with a plus":        begin + fmt.Sprintf("Content-Length: +%d\r\n\r\n", len(get)) + get,
		"a path that climbs":          strings.Replace(request(t, token, get), "POST /mcp ", "POST /oauth/../mcp%2f ", 1),
		"an absolute URL elsewhere":   strings.Replace(request(t, token, get), "POST /mcp ", "POST http://evil.example/mcp ", 1),
		"Connection names the token":  request(t, token, get, "Connection: close, authorization, mcp-session-id"),
		"an upgrade":                  request(t, token, get, "Connection: upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
	} {
		texts = append(texts, strings.ReplaceAll(text, mark, fmt.Sprintf("smuggled-%02d", len(names))))
		names = append(names, name)
	}
	for i, statuses := range rawAll(t, texts) {
		name, reached := names[i], atlassianSaw(t, fmt.Sprintf("smuggled-%02d", i))
		if len(statuses) > 1 || len(statuses) == 1 && statuses[0] < 300 && reached != 1 || len(statuses) == 1 && statuses[0] >= 300 && reached != 0 {
			t.Errorf("%s: answered %v, and %d requests reached Atlassian", name, statuses, reached)
		}
		t.Logf("%s: %v, %d", name, statuses, reached)
	}
	for _, call := range atlassianCalls(t) {
		if !strings.Contains(string(call), "smuggled") {
			continue
		}
		if !strings.Contains(string(call), `"tool":"getJiraIssue"`) || !strings.Contains(string(call), `"person":"bo@acme.test"`) || strings.Contains(string(call), "other") {
			t.Errorf("reached Atlassian: %s", call)
		}
	}
}
