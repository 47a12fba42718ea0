package mcp_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"sallyport/services/mcp"
)

func load(t testing.TB, file string, to any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	err = yaml.Unmarshal(data, to)
	if err != nil {
		t.Fatal(err)
	}
}

// facts is what a test looks at of a message.
type facts struct {
	Kind, ID, Method, Operation, Outer, Arguments, Inputs, Fetch, URI, Version, Meta, Task string
	Client                                                                                 mcp.ClientInfo
	Blocked, Ungoverned, Capable                                                           bool
}

func factsOf(m mcp.Message) facts {
	kinds := map[mcp.Kind]string{mcp.Request: "request", mcp.Notification: "notification", mcp.Response: "response"}
	f := facts{
		Kind: kinds[m.Kind], ID: string(m.ID), Method: m.Method, Arguments: string(m.Arguments), Inputs: string(m.Inputs),
		Fetch: m.FetchID, URI: m.URI, Version: m.ProtocolVersion, Meta: m.MetaVersion, Task: m.TaskID, Capable: m.Capable, Client: m.ClientInfo, Ungoverned: !m.Governed(),
	}
	if m.Governed() {
		var ok bool
		f.Operation, f.Outer, ok = m.Operation()
		f.Blocked = !ok
	}
	return f
}

type readCase struct {
	Name, Body string
	Batch      bool
	Want       []facts
}

func TestParse(t *testing.T) {
	var cases []readCase
	load(t, "testdata/read.yaml", &cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			body, err := mcp.Parse([]byte(c.Body))
			if err != nil {
				t.Fatal(err)
			}
			var got []facts
			for _, m := range body.Messages {
				got = append(got, factsOf(m))
			}
			if diff := cmp.Diff(c.Want, got); diff != "" || body.Batch != c.Batch {
				t.Errorf("batch %t, -want +got:\n%s", body.Batch, diff)
			}
		})
	}
}

type refusedCase struct {
	Name, Body, Call, Arguments, Code, Says string
}

func (c refusedCase) body() string {
	switch {
	case c.Arguments != "":
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"executeRead","arguments":%s}}`, c.Arguments)
	case c.Call != "":
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":%s}`, c.Call)
	}
	return c.Body
}

// refusedCases are those of the file, and those that a text file can't hold.
func refusedCases(t testing.TB) []refusedCase {
	t.Helper()
	var cases []refusedCase
	load(t, "testdata/refused.yaml", &cases)
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	long := strings.Repeat("x", 257)
	return append(cases,
		refusedCase{Name: "a byte order mark", Body: "\xef\xbb\xbf" + ping, Code: "byte_order_mark"},
		refusedCase{Name: "invalid UTF-8 in a value", Call: "{\"name\":\"delete\xffJiraIssue\"}", Code: "invalid_utf8"},
		refusedCase{Name: "an overlong form", Call: "{\"name\":\"\xc0\xaf\"}", Code: "invalid_utf8"},
		refusedCase{Name: "UTF-16", Body: "{\x00}\x00\xfe\xff", Code: "invalid_utf8"},
		refusedCase{Name: "a batch of 101", Body: "[" + strings.Repeat(ping+",", 100) + ping + "]", Code: "batch_size"},
		refusedCase{Name: "lists 257 deep", Body: strings.Repeat("[", 257) + strings.Repeat("]", 257), Code: "too_deep"},
		refusedCase{Name: "objects too deep", Call: strings.Repeat(`{"\"a":`, 256) + "1" + strings.Repeat("}", 256), Code: "too_deep"},
		refusedCase{Name: "a million brackets", Body: strings.Repeat("[", 1<<20), Code: "too_deep"},
		refusedCase{Name: "a long method", Body: fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q}`, long), Code: "name_too_long"},
		refusedCase{Name: "a long tool", Call: fmt.Sprintf(`{"name":%q}`, long), Code: "name_too_long"},
		refusedCase{Name: "a long inner tool", Arguments: fmt.Sprintf(`{"name":%q}`, long), Code: "name_too_long"},
	)
}

func TestParseRefuses(t *testing.T) {
	for _, c := range refusedCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			body, err := mcp.Parse([]byte(c.body()))
			var refusal *mcp.Error
			if !errors.As(err, &refusal) {
				t.Fatalf("got %+v, error %v", body, err)
			}
			if refusal.Code != c.Code || !strings.Contains(refusal.Sentence, c.Says) {
				t.Errorf("got %s: %s; want %s with %q", refusal.Code, refusal.Sentence, c.Code, c.Says)
			}
			if !strings.HasSuffix(refusal.Sentence, ".") || len(refusal.Sentence) > 300 || len(body.Messages) > 0 {
				t.Errorf("got %d messages and %q", len(body.Messages), refusal.Sentence)
			}
		})
	}
}

func TestParseTakesWhatIsJustInside(t *testing.T) {
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	bodies := map[string]string{
		"a batch of 100":        "[" + strings.Repeat(ping+",", 99) + ping + "]",
		"256 deep":              `{"jsonrpc":"2.0","id":1,"method":"x","params":` + strings.Repeat("[", 255) + strings.Repeat("]", 255) + "}",
		"brackets in a string":  `{"jsonrpc":"2.0","id":1,"method":"x","params":["\\` + strings.Repeat(`[{\"`, 1000) + `"]}`,
		"many objects, shallow": `{"jsonrpc":"2.0","id":1,"method":"x","params":[` + strings.Repeat("{},", 1000) + `{}]}`,
		"a name of 256 bytes":   fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q}`, strings.Repeat("x", 256)),
	}
	for name, body := range bodies {
		_, err := mcp.Parse([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParseKeepsTheBody shows that raw values are parts of the body, and that what was parsed
// before isn't changed by parsing again.
func TestParseKeepsTheBody(t *testing.T) {
	first := []byte(`{"jsonrpc":"2.0","id":"first","method":"tools/call","params":{"name":"a","arguments":{"first":1}}}`)
	parsed, err := mcp.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	_, err = mcp.Parse([]byte(`{"jsonrpc":"2.0","id":"other","method":"tools/call","params":{"name":"b","arguments":{"other":2}}}`))
	if err != nil {
		t.Fatal(err)
	}
	m := parsed.Messages[0]
	if string(m.ID) != `"first"` || string(m.Arguments) != `{"first":1}` || m.Name != "a" {
		t.Errorf("got %s %s %s", m.ID, m.Arguments, m.Name)
	}
	at := strings.Index(string(first), `{"first"`)
	if &m.Arguments[0] != &first[at] || cap(m.Arguments) != len(m.Arguments) {
		t.Error("the arguments are a copy, or could be appended to")
	}
}
