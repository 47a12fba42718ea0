package main

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// facetTitles are what records are counted by, in the order in which people read it.
var facetTitles = []struct {
	facet adminv1.Facet
	title string
	// without is what records are that have none, and acts says that acts can be counted by it.
	without string
	acts    bool
}{
	{adminv1.Facet_FACET_DECISION, "DECISION", "", false},
	{adminv1.Facet_FACET_OUTCOME, "OUTCOME", "(blocked)", true},
	{adminv1.Facet_FACET_CLIENT, "CLIENT", "(none)", false},
	{adminv1.Facet_FACET_PERSON, "PERSON", "(nobody)", true},
	{adminv1.Facet_FACET_OPERATION, "OPERATION", "(none)", true},
	{adminv1.Facet_FACET_RULE, "RULE", "(no rule)", false},
}

// count shows how many records there are, by each facet.
func (l *logCommand) count(ctx context.Context, client adminv1.ActivityServiceClient, request *adminv1.SearchActivityRequest, t *terminal) error {
	request.PageSize = 1
	for _, f := range facetTitles {
		if f.acts || !l.Administrative {
			request.Counts = append(request.Counts, f.facet)
		}
	}
	page, err := client.SearchActivity(ctx, request)
	if err != nil {
		return err
	}
	if l.JSON {
		// What was counted is the answer; the record that came along isn't.
		page.Records, page.NextPageToken = nil, ""
		return writeLine(t, page, protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true})
	}
	if page.GetTotal() == 0 {
		t.printf("%s\n", l.nothing())
		return nil
	}
	t.printf("%s%s records\n", atLeast(page.GetTotalAtLeast()), groupDigits(page.GetTotal()))
	for _, counts := range page.GetCounts() {
		t.printf("\n")
		showFacet(t, counts)
	}
	if page.GetArgumentsWithheld() && !l.Administrative {
		sayWithheld(t)
	}
	return nil
}

// showFacet shows the counts of one facet.
func showFacet(t *terminal, counts *adminv1.FacetCounts) {
	title, without := counts.GetFacet().String(), "(none)"
	for _, f := range facetTitles {
		if f.facet == counts.GetFacet() {
			title, without = f.title, f.without
		}
	}
	shown := table{columns: []column{{title: "RECORDS"}, {title: title, least: 12}}}
	for _, c := range counts.GetCounts() {
		text := c.GetValue()
		switch {
		case counts.GetFacet() == adminv1.Facet_FACET_RULE && c.GetLabel() != "":
			text = fmt.Sprintf("%s: %s", c.GetValue(), c.GetLabel())
		case c.GetLabel() != "":
			text = c.GetLabel()
		}
		shown.add(cell{text: atLeast(counts.GetAtLeast()) + groupDigits(c.GetCount())}, cell{text: text})
	}
	if counts.GetOthers() > 0 {
		shown.add(cell{text: groupDigits(counts.GetOthers())}, cell{text: "(others)", tint: faint})
	}
	if counts.GetWithout() > 0 {
		shown.add(cell{text: groupDigits(counts.GetWithout())}, cell{text: without, tint: faint})
	}
	shown.write(t)
}

func atLeast(is bool) string {
	if is {
		return "at least "
	}
	return ""
}
