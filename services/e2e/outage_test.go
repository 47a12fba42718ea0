package e2e_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestElasticsearchAway stops Elasticsearch in the middle of 200 calls and starts it again: every
// call is answered, and every call is in the log, once.
func TestElasticsearchAway(t *testing.T) {
	applyPolicy(t, blockDeletes)
	claude := connect(t, "ana@acme.test", "Claude Code (outage)")
	mark := fmt.Sprintf("outage%d", time.Now().UnixNano())
	const calls, workers = 200, 4
	var wg sync.WaitGroup
	answered := make(chan error, calls)
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < calls; i += workers {
				if i == calls/4 {
					kill(t, "elasticsearch")
				}
				text, isError, err := claude.tryCall(t.Context(), "searchJiraIssuesUsingJql",
					map[string]any{"cloudId": "acme.atlassian.net", "jql": fmt.Sprintf(`text ~ "%s" AND text ~ "n%d"`, mark, i)})
				if err == nil && isError {
					err = fmt.Errorf("tool error: %s", text)
				}
				answered <- err
			}
		})
	}
	wg.Wait()
	close(answered)
	for err := range answered {
		if err != nil {
			t.Errorf("a call was not answered: %v", err)
		}
	}
	seen := map[string]int{}
	eventually(t, 90*time.Second, func() error {
		clear(seen)
		records, err := readLog("--query", mark, "--limit", "1000")
		if err != nil {
			return err
		}
		for _, r := range records {
			jql, _ := r.Arguments["jql"].(string)
			seen[jql]++
			if r.Outcome.StatusCode != 200 {
				return fmt.Errorf("the record of %s has no outcome", jql)
			}
		}
		if len(seen) != calls {
			return fmt.Errorf("%d of %d calls are in the log", len(seen), calls)
		}
		return nil
	})
	for jql, times := range seen {
		if times != 1 {
			t.Errorf("%s is in the log %d times", jql, times)
		}
	}
}

// TestAuthzKilled shows that nothing passes while nobody decides, that the assistant is told so in
// words, and that calls pass again within a second of authz's return.
func TestAuthzKilled(t *testing.T) {
	applyPolicy(t, allowAll)
	token := connect(t, "bo@acme.test", "Claude").token(t)
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1","mark":"nobody-decides"}}}`
	before := atlassianSaw(t, "nobody-decides")
	kill(t, "authz")
	refused := 0
	deadline := time.Now().Add(10 * time.Second)
	for {
		response := post(t, token, []byte(body), nil)
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != 503 {
			break
		}
		refused++
		if !strings.Contains(string(text), `"jsonrpc"`) || !strings.Contains(string(text), "Sallyport can't decide") {
			t.Fatalf("refused without words: %s", text)
		}
		if got := atlassianSaw(t, "nobody-decides"); got != before {
			t.Fatal("a call passed while authz was dead")
		}
		if time.Now().After(deadline) {
			t.Fatal("authz didn't return within ten seconds")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if refused == 0 {
		t.Error("no call was refused: authz wasn't gone long enough to show anything")
	}
}
