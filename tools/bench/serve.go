package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
)

// streamMark is in the body of a call that wants a stream of events (SSE) for an answer. It is in the body, since
// headers that aren't MCP's own don't come through.
const streamMark = `"answer":"stream"`

// serveUpstream is an MCP server that answers each call at once.
func serveUpstream(ctx context.Context, address string) error {
	server := &http.Server{Addr: address, Handler: http.HandlerFunc(answerCall), ReadHeaderTimeout: callTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.ListenAndServe()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// answerCall answers with a text, so that the answer is about as long as the call.
func answerCall(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the call can't be read", http.StatusBadRequest)
		return
	}
	const begin, end = `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`, `"}],"isError":false}}`
	text := begin + strings.Repeat("answer ", max(0, len(body)-len(begin)-len(end))/7) + end
	if bytes.Contains(body, []byte(streamMark)) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: message\ndata: %s\n\n", text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, text) // the caller counts what doesn't arrive
}

// noop is the least that Envoy can ask: it allows everything and drops what it is told.
type noop struct {
	alsv3.UnimplementedAccessLogServiceServer
}

// Check allows.
func (noop) Check(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	return &authv3.CheckResponse{HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{}}}, nil
}

// StreamAccessLogs takes the entries and forgets them.
func (noop) StreamAccessLogs(stream grpc.ClientStreamingServer[alsv3.StreamAccessLogsMessage, alsv3.StreamAccessLogsResponse]) error {
	for {
		_, err := stream.Recv()
		if err != nil {
			return err
		}
	}
}

// serveNoop is the ext_authz service and the access log service of the arms that aren't Sallyport.
func serveNoop(ctx context.Context, address string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	authv3.RegisterAuthorizationServer(server, noop{})
	alsv3.RegisterAccessLogServiceServer(server, noop{})
	stop := context.AfterFunc(ctx, server.Stop)
	defer stop()
	return server.Serve(listener)
}
