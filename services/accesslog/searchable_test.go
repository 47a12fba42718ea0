package accesslog

import (
	"strings"
	"testing"

	"sallyport/services/internal/state"
)

// TestSearchable shows what a decision gets that its arguments are found by.
func TestSearchable(t *testing.T) {
	long := strings.Repeat("a", 40<<10)
	for name, test := range map[string]struct{ kind, document, want string }{
		"an object":   {"decision", `{"sallyport":{"arguments":{"key":"OPS-12"}}}`, `{"sallyport":{"arguments":{"key":"OPS-12"},"arguments_text":"{\"key\":\"OPS-12\"}","issue_key":["OPS-12"],"project_key":["OPS"]}}`},
		"as written":  {"decision", `{"sallyport":{"arguments":{ "a" : 1e999 },"site":"s"},"user":{}}`, `{"sallyport":{"arguments":{ "a" : 1e999 },"site":"s","arguments_text":"{ \"a\" : 1e999 }"},"user":{}}`},
		"kept aside":  {"arguments", `{"sallyport":{"arguments":{}}}`, `{"sallyport":{"arguments":{},"arguments_text":"{}"}}`},
		"text alone":  {"decision", `{"sallyport":{"arguments_text":"[\"OPS-12\"]"}}`, `{"sallyport":{"arguments_text":"[\"OPS-12\"]","issue_key":["OPS-12"],"project_key":["OPS"]}}`},
		"both":        {"decision", `{"sallyport":{"arguments":{"a":"b"},"arguments_text":"was cut"}}`, `{"sallyport":{"arguments":{"a":"b"},"arguments_text":"was cut"}}`},
		"none":        {"decision", `{"sallyport":{"decision":"allowed"}}`, `{"sallyport":{"decision":"allowed"}}`},
		"no object":   {"decision", `[1]`, `[1]`},
		"broken":      {"decision", `{"sallyport":{"arguments":{}`, `{"sallyport":{"arguments":{}`},
		"an outcome":  {"outcome", `{"sallyport":{"arguments":{}}}`, `{"sallyport":{"arguments":{}}}`},
		"a long text": {"decision", `{"sallyport":{"arguments":{"a":"` + long + `"}}}`, `{"sallyport":{"arguments":{"a":"` + long + `"},"arguments_text":"{\"a\":\"` + long[:32<<10-6] + ` [8200 more bytes were cut]"}}`},
	} {
		got := searchable(state.Waiting{Kind: test.kind, Entry: state.Entry{Document: []byte(test.document)}})
		if string(got.Document) != test.want {
			t.Errorf("%s: got %.300s, want %.300s", name, got.Document, test.want)
		}
	}
}
