package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/services/internal/activity"
)

// TestAToolsOwnErrorIsToldFromSuccess shows that the log says which calls Atlassian took and refused.
func TestAToolsOwnErrorIsToldFromSuccess(t *testing.T) {
	applyPolicy(t, allowAll)
	claude := connect(t, "ana@acme.test", "Claude Code (outcome)")
	began := time.Now()
	for key, want := range map[string]bool{"OPS-1": false, "OPS-99999": true} {
		text, isError := claude.call(t, "getJiraIssue", map[string]any{"cloudId": "acme.atlassian.net", "issueIdOrKey": key})
		if isError != want {
			t.Fatalf("%s gave %v %s", key, isError, text)
		}
	}
	for _, r := range waitForLog(t, claude, began, 2) {
		want := map[any]string{"OPS-1": "ok", "OPS-99999": "tool_error"}[r.Arguments["issueIdOrKey"]]
		if r.Outcome.Result != want || r.Outcome.StatusCode != 200 {
			t.Errorf("the call of %v reads %+v, want %s", r.Arguments, r.Outcome, want)
		}
	}
}

// TestRefusalsHaveOneRecordEach shows that what is turned away before a rule is asked is in the log too: a
// body that is too large, and one that can't be read. A body of just the size that is taken goes on.
func TestRefusalsHaveOneRecordEach(t *testing.T) {
	applyPolicy(t, allowAll)
	token := connect(t, "ana@acme.test", "Claude Code (refusals)").token(t)
	began := time.Now()
	for _, sent := range []struct {
		body    string
		refusal string
		status  int
	}{
		{strings.Repeat(" ", 2<<20), "too_large", 413},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}` + strings.Repeat(" ", 1<<20), "too_large", 413},
		{`{"jsonrpc":"2.0","id":1`, "parse_error", 400},
	} {
		response := post(t, token, []byte(sent.body), nil)
		if response.StatusCode != sent.status {
			t.Errorf("%.30s gave HTTP %d, want %d", sent.body, response.StatusCode, sent.status)
		}
		found := waitForRecords(t, activity.Actions, map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"term": map[string]any{"event.id": response.Header.Get("X-Request-Id")}},
			map[string]any{"term": map[string]any{"http.response.status_code": sent.status}},
		}}}, 1)
		r := found[0]
		if r.Sallyport.Decision != activity.Blocked || r.Sallyport.Refusal != sent.refusal || r.User.Email != "ana@acme.test" || r.Timestamp.Before(began) {
			t.Errorf("%.30s is recorded as %+v", sent.body, r.Sallyport)
		}
	}
	fits := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1"}}}`
	for _, body := range []io.Reader{
		strings.NewReader(fits + strings.Repeat(" ", 1<<20-len(fits))),
		// Of unknown length, in chunks.
		io.MultiReader(strings.NewReader(fits)),
	} {
		request, err := newPost(t.Context(), token, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Body, request.ContentLength = io.NopCloser(body), -1
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("what fits gave HTTP %d", response.StatusCode)
		}
	}
}
