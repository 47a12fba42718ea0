package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestAFirstBlockIsAlertedOnce has a person blocked twice by one rule: the command line shows one alert,
// which names the record of the first.
func TestAFirstBlockIsAlertedOnce(t *testing.T) {
	note := fmt.Sprint("alerted at ", time.Now().UnixNano())
	applyPolicy(t, "default: allow\nrules:\n  - operation: createJiraIssue\n    effect: deny\n    note: "+note+"\n")
	claude := connect(t, "bo@acme.test", "Claude Code (alert)")
	began := time.Now()
	for range 2 {
		_, isError := claude.call(t, "createJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "projectKey": "OPS", "issueTypeName": "Task", "summary": "alert"})
		if !isError {
			t.Fatal("the call wasn't blocked")
		}
	}
	records := waitForLog(t, claude, began, 2)
	var alerts []string
	eventually(t, 20*time.Second, func() error {
		alerts = nil
		for line := range strings.Lines(cli(t, "alerts", "--since", "1h", "--limit", "1000", "--json")) {
			if strings.Contains(line, note) {
				alerts = append(alerts, line)
			}
		}
		if len(alerts) == 0 {
			return fmt.Errorf("there is no alert of %q", note)
		}
		return nil
	})
	var alert struct {
		Alert, Message, Record string
		User                   struct{ Email string }
	}
	err := json.Unmarshal([]byte(alerts[0]), &alert)
	if err != nil || len(alerts) != 1 || alert.Alert != "first_block" || alert.User.Email != "bo@acme.test" || !strings.Contains(alert.Message, "was blocked for the first time by rule 1") {
		t.Errorf("got %q (%v)", alerts, err)
	}
	oldest := records[0]
	for _, r := range records {
		if r.Time.Before(oldest.Time) {
			oldest = r
		}
	}
	if alert.Record != oldest.ID {
		t.Errorf("the alert is of the record %s, want %s", alert.Record, oldest.ID)
	}
	if shown := cli(t, "status"); !strings.Contains(shown, "alerts") {
		t.Errorf("status shows %s", shown)
	}
}
