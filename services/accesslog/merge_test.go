package accesslog

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sallyport/services/internal/state"
)

func TestMerge(t *testing.T) {
	for _, test := range []struct{ first, second, want string }{
		{`{}`, `{}`, `{}`},
		{`{"a":1}`, `{}`, `{"a":1}`},
		{`{}`, `{"a":1}`, `{"a":1}`},
		{`{"a":1,"b":2}`, `{"b":3,"c":4}`, `{"a":1,"b":3,"c":4}`},
		{`{"a":{"b":1,"c":{"d":2}}}`, `{"a":{"c":{"e":3}}}`, `{"a":{"b":1,"c":{"d":2,"e":3}}}`},
		{`{"a":{"b":1}}`, `{"a":[2]}`, `{"a":[2]}`},
		{`{"a":[1]}`, `{"a":[2]}`, `{"a":[2]}`},
		{`{"a":{"b":1}}`, `{"a":null}`, `{"a":null}`},
		{`{"a":1e99999,"ü":"\u0000"}`, `{"b":2}`, `{"a":1e99999,"ü":"\u0000","b":2}`},
		{`{"a":1,"a":2}`, `{}`, ``},
		{`{"a":1}`, `{"\u0061":2}`, ``},
		{`{}`, `{"a":{"b":1}} {}`, ``},
		{`{}`, `[]`, ``},
		{`{`, `{}`, ``},
		{``, `{}`, ``},
	} {
		got, err := merge([]byte(test.first), []byte(test.second))
		if string(got) != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s and %s are %s, error %v; want %s", test.first, test.second, got, err, test.want)
		}
	}
}

func TestWrites(t *testing.T) {
	entry := func(position, kind, index, id, document string) state.Waiting {
		return state.Waiting{Position: position, Kind: kind, Entry: state.Entry{ID: id, Index: index, Document: []byte(document)}}
	}
	var got []string
	for _, w := range writes([]state.Waiting{
		entry("1-0", "decision", "i", "a", `{"event":{"id":"a"}}`),
		entry("2-0", "decision", "i", "b", `{"event":{"id":"b"}}`),
		entry("3-0", "outcome", "i", "a", `{"event":{"outcome":"success"}}`),
		entry("4-0", "outcome", "j", "b", `{"event":{"outcome":"success"}}`),
		entry("5-0", "outcome", "i", "b", `broken`),
		entry("6-0", "outcome", "i", "b", `{"event":{"outcome":"failure"}}`),
	}) {
		positions := ""
		for _, e := range w.entries {
			positions += e.Position[:1]
		}
		text := string(w.document)
		if strings.Contains(text, "event") {
			var document struct{ Event map[string]string }
			err := json.Unmarshal(w.document, &document)
			if err != nil {
				t.Error(err)
			}
			text = document.Event["id"] + " " + document.Event["outcome"]
		}
		got = append(got, positions+" "+text)
	}
	want := []string{"13 a success", "2 b ", "4  success", "5 broken", "6  failure"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzMerge compares with a merge of maps.
func FuzzMerge(f *testing.F) {
	f.Add(`{"a":{"b":1}}`, `{"a":{"c":[]},"d":null}`)
	f.Fuzz(func(t *testing.T, first, second string) {
		merged, err := merge([]byte(first), []byte(second))
		if err != nil {
			return
		}
		var a, b, got map[string]any
		for text, into := range map[string]*map[string]any{first: &a, second: &b, string(merged): &got} {
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			if d.Decode(into) != nil {
				t.Fatalf("%q and %q became %q, of which one isn't JSON", first, second, merged)
			}
		}
		if want := mergeMaps(a, b); !reflect.DeepEqual(got, want) {
			t.Errorf("%q and %q became %q, want %v", first, second, merged, want)
		}
	})
}

func mergeMaps(a, b map[string]any) map[string]any {
	for name, value := range b {
		inner, ok := value.(map[string]any)
		if own, both := a[name].(map[string]any); ok && both {
			value = mergeMaps(own, inner)
		}
		a[name] = value
	}
	return a
}
