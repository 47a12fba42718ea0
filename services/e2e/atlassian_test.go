package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func newPost(ctx context.Context, token string, body []byte, headers map[string]string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, sallyport.MCPURL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	return request, nil
}

// atlassianCalls returns the stand-in's journal: every MCP request that reached it, as JSON.
func atlassianCalls(t *testing.T) []json.RawMessage {
	t.Helper()
	response, err := http.Get(sallyport.AtlassianSwitchesURL + "/calls")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var calls []json.RawMessage
	err = json.Unmarshal(body, &calls)
	if err != nil {
		var wrapped struct{ Calls []json.RawMessage }
		err = json.Unmarshal(body, &wrapped)
		calls = wrapped.Calls
	}
	if err != nil {
		t.Fatalf("reading the stand-in's journal: %v: %.300s", err, body)
	}
	return calls
}

// atlassianSaw counts the requests with a word in them that reached Atlassian.
func atlassianSaw(t *testing.T, word string) int {
	t.Helper()
	count := 0
	for _, call := range atlassianCalls(t) {
		if strings.Contains(string(call), word) {
			count++
		}
	}
	return count
}

// learnTools has the site's tools asked for at the next sign-in, rather than in five minutes.
func learnTools(t *testing.T) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: sallyport.RedisAddr})
	defer client.Close()
	err := client.Del(t.Context(), "{sallyport}:tools-asked").Err()
	if err != nil {
		t.Fatal(err)
	}
}
