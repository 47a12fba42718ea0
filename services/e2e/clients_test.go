package e2e_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
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

// behaviour is what docs/clients.md says of a client, beside what all of them do.
type behaviour struct {
	// key and class are what rules see.
	key, class string
	// revision is the MCP revision that it speaks.
	revision string
	// described: it is described by a client ID metadata document, and doesn't register.
	described bool
	// byClock: it refreshes when its own clock says that the token is over. When told so by a 401 it has
	// its user sign in again.
	byClock bool
	// commanded: it doesn't open the page by itself. Its user has to give a command.
	commanded bool
	// stuck: it doesn't register again when its registration was forgotten. Its user has to remove the
	// connection and add it again.
	stuck bool
}

// trip is a client on its journey.
type trip struct {
	who     *user
	client  realClient
	want    behaviour
	signIns int32
}

var search = map[string]any{"cloudId": "acme.atlassian.net", "jql": "project = OPS"}

// journey takes a client through all that happens to it in real life.
func journey(t *testing.T, who *user, c realClient, want behaviour) {
	trip := &trip{who, c, want, 1}
	before := callsSoFar(t)
	tools, err := c.list(t)
	if err != nil || !slices.Contains(tools, "searchJiraIssuesUsingJql") {
		t.Fatalf("listing gave %q %v (pages seen: %q)", tools, err, who.pages)
	}
	trip.works(t, "signed in")
	if spoken := revisionOfCall(t, "searchJiraIssuesUsingJql", before); spoken != want.revision {
		t.Errorf("it speaks %s, want %s", spoken, want.revision)
	}
	g := grantOf(t, who.email)
	if g["client_key"] != want.key || g["client_class"] != want.class || strings.HasPrefix(g["client_id"], "https://") != want.described {
		t.Errorf("rules see %s (%s), whose client_id is %s; want %+v", g["client_key"], g["client_class"], g["client_id"], want)
	}
	text, isError, err := c.call(t, "executeDestructive", map[string]any{
		"name": "deleteJiraIssue", "cloudId": "acme.atlassian.net", "inputs": map[string]any{"issueIdOrKey": "OPS-1"},
	})
	if err != nil || !isError || !strings.Contains(text, "AI may never delete anything") {
		t.Errorf("deleting was to be blocked in words, got %v %s %v", isError, text, err)
	}
	trip.refreshes(t)
	trip.signsInAgain(t)
}

// works shows that the client works, with so many sign-ins in all.
func (j *trip) works(t *testing.T, when string) {
	t.Helper()
	text, isError, err := j.client.call(t, "searchJiraIssuesUsingJql", search)
	if err != nil || isError || !strings.Contains(text, "OPS-") {
		t.Fatalf("%s: searching gave %v %.300s %v", when, isError, text, err)
	}
	if signIns := j.who.signIns.Load(); signIns != j.signIns {
		t.Fatalf("%s: signed in %d times so far, want %d", when, signIns, j.signIns)
	}
}

// refreshes shows what happens when the access token ends, and when the client is started again.
func (j *trip) refreshes(t *testing.T) {
	t.Helper()
	if j.want.byClock {
		tokens := len(accessTokens(t, j.who.email))
		j.client.(interface{ expire(t *testing.T) }).expire(t)
		j.works(t, "after an hour by its clock")
		if now := len(accessTokens(t, j.who.email)); now != tokens+1 {
			t.Fatalf("there are %d access tokens after a refresh, want %d", now, tokens+1)
		}
		j.signIns++
	}
	endTokens(t, j.who.email)
	j.works(t, "the access token had ended")
	j.client.restart(t)
	j.works(t, "started again")
	j.client.restart(t)
	if j.want.byClock {
		j.signIns++
	}
	endTokens(t, j.who.email)
	j.works(t, "the access token had ended while it was away")
}

// signsInAgain shows what happens when the sign-in was ended at Sallyport, and when the registration was
// forgotten there.
func (j *trip) signsInAgain(t *testing.T) {
	t.Helper()
	cli(t, "people", "forget", j.who.email)
	j.loses(t)
	j.works(t, "signed out by an admin")
	if j.want.described {
		// It has no registration.
		return
	}
	forgetRegistration(t, j.who.email)
	endTokens(t, j.who.email)
	if j.want.stuck {
		_, _, err := j.client.call(t, "searchJiraIssuesUsingJql", search)
		if err == nil || !strings.Contains(err.Error(), "Remove the connection in your assistant and add it again.") {
			t.Fatalf("the sign-in of a forgotten registration was to say what to do, got %v", err)
		}
		j.signIns++
		j.client.(interface{ forget(t *testing.T) }).forget(t)
	}
	j.loses(t)
	j.works(t, "its registration was forgotten")
}

// loses expects another sign-in, which the user has to ask for where the client doesn't.
func (j *trip) loses(t *testing.T) {
	t.Helper()
	j.signIns++
	if !j.want.commanded {
		return
	}
	_, _, err := j.client.call(t, "searchJiraIssuesUsingJql", search)
	if err == nil {
		t.Fatal("it works without the command that it was to need")
	}
	j.client.(interface{ login(t *testing.T) }).login(t)
}

// tested is a client of the table in docs/clients.md.
type tested struct {
	// client and version are how the table calls it.
	client, version string
	start           func(t *testing.T, who *user) realClient
	want            behaviour
}

func testedClients(t *testing.T) map[string]tested {
	t.Helper()
	sdk := func(p program, revision string) func(t *testing.T, who *user) realClient {
		return func(t *testing.T, who *user) realClient { return newSDKClient(t, who, p, revision) }
	}
	goSDK := versionInModule(t, "github.com/modelcontextprotocol/go-sdk")
	const old, modern = "2025-11-25", "2026-07-28"
	return map[string]tested{
		"typescript 1":      {"TypeScript SDK 1", typescript1.version(t, "@modelcontextprotocol/sdk"), sdk(typescript1, ""), behaviour{key: "typescript-sdk-v1", class: "claimed", revision: old}},
		"typescript 2":      {"TypeScript SDK 2", typescript2.version(t, "@modelcontextprotocol/client"), sdk(typescript2, ""), behaviour{key: "typescript-sdk-v2", class: "claimed", revision: old}},
		"typescript 2 2026": {"TypeScript SDK 2", typescript2.version(t, "@modelcontextprotocol/client"), sdk(typescript2, modern), behaviour{key: "typescript-sdk-v2", class: "claimed", revision: modern}},
		"python 1":          {"Python SDK 1", python1.version(t, "mcp"), sdk(python1, ""), behaviour{key: "python-sdk-v1", class: "claimed", revision: old, byClock: true, stuck: true}},
		"python 2":          {"Python SDK 2", python2.version(t, "mcp"), sdk(python2, ""), behaviour{key: "python-sdk-v2", class: "claimed", revision: old, byClock: true, stuck: true}},
		"python 2 2026":     {"Python SDK 2", python2.version(t, "mcp"), sdk(python2, modern), behaviour{key: "python-sdk-v2", class: "claimed", revision: modern, byClock: true, stuck: true}},
		"go": {"Go SDK", goSDK, func(t *testing.T, who *user) realClient { return newGoClient(t, who) },
			behaviour{key: "go-sdk", class: "claimed", revision: modern, byClock: true}},
		"mcp-remote": {"mcp-remote", remote.version(t, "mcp-remote"), func(t *testing.T, who *user) realClient { return newMCPRemote(t, who, modern) },
			behaviour{key: "mcp-remote", class: "claimed", revision: modern}},
		"mcp-remote 2025": {"mcp-remote", remote.version(t, "mcp-remote"), func(t *testing.T, who *user) realClient { return newMCPRemote(t, who, old) },
			behaviour{key: "mcp-remote", class: "claimed", revision: old}},
		"inspector": {"MCP Inspector CLI", inspectorCLI.version(t, "@modelcontextprotocol/inspector"), func(t *testing.T, who *user) realClient { return newInspector(t, who, "legacy") },
			behaviour{key: "inspector", class: "claimed", revision: old}},
		"inspector 2026": {"MCP Inspector CLI", inspectorCLI.version(t, "@modelcontextprotocol/inspector"), func(t *testing.T, who *user) realClient { return newInspector(t, who, "modern") },
			behaviour{key: "inspector", class: "claimed", revision: modern}},
		"claude code": {"Claude Code", claudeCLI.version(t, "@anthropic-ai/claude-code"), func(t *testing.T, who *user) realClient { return newClaudeCode(t, who, true) },
			behaviour{key: "claude-code", class: "claimed", revision: modern, described: true, commanded: true}},
		"claude code registered": {"Claude Code", claudeCLI.version(t, "@anthropic-ai/claude-code"), func(t *testing.T, who *user) realClient { return newClaudeCode(t, who, false) },
			behaviour{key: "claude-code", class: "claimed", revision: modern, commanded: true}},
	}
}

// TestClients takes real clients through a journey: docs/clients.md tells what it shows.
func TestClients(t *testing.T) {
	var installing errgroup.Group
	for _, p := range []program{typescript1, python1, python2, remote, inspectorCLI, claudeCLI} {
		installing.Go(func() error {
			_, err := p.installed()
			return err
		})
	}
	err := installing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	applyPolicy(t, blockDeletes)
	for name, client := range testedClients(t) {
		t.Run(name, func(t *testing.T) {
			who := &user{person: newPerson("ana@acme.test")}
			journey(t, who, client.start(t, who), client.want)
		})
	}
}
