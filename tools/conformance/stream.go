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

// streamTimeout is how long each part of watching a stream may take; it takes milliseconds.
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
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", t.address(serverPort))
	if err != nil {
		return nil, err
	}
	call := streamCall{mcpURL: t.sallyport.MCPURL, token: t.token, patience: streamTimeout}
	return []scenario{{name: "stream", checks: call.watch(ctx, listener)}}, nil
}

// streamCall is a call at mcpURL that is answered by a stream.
type streamCall struct {
	mcpURL, token string
	// patience is how long each of two things may take: the events, and the end.
	patience time.Duration
}

// watch makes the call, which is to come to the listener, and watches both of its ends.
func (c streamCall) watch(ctx context.Context, listener net.Listener) []check {
	upstream := streamer{next: make(chan struct{}), gone: make(chan struct{})}
	server := &http.Server{Handler: upstream, ReadHeaderTimeout: streamTimeout}
	go func() { _ = server.Serve(listener) }() // it ends when it is closed
	defer func() { _ = server.Close() }()
	delivered := check{ID: "stream-not-held-back", Status: success}
	closed := check{ID: "stream-closed-upstream", Status: success}
	open, closeStream := context.WithTimeout(ctx, c.patience)
	err := c.read(open, upstream.next)
	closeStream()
	if err != nil {
		delivered.Status, delivered.Message = failure, err.Error()
	}
	select {
	case <-upstream.gone:
	case <-time.After(c.patience):
		closed.Status, closed.Message = failure, "The client has closed the stream, and the MCP server hasn't learned of it."
	}
	return []check{delivered, closed}
}

// read makes the call and reads three events of its answer, each but the first sent only when the one
// before has arrived. The stream is open until ctx ends.
func (c streamCall) read(ctx context.Context, next chan<- struct{}) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.mcpURL, strings.NewReader(streamedCall))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + c.token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "test_stream",
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request) //nolint:bodyclose // ctx closes it, as a client does that gives up
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the call is answered with %s", response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	for event := 1; event <= 3; event++ {
		if event > 1 {
			select {
			case next <- struct{}{}:
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
