package e2e_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// user is a person whose clients are other people's programs.
type user struct {
	*person
	// signIns counts how often a client had them sign in; refused is why the last time didn't go on.
	signIns atomic.Int32
	refused atomic.Pointer[error]
}

// signIn has the user go through the pages that a client opens, to where it wants the answer.
func (u *user) signIn(ctx context.Context, page string) (*url.URL, error) {
	u.signIns.Add(1)
	asked, err := url.Parse(page)
	if err != nil {
		return nil, err
	}
	end, err := u.person.signIn(ctx, page, asked.Query().Get("redirect_uri"))
	u.refused.Store(&err)
	return end, err
}

// toolNames are a result of tools/list.
type toolNames struct {
	Tools      []struct{ Name string }
	NextCursor string
}

func (r toolNames) names() []string {
	names := []string{}
	for _, tool := range r.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// toolResult is a result of tools/call.
type toolResult struct {
	Content []struct{ Text string }
	IsError bool
}

func (r toolResult) text() string {
	text := ""
	for _, part := range r.Content {
		text += part.Text
	}
	return text
}

// realClient is a client that somebody else wrote.
type realClient interface {
	list(t *testing.T) ([]string, error)
	call(t *testing.T, tool string, arguments map[string]any) (text string, isError bool, err error)
	// restart ends its process; it goes on with what it kept on disk.
	restart(t *testing.T)
}

// behaviour is what docs/clients.md says of a client.
type behaviour struct {
	// key and class are what rules see.
	key, class string
	// revision is the MCP revision that it speaks.
	revision string
	// byClock: it refreshes when its own clock says that the token is over. When told so by a 401 it has
	// its user sign in again.
	byClock bool
	// stuck: it doesn't register again when its registration was forgotten.
	stuck bool
}

// journey takes a client through all that happens to it in real life.
func journey(t *testing.T, who *user, c realClient, want behaviour) {
	applyPolicy(t, blockDeletes)
	before := callsSoFar(t)
	step := func(what string, signIns int32) {
		t.Helper()
		text, isError, err := c.call(t, "searchJiraIssuesUsingJql", map[string]any{"cloudId": "acme.atlassian.net", "jql": "project = OPS"})
		if err != nil || isError || !strings.Contains(text, "OPS-") {
			t.Fatalf("%s: searching gave %v %.300s %v", what, isError, text, err)
		}
		if who.signIns.Load() != signIns {
			t.Fatalf("%s: signed in %d times so far, want %d", what, who.signIns.Load(), signIns)
		}
	}
	tools, err := c.list(t)
	if err != nil || !slices.Contains(tools, "searchJiraIssuesUsingJql") {
		t.Fatalf("listing gave %q %v (pages seen: %q)", tools, err, who.pages)
	}
	step("signed in", 1)
	if spoken := revisionOfCall(t, "searchJiraIssuesUsingJql", before); spoken != want.revision {
		t.Errorf("it speaks %s, want %s", spoken, want.revision)
	}
	g := grantOf(t, who.email)
	if g["client_key"] != want.key || g["client_class"] != want.class {
		t.Errorf("rules see %s (%s), want %s (%s)", g["client_key"], g["client_class"], want.key, want.class)
	}
	text, isError, err := c.call(t, "executeDestructive", map[string]any{
		"name": "deleteJiraIssue", "cloudId": "acme.atlassian.net", "inputs": map[string]any{"issueIdOrKey": "OPS-1"},
	})
	if err != nil || !isError || !strings.Contains(text, "AI may never delete anything") {
		t.Errorf("deleting was to be blocked in words, got %v %s %v", isError, text, err)
	}

	signIns := int32(1)
	tokens := len(accessTokens(t, who.email))
	if clock, ok := c.(interface{ expire(t *testing.T) }); ok && want.byClock {
		clock.expire(t)
		step("after an hour by its clock", signIns)
		if now := len(accessTokens(t, who.email)); now != tokens+1 {
			t.Fatalf("there are %d access tokens after a refresh, want %d", now, tokens+1)
		}
		signIns++
	}
	endTokens(t, who.email)
	step("the access token had ended", signIns)
	c.restart(t)
	step("started again", signIns)

	cli(t, "people", "forget", who.email)
	signIns++
	recover(t, c)
	step("signed out by an admin", signIns)

	forgetRegistration(t, who.email)
	endTokens(t, who.email)
	signIns++
	recover(t, c)
	step("its registration was forgotten", signIns)
}

func recover(t *testing.T, c realClient) {
	_, _, err := c.call(t, "searchJiraIssuesUsingJql", map[string]any{"cloudId": "acme.atlassian.net", "jql": "project = OPS"})
	if err != nil {
		t.Logf("recover: %v", err)
		c.restart(t)
	}
}

// TestClients takes real clients through a journey: docs/clients.md tells what it shows.
func TestClients(t *testing.T) {
	sdk := func(p program, revision string) func(t *testing.T, who *user) realClient {
		return func(t *testing.T, who *user) realClient { return newSDKClient(t, who, p, revision) }
	}
	typescript1, typescript2 := nodeProgram("typescript", "client.mjs", "v1"), nodeProgram("typescript", "client.mjs", "v2")
	python1, python2 := pythonProgram("python", "requirements-1.txt", "client.py"), pythonProgram("python", "requirements-2.txt", "client.py")
	for name, test := range map[string]struct {
		start func(t *testing.T, who *user) realClient
		want  behaviour
	}{
		"typescript 1":      {sdk(typescript1, ""), behaviour{key: "typescript-sdk-v1", class: "claimed", revision: "2025-11-25"}},
		"typescript 2":      {sdk(typescript2, ""), behaviour{key: "typescript-sdk-v2", class: "claimed", revision: "2025-11-25"}},
		"typescript 2 2026": {sdk(typescript2, "2026-07-28"), behaviour{key: "typescript-sdk-v2", class: "claimed", revision: "2026-07-28"}},
		"python 1":          {sdk(python1, ""), behaviour{key: "python-sdk-v1", class: "claimed", revision: "2025-11-25", byClock: true}},
		"python 2":          {sdk(python2, ""), behaviour{key: "python-sdk-v2", class: "claimed", revision: "2025-11-25", byClock: true}},
		"python 2 2026":     {sdk(python2, "2026-07-28"), behaviour{key: "python-sdk-v2", class: "claimed", revision: "2026-07-28", byClock: true}},
		"go":                {func(t *testing.T, who *user) realClient { return newGoClient(t, who) }, behaviour{key: "go-sdk", class: "claimed", revision: "2026-07-28", byClock: true}},
		"mcp-remote":        {func(t *testing.T, who *user) realClient { return newMCPRemote(t, who) }, behaviour{key: "mcp-cli-proxy", class: "claimed", revision: "2025-11-25"}},
		"inspector":         {func(t *testing.T, who *user) realClient { return newInspector(t, who, "legacy") }, behaviour{key: "mcp-inspector", class: "claimed", revision: "2025-11-25"}},
		"inspector 2026":    {func(t *testing.T, who *user) realClient { return newInspector(t, who, "modern") }, behaviour{key: "mcp-inspector", class: "claimed", revision: "2026-07-28"}},
		"claude code":       {func(t *testing.T, who *user) realClient { return newClaudeCode(t, who) }, behaviour{key: "claude-code", class: "claimed", revision: "2026-07-28"}},
	} {
		t.Run(name, func(t *testing.T) {
			who := &user{person: newPerson("ana@acme.test")}
			journey(t, who, test.start(t, who), test.want)
		})
	}
}
