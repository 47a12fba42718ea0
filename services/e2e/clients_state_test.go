package e2e_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/state"
)

func openRedis(t *testing.T) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: sallyport.RedisAddr})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// grantOf returns the fields of a person's newest grant.
func grantOf(t *testing.T, email string) map[string]string {
	t.Helper()
	client := openRedis(t)
	newest := map[string]string{}
	for _, key := range keys(t, client, "grant:*") {
		fields, err := client.HGetAll(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		// Times of RFC 3339 in UTC.
		if fields["email"] == email && fields["created_at"] > newest["created_at"] {
			newest = fields
		}
	}
	return newest
}

// accessTokens returns the keys of the live access tokens of a person's newest grant.
func accessTokens(t *testing.T, email string) []string {
	t.Helper()
	client := openRedis(t)
	id := grantOf(t, email)["id"]
	found := []string{}
	for _, key := range keys(t, client, "session:*") {
		grant, err := client.Get(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if grant == id {
			found = append(found, key)
		}
	}
	return found
}

// endTokens ends a grant's access tokens, as if an hour had passed at Sallyport.
func endTokens(t *testing.T, email string) {
	t.Helper()
	tokens := accessTokens(t, email)
	if len(tokens) == 0 {
		t.Fatalf("%s has no access token that could end", email)
	}
	err := openRedis(t).Del(t.Context(), tokens...).Err()
	if err != nil {
		t.Fatal(err)
	}
}

// forgetRegistration removes the registration of the client of a person's newest grant.
func forgetRegistration(t *testing.T, email string) {
	t.Helper()
	removed, err := openRedis(t).Del(t.Context(), "{sallyport}:registration:"+grantOf(t, email)["client_id"]).Result()
	if err != nil || removed != 1 {
		t.Fatalf("removed %d registrations: %v", removed, err)
	}
}

func keys(t *testing.T, client *redis.Client, pattern string) []string {
	t.Helper()
	found, err := client.Keys(t.Context(), "{sallyport}:"+pattern).Result()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// knowClaude leaves Sallyport as it is after it fetched the document that describes Claude Code, or as it is
// after it couldn't reach claude.ai: the tests need no internet.
func knowClaude(t *testing.T, described bool) {
	t.Helper()
	store := state.Open(sallyport.RedisAddr)
	defer store.Close()
	if !described {
		err := store.PauseDocuments(t.Context(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	err := openRedis(t).Del(t.Context(), "{sallyport}:documents-pause").Err()
	const id = "https://claude.ai/oauth/claude-code-client-metadata"
	err = errors.Join(err, store.SaveDescribed(t.Context(), id, state.Described{Registration: state.Registration{
		ID: id, Key: "claude-code", Name: "Claude Code", Class: "claimed", RegisteredName: "Claude Code",
		RedirectURIs: []string{"http://localhost/callback", "http://127.0.0.1/callback"}, CreatedAt: time.Now(),
	}}, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
}

// versionInModule is the version of a module that the go.mod here requires.
func versionInModule(t *testing.T, module string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), module+" v")
	if !found {
		t.Fatalf("go.mod doesn't require %s", module)
	}
	return strings.Fields(after)[0]
}

func callsSoFar(t *testing.T) int { return len(atlassianCalls(t)) }

// revisionOfCall returns the revision in the first call of a tool that reached Atlassian after so many
// calls.
func revisionOfCall(t *testing.T, tool string, before int) string {
	t.Helper()
	for _, call := range atlassianCalls(t)[before:] {
		var read struct {
			Tool    string
			Headers map[string][]string
		}
		err := json.Unmarshal(call, &read)
		if err != nil {
			t.Fatal(err)
		}
		if read.Tool == tool && len(read.Headers["Mcp-Protocol-Version"]) == 1 {
			return read.Headers["Mcp-Protocol-Version"][0]
		}
	}
	return ""
}
