package mcp_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"sallyport/services/mcp"
)

// FuzzHeaders shows that headers that are taken say what the body says, read here in the plainest way, and
// that a refusal always says why.
func FuzzHeaders(f *testing.F) {
	const modern = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	for _, version := range append([]string{"", "2024-11-05"}, mcp.Revisions...) {
		for _, name := range []string{"", "é", "=?base64?w6k=?=", "=?base64?w6k?=", "=?base64?eA=="} {
			f.Add(version, "tools/call", name, []byte(modern))
			f.Add(version, "", name, []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é"}}`))
		}
		f.Add(version, "tasks/get", "t", []byte(`{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t"}}`))
		f.Add(version, "", "", []byte(`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`))
		f.Add(version, "", "", []byte(`{"jsonrpc":"2.0","id":1,"result":{}}`))
		f.Add(version, "initialize", "", []byte(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05"}}`))
	}
	f.Fuzz(func(t *testing.T, version, method, name string, text []byte) {
		body, err := mcp.Parse(text)
		if err != nil {
			return
		}
		headers := mcp.Headers{Version: once(version), Method: once(method), Name: once(name)}
		err = headers.Check(body)
		if err != nil {
			explained(t, err)
			return
		}
		if version != "" && !slices.Contains(mcp.Revisions, version) {
			t.Fatalf("revision %q is taken", version)
		}
		if body.Batch {
			if version != "" && version != "2025-03-26" {
				t.Fatalf("a batch of %s is taken", version)
			}
			return
		}
		saysTheSame(t, headers, body.Messages[0])
	})
}

// once is a header that is there unless it is empty.
func once(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func saysTheSame(t *testing.T, headers mcp.Headers, m mcp.Message) {
	t.Helper()
	stateless := len(headers.Version) == 1 && headers.Version[0] == "2026-07-28"
	if m.HasMetaVersion && (len(headers.Version) == 0 || headers.Version[0] != m.MetaVersion) {
		t.Fatalf("version %q passes for %q", headers.Version, m.MetaVersion)
	}
	if stateless && (m.Kind == mcp.Response || m.Kind == mcp.Request && !m.HasMetaVersion || len(headers.Method) == 0) {
		t.Fatalf("%+v passes with %+v", m, headers)
	}
	if m.Kind != mcp.Response && len(headers.Method) == 1 && headers.Method[0] != m.Method {
		t.Fatalf("method %q passes for %q", headers.Method[0], m.Method)
	}
	repeated := map[string]string{"tools/call": m.Name, "prompts/get": m.Name, "resources/read": m.URI, "tasks/get": m.TaskID}[m.Method]
	if m.Kind == mcp.Response || repeated == "" || len(headers.Name) == 0 && !stateless {
		return
	}
	if len(headers.Name) == 0 {
		t.Fatalf("%s of %q passes without Mcp-Name", m.Method, repeated)
	}
	given := headers.Name[0]
	if strings.HasPrefix(given, "=?base64?") && strings.HasSuffix(given, "?=") && len(given) >= len("=?base64??=") {
		decoded, err := base64.StdEncoding.DecodeString(given[len("=?base64?") : len(given)-len("?=")])
		if err != nil {
			t.Fatalf("%q passes: %v", given, err)
		}
		given = string(decoded)
	}
	if given != repeated {
		t.Fatalf("name %q passes for %q", headers.Name[0], repeated)
	}
}

// explained fails where an error doesn't say what is wrong in a short sentence.
func explained(t *testing.T, err error) {
	t.Helper()
	var refusal *mcp.Error
	if !errors.As(err, &refusal) || refusal.Code == "" || !strings.HasSuffix(refusal.Sentence, ".") || len(refusal.Sentence) > 1500 {
		t.Fatalf("the error is %#v", err)
	}
	if status := refusal.HTTPStatus(); status != 200 && status != 400 && status != 405 || refusal.RPCCode() == 0 {
		t.Fatalf("%s is answered with HTTP %d, code %d", refusal.Code, status, refusal.RPCCode())
	}
	if (refusal.RPCCode() == -32020) != (refusal.Code == "header_mismatch") {
		t.Fatalf("%s has the code %d", refusal.Code, refusal.RPCCode())
	}
}
