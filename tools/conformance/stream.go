package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// streamTimeout is how long anything about the stream may take; it takes milliseconds.
const streamTimeout = 10 * time.Second

// streamedCall is a call of 2026-07-28, where a client cancels a call by closing its stream.
const streamedCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_stream","arguments":{},"_meta":{` +
	`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},` +
	`"io.modelcontextprotocol/clientInfo":{"name":"conformance","version":"1.0.0"}}}}`

// streamer is an MCP server whose every answer is a stream without end: one event at once, and
// another each time next is sent to. It closes gone when the client is no longer there.
type streamer struct {
	next chan struct{}
	gone chan struct{}
}

func (s streamer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the client is only seen to leave once its request was read
	w.Header().Set("Content-Type", "text/event-stream")
	for event := 1; ; event++ {
		_, _ = fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":%d}}\n\n", event)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-s.next:
		case <-r.Context().Done():
			close(s.gone)
			return
		}
	}
}

// stream shows what the suite doesn't: that Sallyport holds no event back, and that a client which
// closes a stream closes it at the MCP server too.
func (t *trial) stream(ctx context.Context) ([]scenario, error) {
	ctx, cancel := context.WithTimeout(ctx, streamTimeout)
	defer cancel()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", t.address(serverPort))
	if err != nil {
		return nil, err
	}
	upstream := streamer{next: make(chan struct{}), gone: make(chan struct{})}
	server := &http.Server{Handler: upstream, ReadHeaderTimeout: streamTimeout}
	go func() { _ = server.Serve(listener) }() // it ends when it is closed
	defer server.Close()

	delivered := check{ID: "stream-not-held-back", Status: success}
	closed := check{ID: "stream-closed-upstream", Status: success}
	response, err := t.call(ctx, streamedCall)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	err = upstream.watch(ctx, response)
	if err != nil {
		delivered.Status, delivered.Message = failure, err.Error()
	}
	response.Body.Close()
	select {
	case <-upstream.gone:
	case <-ctx.Done():
		closed.Status, closed.Message = failure, "The client has closed the stream, and the MCP server still sends to it."
	}
	return []scenario{{name: "stream", checks: []check{delivered, closed}}}, nil
}

// call sends a body of 2026-07-28 to Sallyport.
func (t *trial) call(ctx context.Context, body string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.sallyport.MCPURL, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + t.token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "test_stream",
	} {
		request.Header.Set(name, value)
	}
	return http.DefaultClient.Do(request)
}

// watch reads three events, and has each but the first sent only when the one before has arrived.
func (s streamer) watch(ctx context.Context, response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("Sallyport answers a call with %s", response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	for event := 1; event <= 3; event++ {
		if event > 1 {
			select {
			case s.next <- struct{}{}:
			case <-ctx.Done():
				return errors.New("the call never came to the MCP server")
			}
		}
		for arrived := false; !arrived; arrived = strings.Contains(lines.Text(), fmt.Sprintf(`"data":%d}`, event)) {
			if !lines.Scan() {
				return fmt.Errorf("event %d has not arrived: %w", event, errors.Join(lines.Err(), ctx.Err()))
			}
		}
	}
	return nil
}
