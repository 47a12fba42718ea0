package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
)

// allFacets are all that calls are counted by.
var allFacets = []adminv1.Facet{
	adminv1.Facet_FACET_DECISION, adminv1.Facet_FACET_OUTCOME, adminv1.Facet_FACET_CLIENT,
	adminv1.Facet_FACET_PERSON, adminv1.Facet_FACET_OPERATION, adminv1.Facet_FACET_RULE,
}

// countsText is counts as "value=count ... (others) (without)".
func countsText(c *adminv1.FacetCounts) string {
	var list []string
	for _, v := range c.GetCounts() {
		list = append(list, fmt.Sprintf("%s=%d", v.GetValue(), v.GetCount()))
	}
	slices.Sort(list)
	return fmt.Sprintf("%s (%d) (%d)", strings.Join(list, " "), c.GetOthers(), c.GetWithout())
}

// valueOf is the value that a record is counted under.
func valueOf(r *activityv1.Record, f adminv1.Facet) string {
	return map[adminv1.Facet]string{
		adminv1.Facet_FACET_DECISION: r.GetDecision().GetEffect(), adminv1.Facet_FACET_OUTCOME: r.GetOutcome().GetResult(),
		adminv1.Facet_FACET_CLIENT: r.GetClient().GetKey(), adminv1.Facet_FACET_PERSON: r.GetUser().GetId(),
		adminv1.Facet_FACET_OPERATION: r.GetOperation().GetName(), adminv1.Facet_FACET_RULE: r.GetDecision().GetRuleId(),
	}[f]
}

// TestCounts counts the records that are found, and compares.
func TestCounts(t *testing.T) {
	data, address := readTyped(t), elastictest.Empty(t)
	index(t, address, data.activities(time.Now())...)
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	for _, request := range []*adminv1.SearchActivityRequest{{}, {Query: "jira"}, {Decision: "blocked"}, {Product: "confluence", User: "bo"}} {
		request.Counts = allFacets
		page, err := client.SearchActivity(asAdmin(t), request)
		if err != nil || len(page.GetRecords()) == 0 || len(page.GetCounts()) != len(allFacets) {
			t.Fatalf("%v: %v, %v", request, page, err)
		}
		for i, f := range allFacets {
			want, seen := &adminv1.FacetCounts{}, map[string]int64{}
			for _, r := range page.GetRecords() {
				seen[valueOf(r, f)]++
			}
			for value, n := range seen {
				if value == "" {
					want.Without = n
					continue
				}
				want.Counts = append(want.Counts, &adminv1.FacetCount{Value: value, Count: n})
			}
			got := page.GetCounts()[i]
			if got.GetFacet() != f || got.GetAtLeast() || countsText(got) != countsText(want) {
				t.Errorf("%v by %s: got %s, want %s", request, f, countsText(got), countsText(want))
			}
		}
	}
}

// TestViewersCountNothingByArguments makes sure that neither a page nor its counts tell a viewer of a word
// that is only in arguments.
func TestViewersCountNothingByArguments(t *testing.T) {
	data, address := readTyped(t), elastictest.Empty(t)
	index(t, address, data.activities(time.Now())...)
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	for _, s := range data.Searches {
		if s.Viewer == nil || *s.Viewer != "" {
			continue
		}
		request := &adminv1.SearchActivityRequest{Query: s.Typed, Counts: allFacets}
		page, err := client.SearchActivity(with(t, viewerToken), request)
		if err != nil || page.GetTotal() != 0 || len(page.GetRecords()) != 0 || len(page.GetCounts()) != len(allFacets) {
			t.Errorf("%s: a viewer got %v, %v", s.Typed, page, err)
		}
		for _, c := range page.GetCounts() {
			if len(c.GetCounts()) != 0 || c.GetOthers() != 0 || c.GetWithout() != 0 {
				t.Errorf("%s: a viewer counted %v", s.Typed, c)
			}
		}
		page, err = client.SearchActivity(with(t, auditorToken), request)
		if err != nil || (page.GetTotal() == 0) != (s.Found == "") {
			t.Errorf("%s: an auditor got %v, %v", s.Typed, page, err)
		}
	}
}

// TestCountsSayWhenTheyAreTheLeast has more people in one day than are told apart exactly.
func TestCountsSayWhenTheyAreTheLeast(t *testing.T) {
	address := elastictest.Empty(t)
	noon := time.Now().UTC().Truncate(24 * time.Hour)
	for day := range 2 {
		var records []activity.Record
		for i := range 2500 {
			r := call(fmt.Sprint(day, " ", i), noon.AddDate(0, 0, -day), "getJiraIssue")
			r.User.ID = fmt.Sprintf("712020:%d", i)
			records = append(records, r)
		}
		index(t, address, records...)
	}
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	page, err := client.SearchActivity(asAdmin(t), &adminv1.SearchActivityRequest{PageSize: 1, Counts: []adminv1.Facet{adminv1.Facet_FACET_PERSON, adminv1.Facet_FACET_DECISION}})
	if err != nil {
		t.Fatal(err)
	}
	people, decisions := page.GetCounts()[0], page.GetCounts()[1]
	if !people.GetAtLeast() || len(people.GetCounts()) != 50 || people.GetWithout() != 0 {
		t.Errorf("at least %t, %d people, %d without", people.GetAtLeast(), len(people.GetCounts()), people.GetWithout())
	}
	if got := countsText(decisions); decisions.GetAtLeast() || got != "allowed=5000 (0) (0)" || page.GetTotal() != 5000 || page.GetTotalAtLeast() {
		t.Errorf("got %s of %d", got, page.GetTotal())
	}
}

func TestCountsAreRefused(t *testing.T) {
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{}))
	for name, request := range map[string]*adminv1.SearchActivityRequest{
		"twice":         {Counts: []adminv1.Facet{adminv1.Facet_FACET_RULE, adminv1.Facet_FACET_RULE}},
		"none":          {Counts: []adminv1.Facet{0}},
		"rules of acts": {Administrative: true, Counts: []adminv1.Facet{adminv1.Facet_FACET_RULE}},
	} {
		_, err := client.SearchActivity(asAdmin(t), request)
		if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), "counts[") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
