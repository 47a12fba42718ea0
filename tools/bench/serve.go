package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
)

// streamMark is in the body of a call that wants a stream of events (SSE) for an answer. It is in the body, since
// headers that aren't MCP's own don't come through.
const streamMark = `"answer":"stream"`

// keysPath is where the MCP server has the keys by which gateways verify tokens, as a JSON Web Key Set.
const keysPath = "/keys.json"

//go:embed gateways/keys.json
var keys []byte

// answerText is what the MCP server answers, again and again.
const answerText = "answer "

// serveUpstream is an MCP server that answers each call at once.
func serveUpstream(ctx context.Context, address string) error {
	server := &http.Server{Addr: address, Handler: http.HandlerFunc(answer), ReadHeaderTimeout: callTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.ListenAndServe()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// answer answers whatever is sent to the MCP server.
func answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == keysPath:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(keys)
		return
	case r.Method != http.MethodPost:
		// It has no stream of its own, and no sessions that could be ended.
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the call can't be read", http.StatusBadRequest)
		return
	}
	// A call as the benchmark makes it needs no reading; what gateways send they have written anew.
	if bytes.HasPrefix(body, []byte(callBegins+callMeta)) {
		answerCall(w, body, `{"jsonrpc":"2.0","id":1,"result":{`)
		return
	}
	var sent message
	err = json.Unmarshal(body, &sent)
	switch {
	case err != nil:
		http.Error(w, "not a message of JSON-RPC: "+err.Error(), http.StatusBadRequest)
	case len(sent.ID) == 0:
		w.WriteHeader(http.StatusAccepted)
	case sent.Method == "tools/call":
		answerCall(w, body, `{"jsonrpc":"2.0","id":`+string(sent.ID)+`,"result":{"resultType":"complete",`)
	default:
		greet(w, sent)
	}
}

// message is what is read of one that isn't a call as the benchmark makes it.
type message struct {
	ID     json.RawMessage
	Method string
	Params struct{ ProtocolVersion string }
}

// greet answers what a gateway asks before it passes calls on: which tools there are, with arguments of any kind.
func greet(w http.ResponseWriter, sent message) {
	tool := func(name string) object {
		return object{"name": name, "description": name, "inputSchema": object{"type": "object", "additionalProperties": true}}
	}
	reply := object{"jsonrpc": "2.0", "id": sent.ID}
	switch sent.Method {
	case "server/discover":
		reply["result"] = object{"resultType": "complete", "supportedVersions": []string{callProtocol, gatewayProtocol},
			"capabilities": object{"tools": object{}}, "ttlMs": time.Hour.Milliseconds(), "cacheScope": "public"}
	case "initialize":
		reply["result"] = object{"protocolVersion": sent.Params.ProtocolVersion, "capabilities": object{"tools": object{}},
			"serverInfo": object{"name": "bench", "version": "1"}}
	case "tools/list":
		reply["result"] = object{"resultType": "complete", "tools": []object{tool(edits), tool(deletes)}, "ttlMs": time.Hour.Milliseconds(), "cacheScope": "public"}
	case "ping":
		reply["result"] = object{}
	default:
		reply["error"] = object{"code": -32601, "message": "there is no method " + sent.Method}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}

// answerCall answers with a result that begins so, and with a text, so that the answer is about as long as the call.
func answerCall(w http.ResponseWriter, body []byte, begin string) {
	begin += `"content":[{"type":"text","text":"`
	const end = `"}],"isError":false}}`
	text := begin + strings.Repeat(answerText, max(0, len(body)-len(begin)-len(end))/len(answerText)) + end
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
