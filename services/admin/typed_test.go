package admin_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/operation"
)

// typed is testdata/typed.yaml.
type typed struct {
	Records []struct {
		ID, User, Client, Operation, Outer, Product, Arguments, Content, Outcome, Note, Refusal, Trace string
		Rule, Status                                                                                   int
	}
	Searches []struct {
		Typed, Found string
		// Viewer is nil where a viewer finds the same.
		Viewer *string
	}
	Filters []struct {
		Filter  map[string]any
		Found   string
		Viewer  *string
		Refused bool
	}
}

// typedPeople are the people of the records, with their groups.
var typedPeople = map[string]activity.User{
	"ana":     {Name: "Ana Acme", Group: activity.Group{ID: []string{"id of developers"}, Name: []string{"developers"}}},
	"bo":      {Name: "Bo Acme"},
	"carla":   {Name: "Carla Acme", Group: activity.Group{ID: []string{"id of contractors"}, Name: []string{"contractors"}}},
	"dana":    {Name: "Dana Acme"},
	"eve":     {Name: "Eve Acme"},
	"juergen": {Name: "Jürgen Krüger"},
	"elodie":  {Name: "Élodie Acme"},
}

func readTyped(t *testing.T) typed {
	t.Helper()
	text, err := os.ReadFile("testdata/typed.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var data typed
	err = yaml.Unmarshal(text, &data)
	if err != nil || len(data.Records) < 40 || len(data.Searches) == 0 || len(data.Filters) == 0 {
		t.Fatalf("%d records, %d searches, %d filters, error %v", len(data.Records), len(data.Searches), len(data.Filters), err)
	}
	return data
}

// activities are the records, as authz and accesslog write them, a minute apart and the last of them the
// oldest.
func (d typed) activities(now time.Time) []activity.Record {
	var list []activity.Record
	for i, r := range d.Records {
		at := now.Add(-time.Duration(i) * time.Second)
		if r.Outcome == "lost" {
			at = now.Add(-10 * time.Minute)
		}
		record := call(r.ID, at, r.Operation)
		user := typedPeople[r.User]
		user.ID, user.Email = "712020:"+r.User, r.User+"@acme.test"
		record.User = &user
		op := operation.Parse(r.Operation, "")
		own := &record.Sallyport
		own.Client = &activity.Client{Key: r.Client, Name: strings.ReplaceAll(r.Client, "-", " "), Class: "claimed"}
		own.Operation = &activity.Operation{Name: r.Operation, Outer: r.Outer, Product: op.Product + r.Product, Actions: op.Families()}
		own.ArgumentsText = r.Arguments
		if r.Arguments != "" {
			own.Arguments = []byte(r.Arguments)
		}
		own.IssueKeys, own.ProjectKeys = activity.KeysIn(own.ArgumentsText)
		switch r.Outcome {
		case "in_flight", "lost":
			own.Outcome = ""
		case "":
		default:
			own.Outcome = r.Outcome
		}
		if r.Status != 0 {
			record.HTTP.Response.StatusCode = r.Status
		}
		if r.Trace != "" {
			record.Trace, own.UpstreamTrace = &activity.Trace{ID: r.Trace}, "of Atlassian, "+r.Trace
		}
		if r.Rule > 0 || r.Refusal != "" {
			record = blocked(record, r.Rule, r.Note)
			record.Sallyport.Rule.ID = "rule-" + string(rune('0'+r.Rule))
		}
		if r.Refusal != "" {
			record.Sallyport.Rule, record.Sallyport.Refusal, record.HTTP.Request.Body.Content = nil, r.Refusal, r.Content
			record.Sallyport.Operation.Actions = nil
		}
		list = append(list, record)
	}
	return list
}

// TestSearchAsPeopleType types what people type into the box, as an auditor and as a viewer.
func TestSearchAsPeopleType(t *testing.T) {
	data, address := readTyped(t), elastictest.Empty(t)
	index(t, address, data.activities(time.Now())...)
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	find := func(request *adminv1.SearchActivityRequest, token string) ([]string, error) {
		page, err := client.SearchActivity(with(t, token), request)
		found := ids(page)
		slices.Sort(found)
		return found, err
	}
	check := func(what string, request *adminv1.SearchActivityRequest, found string, viewer *string) {
		t.Helper()
		if viewer == nil {
			viewer = &found
		}
		for token, list := range map[string]string{auditorToken: found, viewerToken: *viewer} {
			want := strings.Fields(list)
			slices.Sort(want)
			got, err := find(request, token)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, viewer %t: found %q, want %q, %v", what, token == viewerToken, got, want, err)
			}
		}
	}
	for _, s := range data.Searches {
		check("typed "+s.Typed, &adminv1.SearchActivityRequest{Query: s.Typed}, s.Found, s.Viewer)
	}
	for _, f := range data.Filters {
		text, err := json.Marshal(f.Filter)
		if err != nil {
			t.Fatal(err)
		}
		request := &adminv1.SearchActivityRequest{}
		err = protojson.Unmarshal(text, request)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !f.Refused {
			check(string(text), request, f.Found, f.Viewer)
			continue
		}
		want := strings.Fields(f.Found)
		slices.Sort(want)
		got, err := find(request, auditorToken)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q, %v", text, got, want, err)
		}
		_, err = find(request, viewerToken)
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: a viewer is answered %v, want PERMISSION_DENIED", text, err)
		}
	}
}
