package authz

import (
	"encoding/json"
	"net/http"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"

	"sallyport/services/internal/activity"
)

// JSON-RPC error codes (JSON-RPC 2.0, section 5.1), and one outside its reserved band for a denial.
const (
	codeInvalid  = -32600
	codeInternal = -32603
	codeDenied   = -31403
	codeNotFound = -31404
)

// allow lets the request go on to Atlassian with the person's own token in place of the assistant's, and
// without the headers that it doesn't need.
func allow(token string, without []string, note activity.Note) *authv3.CheckResponse {
	return &authv3.CheckResponse{
		Status: &rpcstatus.Status{Code: int32(codes.OK)},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
			Headers:         []*corev3.HeaderValueOption{header("authorization", "Bearer "+token)},
			HeadersToRemove: without,
		}},
		DynamicMetadata: note.Struct(),
	}
}

// answer answers in Atlassian's place.
func answer(status int, body []byte, note activity.Note, headers ...*corev3.HeaderValueOption) *authv3.CheckResponse {
	if status == http.StatusMethodNotAllowed {
		headers = append(headers, header("allow", http.MethodPost))
	}
	if len(body) > 0 {
		headers = append(headers, header("content-type", "application/json"))
	}
	return &authv3.CheckResponse{
		Status: &rpcstatus.Status{Code: int32(codes.PermissionDenied)},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status:  &typev3.HttpStatus{Code: typev3.StatusCode(status)},
			Headers: headers,
			Body:    string(body),
		}},
		DynamicMetadata: note.Struct(),
	}
}

// unauthenticated makes the assistant sign in, or refresh (RFC 9728, section 5.1; RFC 6750,
// section 3). expired says that a token was sent, and isn't valid.
func unauthenticated(publicURL string, expired bool) *authv3.CheckResponse {
	challenge := `Bearer `
	if expired {
		challenge += `error="invalid_token", `
	}
	challenge += `resource_metadata="` + publicURL + `/.well-known/oauth-protected-resource/mcp"`
	body := rpcError(nil, codeDenied, "Sign in to Atlassian through Sallyport to use this server.")
	return answer(http.StatusUnauthorized, body, activity.Note{}, header("www-authenticate", challenge))
}

func header(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, Value: value},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

type rpcResponse struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  *toolResult     `json:"result,omitempty"`
	Error   *rpcFailure     `json:"error,omitempty"`
}

// toolResult is MCP's CallToolResult. ResultType is required since 2026-07-28 and harmless before.
type toolResult struct {
	ResultType string        `json:"resultType"`
	Content    []textContent `json:"content"`
	IsError    bool          `json:"isError"`
}

type textContent struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type rpcFailure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// toolError is the result of a tool call that says text as an error: the one form of denial that
// every client shows to the model as it is, and after which none drops the connection.
func toolError(id json.RawMessage, text string) rpcResponse {
	return rpcResponse{JSONRPC: "2.0", ID: idOrNull(id), Result: &toolResult{
		ResultType: "complete", Content: []textContent{{"text", text}}, IsError: true,
	}}
}

func failure(id json.RawMessage, code int, message string) rpcResponse {
	return rpcResponse{JSONRPC: "2.0", ID: idOrNull(id), Error: &rpcFailure{Code: code, Message: message}}
}

func rpcError(id json.RawMessage, code int, message string) []byte {
	return encode(failure(id, code, message))
}

func encode(response any) []byte {
	body, err := json.Marshal(response)
	if err != nil {
		// Only an id that isn't JSON could do this, and ids come from the parser.
		return []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"internal error"}}`)
	}
	return body
}

func idOrNull(id json.RawMessage) json.RawMessage {
	if len(id) == 0 {
		return json.RawMessage("null")
	}
	return id
}
