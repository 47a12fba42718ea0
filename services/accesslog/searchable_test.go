package accesslog

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestSearchable shows what a record gets that its arguments are found by; where nothing is wanted it stays as it is.
func TestSearchable(t *testing.T) {
	long := strings.Repeat("a", 40<<10)
	for document, want := range map[string]string{
		`{"sallyport":{"arguments":{"key":"OPS-12"}}}`:                     `{"sallyport":{"arguments":{"key":"OPS-12"},"arguments_text":"{\"key\":\"OPS-12\"}","issue_key":["OPS-12"],"project_key":["OPS"]}}`,
		`{"a":{"arguments":{}},"sallyport":{"arguments":{},"site":"s"}}`:   `{"a":{"arguments":{}},"sallyport":{"arguments":{},"arguments_text":"{}","site":"s"}}`,
		`{"sallyport":{"site":"s", "arguments" : { "a" : 1e999 } },"b":1}`: `{"sallyport":{"site":"s", "arguments" : { "a" : 1e999 },"arguments_text":"{ \"a\" : 1e999 }" },"b":1}`,
		`{"sallyport":{"arguments":{"a":"b"},"arguments_text":"was cut"}}`: "",
		`{"sallyport":{"arguments_text":"[1]"}}`:                           "",
		`{"sallyport":{"operation":{"arguments":{}}}}`:                     "",
		`{"sallyport":{"decision":"allowed"}}`:                             "",
		`{"sallyport":"arguments"}`:                                        "",
		`{"sallyport":{"arguments":{}`:                                     "",
		`[1]`:                                                              "",
		``:                                                                 "",
		`{"sallyport":{"arguments":{"a":"` + long + `"}}}`:                 `{"sallyport":{"arguments":{"a":"` + long + `"},"arguments_text":"{\"a\":\"` + long[:32<<10-6] + ` [8200 more bytes were cut]"}}`,
	} {
		if want == "" {
			want = document
		}
		if got := string(searchable([]byte(document))); got != want {
			t.Errorf("%.100s: got %.300s, want %.300s", document, got, want)
		}
	}
}

// FuzzSearchable makes sure that nothing but what is added is changed.
func FuzzSearchable(f *testing.F) {
	f.Add(`{"sallyport":{"arguments":{"key":"OPS-12"},"site":"s"}}`)
	f.Fuzz(func(t *testing.T, document string) {
		got := searchable([]byte(document))
		if string(got) == document || strings.Contains(document, "_key") || strings.Contains(document, `\u`) {
			return
		}
		var before, after map[string]any
		err := errors.Join(json.Unmarshal([]byte(document), &before), json.Unmarshal(got, &after))
		if err != nil {
			t.Fatalf("%q became %q: %v", document, got, err)
		}
		own, _ := after["sallyport"].(map[string]any)
		for _, name := range []string{"arguments_text", "issue_key", "project_key"} {
			delete(own, name)
		}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q", document, got)
		}
	})
}
