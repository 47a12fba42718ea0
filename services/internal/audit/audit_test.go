package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/audit"
)

// regenerate writes what TestFormats compares with; look at the difference before it is committed.
var regenerate = flag.Bool("regenerate", false, "write testdata/*.golden.jsonl anew")

var formats = []audit.Format{audit.Organization, audit.Jira, audit.Confluence}

// schema is the JSON Schema of a format, which was written from the facts.
func schema(t testing.TB, f audit.Format) *jsonschema.Resolved {
	t.Helper()
	s := &jsonschema.Schema{}
	err := json.Unmarshal(read(t, string(f)+".schema.json"), s)
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func value(t testing.TB, text []byte) any {
	t.Helper()
	var v any
	err := json.Unmarshal(text, &v)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// kind is one of testdata/records.yaml.
type kind struct {
	name, fits string
	record     activity.Record
}

func kinds(t testing.TB) []kind {
	t.Helper()
	var stored []struct {
		Name, Fits string
		Record     map[string]any
	}
	err := yaml.Unmarshal(read(t, "records.yaml"), &stored)
	if err != nil {
		t.Fatal(err)
	}
	var list []kind
	for _, k := range stored {
		text, err := json.Marshal(k.Record)
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		r, err := activity.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		if r.Sallyport.Arguments.Kind() == 'n' {
			r.Sallyport.Arguments = nil
		}
		list = append(list, kind{k.Name, k.Fits, r})
	}
	return list
}

// TestFormats compares each format of each record with testdata/NAME.golden.jsonl, and validates it against the
// schema.
func TestFormats(t *testing.T) {
	for _, f := range formats {
		fits, got := schema(t, f), &bytes.Buffer{}
		for _, k := range kinds(t) {
			text, err := audit.JSON(k.record, f)
			if f != audit.Organization && k.fits != string(f) {
				if !errors.Is(err, audit.ErrOtherProduct) {
					t.Errorf("%s as %s gives %s, %v", k.name, f, text, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s as %s: %v", k.name, f, err)
				continue
			}
			err = fits.Validate(value(t, text))
			if err != nil {
				t.Errorf("%s as %s: %v\n%s", k.name, f, err, text)
			}
			got.Write(append(text, '\n'))
		}
		if *regenerate {
			err := os.WriteFile("testdata/"+string(f)+".golden.jsonl", got.Bytes(), 0o600)
			if err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(string(read(t, string(f)+".golden.jsonl")), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
}

// TestSchemasAreOfTheFacts makes sure that the schemas take Atlassian's own examples, and nothing that differs
// from them in one place: another type anywhere, a member that isn't there, or one more.
func TestSchemasAreOfTheFacts(t *testing.T) {
	optional := map[audit.Format]string{
		audit.Organization: "processedAt email links location geo self alt message",
		audit.Jira:         "remoteAddress authorKey authorAccountId description changedValues associatedItems parentId parentName",
		audit.Confluence:   "superAdmin",
	}
	for _, f := range formats {
		fits, example := schema(t, f), read(t, string(f)+".example.json")
		err := fits.Validate(value(t, example))
		if err != nil {
			t.Errorf("the example of %s: %v", f, err)
		}
		tried := 0
		whole := value(t, example)
		mutate(whole, func(what, member string) {
			tried++
			err := fits.Validate(whole)
			mayMiss := strings.HasPrefix(what, "without") && contains(optional[f], member)
			if (err == nil) != mayMiss {
				t.Errorf("%s %s of %s: %v", what, member, f, err)
			}
		})
		if tried < 30 {
			t.Errorf("only %d changes of %s were tried", tried, f)
		}
	}
}

func contains(list, word string) bool { return strings.Contains(" "+list+" ", " "+word+" ") }

// mutate changes one place of a JSON value at a time, and calls tried with each. Attributes of what an event is
// about are free.
func mutate(v any, tried func(what, member string)) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			mutate(element, tried)
		}
	case map[string]any:
		v["unknown"] = "x"
		tried("more than the members", "unknown")
		delete(v, "unknown")
		for _, name := range slices.Sorted(maps.Keys(v)) {
			was := v[name]
			v[name] = otherType(was)
			tried("another type for", name)
			delete(v, name)
			tried("without", name)
			v[name] = was
			if name != "attributes" || v["type"] == "events" {
				mutate(was, tried)
			}
		}
	}
}

func otherType(v any) any {
	if _, text := v.(string); text {
		return 7
	}
	return "7"
}

// TestIDsStay makes sure that a record's ids are always the same, and others than another's.
func TestIDsStay(t *testing.T) {
	ids := func(id string) string {
		r := activity.Record{Event: activity.Event{ID: id}, Sallyport: activity.Sallyport{Operation: &activity.Operation{Name: "getJiraIssue", Product: "jira"}}}
		var both []string
		for _, f := range []audit.Format{audit.Organization, audit.Jira} {
			text, err := audit.JSON(r, f)
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, string(text[:bytes.IndexByte(text, ',')]))
		}
		return strings.Join(both, " ")
	}
	const want = `{"id":"6ab2f6b2-e9e5-56c6-9a54-fbb9b16e589f" {"id":6210591179717068`
	if got := ids("6f1d2c34-8a7b-4e0f-9c11-2b3d4e5f6a7b"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if ids("a-1") == ids("a-2") {
		t.Error("two records have the same ids")
	}
}

// FuzzFormats makes sure that whatever assistants, people and tools are called fits the schemas.
func FuzzFormats(f *testing.F) {
	for _, k := range kinds(f) {
		f.Add(k.record.Event.ID, k.name, string(k.record.Sallyport.Arguments))
	}
	at, schemas := kinds(f)[0].record.Timestamp, map[audit.Format]*jsonschema.Resolved{}
	for _, format := range formats {
		schemas[format] = schema(f, format)
	}
	f.Fuzz(func(t *testing.T, id, text, arguments string) {
		text = strings.ToValidUTF8(text, "?")
		for _, product := range []string{"jira", "confluence"} {
			r := activity.Record{
				Timestamp: at,
				Event:     activity.Event{ID: id, Action: "tools/call"}, User: &activity.User{ID: "712020:" + text, Name: text},
				Sallyport: activity.Sallyport{
					Decision: activity.Allowed, Client: &activity.Client{Key: "claude", Name: text},
					Operation: &activity.Operation{Name: text, Product: product},
				},
			}
			if json.Valid([]byte(arguments)) {
				document, err := r.JSON()
				if err != nil {
					return
				}
				document = append(document[:len(document)-2], `,"arguments":`+arguments+`}}`...)
				r, err = activity.Parse(document)
				if err != nil {
					return
				}
			}
			for _, format := range []audit.Format{audit.Organization, audit.Format(product)} {
				got, err := audit.JSON(r, format)
				if err != nil {
					t.Fatal(err)
				}
				err = schemas[format].Validate(value(t, got))
				if err != nil {
					t.Errorf("%s: %v\n%s", format, err, got)
				}
			}
		}
	})
}
