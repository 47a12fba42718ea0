package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestACallIsNotHiddenByItsArguments sends arguments that no index takes, and follows them as an admin would: the
// call is in the log, what is kept aside is listed, and a retry brings it back once.
func TestACallIsNotHiddenByItsArguments(t *testing.T) {
	applyPolicy(t, allowAll)
	claude := connect(t, "ana@acme.test", "Claude Code (rejected)")
	redis := openRedis(t)
	t.Cleanup(func() { redis.Del(context.Background(), "{sallyport}:rejected") })
	mark := fmt.Sprintf("rejected%d", time.Now().UnixNano())
	_, _, err := claude.tryCall(t.Context(), "searchJiraIssuesUsingJql", map[string]any{"cloudId": "acme.atlassian.net", "jql": "text ~ " + mark, "no\x00index": 1})
	if err != nil {
		t.Fatal(err)
	}
	var id string
	eventually(t, 30*time.Second, func() error {
		records, err := readLog("--query", mark)
		if err == nil && (len(records) != 1 || records[0].Outcome.StatusCode == 0 || len(records[0].Arguments) > 0) {
			err = fmt.Errorf("the log has %v", records)
		}
		if err == nil {
			id = records[0].ID
		}
		return err
	})
	type entry struct {
		ID       string         `json:"id"`
		RecordID string         `json:"record_id"`
		Half     string         `json:"half"`
		Reason   string         `json:"reason"`
		Document map[string]any `json:"document"`
	}
	var aside entry
	listed := func() error {
		out := strings.TrimSpace(cli(t, "log", "rejected", "--json"))
		var e entry
		err := json.Unmarshal([]byte(out), &e)
		if err != nil {
			return fmt.Errorf("listed is %q: %w", out, err)
		}
		if e.RecordID != id || e.Half != "arguments" || e.Reason == "" || e.Document["sallyport"] == nil || e.ID == aside.ID {
			return fmt.Errorf("listed is %q, want %s once, and in another place than %q", out, id, aside.ID)
		}
		aside = e
		return nil
	}
	eventually(t, 10*time.Second, listed)
	if status := cli(t, "status"); !strings.Contains(status, "1 entry is kept aside") {
		t.Errorf("the status says %s", status)
	}
	if answer := cli(t, "log", "retry", aside.ID); !strings.Contains(answer, "1 entry") {
		t.Errorf("the retry says %s", answer)
	}
	eventually(t, 10*time.Second, listed)
	records, err := readLog("--query", mark)
	if err != nil || len(records) != 1 {
		t.Errorf("the log has %v, %v", records, err)
	}
}
