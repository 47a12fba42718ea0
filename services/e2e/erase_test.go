package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestErasePerson is how a person is taken out of the records: signed out first, then replaced.
func TestErasePerson(t *testing.T) {
	applyPolicy(t, blockDeletes)
	cy := connect(t, "cy@acme.test", "Cursor")
	cy.call(t, "getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": "OPS-1", "mark": "erased"})
	waitForRecords(t, "sallyport-activity-*", map[string]any{"bool": map[string]any{"filter": []any{
		map[string]any{"term": map[string]any{"user.email": "cy@acme.test"}}, map[string]any{"term": map[string]any{"sallyport.arguments.mark": "erased"}},
	}}}, 1)
	expect(t, 2, []string{"say --yes"}, "people", "erase", "cy@acme.test")
	expect(t, 3, []string{"is still signed in"}, "people", "erase", "cy@acme.test", "--yes")
	cli(t, "people", "forget", "cy@acme.test")
	var done struct {
		Pseudonym string
		Records   int
	}
	// How far it is stands on standard error.
	out, err := cliCommand("people", "erase", "cy@acme.test", "--yes", "--json").Output()
	if err == nil {
		err = json.Unmarshal(out, &done)
	}
	if err != nil || done.Records == 0 || !strings.HasPrefix(done.Pseudonym, "erased-") {
		t.Fatalf("erased as %+v, %v", done, err)
	}
	if out := cli(t, "log", "--user", "cy@acme.test"); strings.Contains(out, "cy@acme.test") {
		t.Errorf("the log has them:\n%s", out)
	}
	if out := cli(t, "log", "--user", done.Pseudonym); !strings.Contains(out, "getJiraIssue") {
		t.Errorf("the log of the pseudonym is\n%s", out)
	}
	eventually(t, time.Minute, func() error {
		out, _ := try(t, "log", "--administrative", "--since", "5m")
		if !hasLine(out, "person.erase done") {
			return fmt.Errorf("no record of it in\n%s", out)
		}
		return nil
	})
}
