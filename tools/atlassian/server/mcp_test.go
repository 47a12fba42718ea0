package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/site"
)

// signsIn is the SDK's own OAuth client, whose person uses a browser.
func signsIn(t *testing.T, email string) auth.OAuthHandler {
	t.Helper()
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "SDK", RedirectURIs: []string{callback}, TokenEndpointAuthMethod: "none",
		}},
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			q := newBrowser(t).signIn(args.URL, email)
			return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// hasToken lets a client come with a token that it has already.
type hasToken string

func (h hasToken) TokenSource(context.Context) (oauth2.TokenSource, error) {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: string(h)}), nil
}

func (hasToken) Authorize(context.Context, *http.Request, *http.Response) error {
	return http.ErrNotSupported
}

func connect(t *testing.T, endpoint, version string, handler auth.OAuthHandler) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: endpoint, OAuthHandler: handler}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// call calls a tool and reads the JSON text of its answer.
func call(t *testing.T, s *mcp.ClientSession, tool string, args map[string]any) (map[string]any, bool) {
	t.Helper()
	result, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	var found map[string]any
	text := result.Content[0].(*mcp.TextContent).Text
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatalf("%s answered %q: %v", tool, text, err)
	}
	return found, result.IsError
}

func TestBothErasSignInAndWork(t *testing.T) {
	for _, version := range []string{"2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"} {
		for _, form := range []string{"sse", "json"} {
			t.Run(version+" "+form, func(t *testing.T) {
				s := start(t)
				flip(t, s, map[string]any{"answers": form})
				session := connect(t, s.URL+oauth.V2, version, signsIn(t, "ana@acme.test"))
				got := session.InitializeResult()
				if got.ProtocolVersion != version || got.ServerInfo.Name != "atlassian-mcp-server" || got.ServerInfo.Version != "1.0.0" {
					t.Errorf("%+v, want version %s of atlassian-mcp-server 1.0.0", got, version)
				}
				if me, isError := call(t, session, "atlassianUserInfo", nil); isError || me["email"] != "ana@acme.test" {
					t.Errorf("atlassianUserInfo: %v", me)
				}
				found, isError := call(t, session, "searchJiraIssuesUsingJql", map[string]any{"cloudId": site.Host, "jql": "project = HR"})
				if isError || len(found["issues"].([]any)) != 5 {
					t.Errorf("search: %v", found)
				}
			})
		}
	}
}

func names(t *testing.T, s *mcp.ClientSession) []string {
	t.Helper()
	var all []string
	for tool, err := range s.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tool.Name)
	}
	return all
}

func TestListings(t *testing.T) {
	s := start(t)
	_, token := signedIn(t, s, "bo@acme.test")
	meta := []string{"discover", "execute", "executeRead", "executeWrite", "executeDestructive"}
	few := names(t, connect(t, s.URL+oauth.V2, "", hasToken(token.Access)))
	flat := connect(t, s.URL+oauth.V2+"?tools=all", "", hasToken(token.Access))
	all := names(t, flat)
	for _, name := range append(meta, "searchJiraIssuesUsingJql") {
		if !slices.Contains(few, name) || !slices.Contains(all, name) {
			t.Errorf("%s isn't in both lists", name)
		}
	}
	if slices.Contains(few, "deleteJiraIssue") || !slices.Contains(all, "deleteJiraIssue") {
		t.Error("deleteJiraIssue must be in the flat list only")
	}
	page, err := flat.ListTools(t.Context(), nil)
	if err != nil || page.NextCursor == "" || len(page.Tools) >= len(all) {
		t.Errorf("the flat list isn't paginated: %v", err)
	}
	if _, err := flat.CallTool(t.Context(), &mcp.CallToolParams{Name: "getConfluencePage"}); err == nil {
		t.Error("a v1 name can be called on v2")
	}
}

func TestExecuteFamily(t *testing.T) {
	s := start(t)
	_, token := signedIn(t, s, "bo@acme.test")
	session := connect(t, s.URL+oauth.V2, "", hasToken(token.Access))
	inner := func(name string) map[string]any {
		return map[string]any{"name": name, "cloudId": site.CloudID, "inputs": map[string]any{
			"issueIdOrKey": "OPS-7", "commentBody": "Hello", "cloudId": "ignored", "nonsense": true,
		}}
	}
	for _, c := range []struct{ tool, operation, says string }{
		{"executeRead", "deleteJiraIssue", "Run it with executeDestructive"},
		{"executeWrite", "deleteJiraIssue", "Run it with executeDestructive"},
		{"executeRead", "addOrEditJiraIssueComment", "Run it with executeWrite"},
		{"execute", "createIssueLink", "Run discover"},
		{"execute", "execute", "Run discover"},
		{"execute", "searchCode", "missing required parameter: query"},
		{"execute", "listLoomVideos", "The app is not installed on this instance"},
	} {
		found, isError := call(t, session, c.tool, inner(c.operation))
		if message, _ := found["message"].(string); !isError || !strings.Contains(message, c.says) {
			t.Errorf("%s of %s: %v, want %q", c.tool, c.operation, found, c.says)
		}
	}
	if _, isError := call(t, session, "executeWrite", inner("addOrEditJiraIssueComment")); isError {
		t.Error("executeWrite can't comment")
	}
	if found, isError := call(t, session, "execute", inner("deleteJiraIssue")); isError {
		t.Errorf("execute can't delete: %v", found)
	}
	if _, isError := call(t, session, "getJiraIssue", map[string]any{"cloudId": "https://acme.atlassian.net/", "issueIdOrKey": "OPS-7"}); !isError {
		t.Error("OPS-7 is still there")
	}
	if found, isError := call(t, session, "getJiraIssue", map[string]any{"cloudId": "other.atlassian.net", "issueIdOrKey": "OPS-1"}); !isError {
		t.Errorf("another site's issue: %v", found)
	}
	if found, _ := call(t, session, "discover", map[string]any{"query": "delete"}); len(found["operations"].([]any)) < 2 {
		t.Errorf("discover: %v", found)
	}
}

func TestPeopleActAsThemselves(t *testing.T) {
	s := start(t)
	_, cyToken := signedIn(t, s, "cy@acme.test")
	session := connect(t, s.URL+oauth.V2+"?tools=all", "", hasToken(cyToken.Access))
	created, _ := call(t, session, "createJiraIssue", map[string]any{
		"cloudId": site.CloudID, "projectKey": "WEB", "issueType": "Bug", "summary": "Broken zebra", "additional_fields": map[string]any{"labels": []string{"zoo"}},
	})
	found, _ := call(t, session, "searchJiraIssuesUsingJql", map[string]any{
		"cloudId": site.CloudID, "jql": "summary ~ zebra AND reporter = currentUser() AND labels = zoo", "fields": []string{"reporter"},
	})
	issues := found["issues"].([]any)
	if len(issues) != 1 || issues[0].(map[string]any)["key"] != created["key"] {
		t.Errorf("created %v, found %v", created, found)
	}
	page, _ := call(t, session, "createConfluenceContent", map[string]any{"cloudId": site.CloudID, "space": "ENG", "title": "Zebra care", "body": "Feed it."})
	if found, _ := call(t, session, "searchConfluence", map[string]any{"cloudId": site.CloudID, "cql": "text ~ zebra and creator = currentUser()"}); len(found["results"].([]any)) != 1 {
		t.Errorf("created %v, found %v", page["id"], found)
	}
}

func TestV1Names(t *testing.T) {
	s := start(t)
	session := connect(t, s.URL+oauth.V1Auth, "", signsIn(t, "ana@acme.test"))
	if page, isError := call(t, session, "getConfluencePage", map[string]any{"cloudId": site.CloudID, "pageId": "65603"}); isError || page["title"] != "Restore a backup" {
		t.Errorf("getConfluencePage: %v", page)
	}
	if found, isError := call(t, session, "getConfluencePage", map[string]any{"cloudId": site.CloudID, "content_id": "65603"}); !isError {
		t.Errorf("v1 takes v2's argument: %v", found)
	}
	created, isError := call(t, session, "createJiraIssue", map[string]any{"cloudId": site.CloudID, "projectKey": "OPS", "issueTypeName": "Task", "summary": "From v1"})
	if isError || created["key"] != "OPS-11" {
		t.Errorf("createJiraIssue: %v", created)
	}
	if tools := names(t, session); slices.Contains(tools, "execute") || !slices.Contains(tools, "getVisibleJiraProjects") {
		t.Errorf("v1 tools: %v", tools)
	}
}

func TestChallenges(t *testing.T) {
	s := start(t)
	_, token := signedIn(t, s, "ana@acme.test")
	for path, tail := range map[string]string{oauth.V2: "", oauth.V1Auth: `, error="invalid_token"`} {
		a := send(t, http.MethodPost, s.URL+path, map[string]any{})
		want := `Bearer resource_metadata="` + s.URL + "/.well-known/oauth-protected-resource" + path + `"` + tail
		if got := a.Header.Get("WWW-Authenticate"); a.Status != http.StatusUnauthorized || got != want {
			t.Errorf("%s: %d %s, want 401 %s", path, a.Status, got, want)
		}
	}
	if a := send(t, http.MethodPost, s.URL+oauth.V1Auth, map[string]any{}, "Authorization", "Bearer "+token.Access); a.Status != http.StatusUnauthorized {
		t.Errorf("v1 answers %d to a token for v2, want 401", a.Status)
	}
}
