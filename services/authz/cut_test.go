package authz_test

import (
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"sallyport/services/internal/activity"
)

// TestABodyThatIsNotWholeIsRefused shows that the beginning of a body is never taken for a call, even where
// it is one, and that the refusal has a record.
func TestABodyThatIsNotWholeIsRefused(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	exact := ping + strings.Repeat(" ", 1<<20-len(ping))
	for name, ask := range map[string]struct {
		body, partial string
		size          int64
		whole         bool
	}{
		"1 MiB":                     {exact, "", 0, true},
		"whole, as Envoy says":      {ping, "false", int64(len(ping)), true},
		"of unknown length":         {ping, "", -1, true},
		"one byte more":             {exact + " ", "", 0, false},
		"cut, as Envoy says":        {ping, "true", 0, false},
		"shorter than it should be": {ping, "", int64(len(ping)) + 1, false},
	} {
		headers := &corev3.HeaderMap{}
		for name, value := range map[string]string{"authorization": "Bearer " + accessToken, "content-type": "application/json", "x-envoy-auth-partial-body": ask.partial} {
			if value != "" {
				headers.Headers = append(headers.Headers, &corev3.HeaderValue{Key: name, RawValue: []byte(value)})
			}
		}
		r, err := g.client.Check(t.Context(), &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{
			Http: &authv3.AttributeContext_HttpRequest{Id: "request", Method: "POST", RawBody: []byte(ask.body), Size: ask.size, HeaderMap: headers},
		}}})
		must(t, err)
		records := g.records()
		if len(records) != 1 {
			t.Fatalf("%s: %d records", name, len(records))
		}
		if ask.whole {
			wantAllowed(t, r, atlassian)
			continue
		}
		wantAnswer(t, r, 413, "1 MiB", "-32600")
		if own := records[0].Sallyport; own.Decision != activity.Blocked || own.Refusal != "too_large" {
			t.Errorf("%s: recorded as %+v", name, own)
		}
	}
}
