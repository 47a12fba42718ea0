package admin_test

import (
	"strings"
	"testing"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
)

// TestArgumentsAreWithheldFromViewers searches a log as each role: a viewer neither gets arguments nor finds
// anything by them, and is told so.
func TestArgumentsAreWithheldFromViewers(t *testing.T) {
	address := elastictest.Empty(t)
	page := call("page", time.Now(), "createConfluencePage")
	page.Sallyport.Arguments = []byte(`{"title":"Zebra crossing","nested":{"secret":"okapi"}}`)
	page.Sallyport.ArgumentsText = string(page.Sallyport.Arguments)
	unreadable := blocked(call("unreadable", time.Now().Add(-time.Second), "tools/call"), 0, "")
	unreadable.Sallyport.Rule, unreadable.Sallyport.Refusal = nil, "duplicate_member"
	unreadable.HTTP.Request.Body.Content = `{"name":"a","name":"tapir"}`
	index(t, address, page, unreadable)
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	for _, test := range []struct {
		request *adminv1.SearchActivityRequest
		// viewers and others are the records that they get.
		viewers, others string
	}{
		{&adminv1.SearchActivityRequest{}, "page unreadable", "page unreadable"},
		{&adminv1.SearchActivityRequest{Query: "createConfluence"}, "page", "page"},
		{&adminv1.SearchActivityRequest{Query: "ana"}, "page unreadable", "page unreadable"},
		{&adminv1.SearchActivityRequest{Query: "zebra"}, "", "page"},
		{&adminv1.SearchActivityRequest{Query: "okap"}, "", "page"},
		{&adminv1.SearchActivityRequest{Query: "ana zebra"}, "", "page"},
		{&adminv1.SearchActivityRequest{Query: "tapir"}, "", "unreadable"},
		{&adminv1.SearchActivityRequest{Operation: "*okapi*"}, "", ""},
		{&adminv1.SearchActivityRequest{User: "okapi"}, "", ""},
	} {
		for _, as := range roleTokens {
			want := test.others
			if as.role == "viewer" {
				want = test.viewers
			}
			got, err := client.SearchActivity(with(t, as.token), test.request)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Join(ids(got), " ") != want || got.GetTotal() != int64(len(strings.Fields(want))) {
				t.Errorf("%v as %s: %q, %d in all, want %q", test.request, as.role, ids(got), got.GetTotal(), want)
			}
			withheld := as.role == "viewer"
			if got.GetArgumentsWithheld() != withheld {
				t.Errorf("%v as %s: arguments_withheld is %v", test.request, as.role, got.GetArgumentsWithheld())
			}
			for _, r := range got.GetRecords() {
				has := r.GetArguments() != nil
				if r.GetArgumentsWithheld() != withheld || has != (!withheld && r.GetId() == "page") {
					t.Errorf("%v as %s: %v", test.request, as.role, r)
				}
				if text := r.String(); withheld && (strings.Contains(text, "okapi") || strings.Contains(text, "tapir")) {
					t.Errorf("a viewer sees %v", r)
				}
			}
		}
	}
}

// TestTheTemplateTakesActs makes sure that a whole act is in the strict mapping.
func TestTheTemplateTakesActs(t *testing.T) {
	index(t, elastictest.Empty(t), activity.Record{
		Timestamp: time.Now(),
		Event:     activity.Event{ID: "act", Kind: "event", Category: []string{"iam"}, Type: []string{"change"}, Action: "roles.save", Outcome: "failure", Duration: 1},
		User:      &activity.User{ID: "712020:ana", Name: "Ana Acme", Email: "ana@acme.test", Roles: []string{"admin"}},
		Source:    &activity.Source{IP: "2001:db8::7"}, UserAgent: &activity.UserAgent{Original: "grpc-go"},
		Error: &activity.Error{Code: "Aborted", Message: "Somebody else was first."},
		Sallyport: activity.Sallyport{Act: &activity.Act{
			Caller: "person", Targets: []string{strings.Repeat("x", 40_000)}, Reason: strings.Repeat("y", 40_000), Details: map[string]string{"bindings": strings.Repeat("z", 40_000)},
		}},
	})
}
