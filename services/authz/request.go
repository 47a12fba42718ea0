package authz

import (
	"cmp"
	"context"
	"errors"
	"mime"
	"net"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"sallyport/services/internal/state"
	"sallyport/services/mcp"
)

// request is what authz reads of Envoy's question.
type request struct {
	id     string
	method string
	body   []byte
	// cut says that body is only the beginning.
	cut bool
	// tokenHash is empty where the request carries no bearer token.
	tokenHash string
	sourceIP  string
	userAgent string
	traceID   string
	headers   headers
}

// maxBody is how many bytes a body may have. Envoy sends one more (envoy/envoy.yaml).
const maxBody = 1 << 20

// errTooLarge means that there is more of a body than authz got.
var errTooLarge = errors.New("the body is larger than 1 MiB")

// headers are a request's headers as they came, by lower-case name.
type headers map[string][]string

func (h headers) first(name string) string {
	if len(h[name]) == 0 {
		return ""
	}
	return h[name][0]
}

func readRequest(ctx context.Context, check *authv3.CheckRequest) request {
	http := check.GetAttributes().GetRequest().GetHttp()
	h := readHeaders(http.GetHeaderMap())
	r := request{
		id:        http.GetId(),
		method:    http.GetMethod(),
		body:      http.GetRawBody(),
		sourceIP:  sourceIP(check.GetAttributes().GetSource().GetAddress().GetSocketAddress()),
		userAgent: h.first("user-agent"),
		traceID:   cmp.Or(traceID(h.first("traceparent")), traceOf(ctx)),
		headers:   h,
	}
	// Envoy says so in a header, which it removes where a client sends it. Neither that nor the length alone
	// is relied on: of a body that isn't there as a whole, what is there could be a call.
	r.cut = len(r.body) > maxBody || http.GetSize() > int64(len(r.body)) || len(h["x-envoy-auth-partial-body"]) > 0 && h.first("x-envoy-auth-partial-body") != "false"
	if id := h.first("x-request-id"); id != "" {
		r.id = id
	}
	// Two Authorization headers could be read differently by whoever reads them next (RFC 9110,
	// section 5.3): such a request has no token.
	if given := h["authorization"]; len(given) == 1 {
		scheme, token, _ := strings.Cut(given[0], " ")
		if strings.EqualFold(scheme, "Bearer") && token != "" {
			r.tokenHash = state.TokenHash(token)
		}
	}
	return r
}

// readHeaders reads the raw header map that encode_raw_headers sends.
func readHeaders(m *corev3.HeaderMap) headers {
	h := make(headers, len(m.GetHeaders()))
	for _, header := range m.GetHeaders() {
		value := string(header.GetRawValue())
		if value == "" {
			value = header.GetValue()
		}
		name := strings.ToLower(header.GetKey())
		h[name] = append(h[name], value)
	}
	return h
}

func sourceIP(address *corev3.SocketAddress) string {
	ip := net.ParseIP(address.GetAddress())
	if ip == nil {
		return ""
	}
	return ip.String()
}

// spoken are the headers that speak about the message.
func (r request) spoken() mcp.Headers {
	return mcp.Headers{
		Version: r.headers["mcp-protocol-version"], Method: r.headers["mcp-method"], Name: r.headers["mcp-name"],
		Session: r.headers["mcp-session-id"], LastEvent: r.headers["last-event-id"],
	}
}

// messages reads the body as MCP, and returns it also where only the headers are wrong. What can't be read for certain, and by everybody in the same
// way, is refused: a body that two readers read differently gets past a gate.
func (r request) messages() ([]mcp.Message, error) {
	if r.cut {
		return nil, errTooLarge
	}
	switch r.method {
	case "GET", "DELETE":
		if len(r.body) > 0 {
			return nil, &mcp.Error{Code: "unexpected_body", Sentence: "A " + r.method + " request of MCP has no body."}
		}
		return nil, r.spoken().CheckStream(r.method)
	}
	if encodings := r.headers["content-encoding"]; len(encodings) > 0 {
		return nil, &mcp.Error{Code: "content_encoding", Sentence: "Sallyport reads only bodies without Content-Encoding. Send the message uncompressed."}
	}
	types := r.headers["content-type"]
	if len(types) != 1 {
		return nil, &mcp.Error{Code: "content_type", Sentence: "An MCP message needs exactly one Content-Type, application/json."}
	}
	mediaType, parameters, err := mime.ParseMediaType(types[0])
	charset := strings.ToLower(parameters["charset"])
	if err != nil || mediaType != "application/json" || charset != "" && charset != "utf-8" {
		return nil, &mcp.Error{Code: "content_type", Sentence: "An MCP message is application/json in UTF-8."}
	}
	body, err := mcp.Parse(r.body)
	if err != nil {
		return nil, err
	}
	return body.Messages, r.spoken().Check(body)
}
