package server_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/rest"
	"sallyport/tools/atlassian/server"
	"sallyport/tools/atlassian/site"
)

func TestTokenSwitches(t *testing.T) {
	s := start(t)
	r, token := signedIn(t, s, "ana@acme.test")
	flip(t, s, map[string]any{"expire_tokens": true})
	if status(t, s, token.Access) != http.StatusUnauthorized {
		t.Error("an expired token works")
	}
	token = r.refresh(token.Refresh)
	if status(t, s, token.Access) != http.StatusOK {
		t.Error("a refreshed token doesn't work")
	}
	flip(t, s, map[string]any{"revoke_refresh": true})
	if got := r.refresh(token.Refresh); got.Error != "invalid_grant" {
		t.Errorf("a revoked refresh token: %+v", got)
	}
}

func TestSlowAndFail(t *testing.T) {
	s := start(t)
	_, token := signedIn(t, s, "ana@acme.test")
	flip(t, s, map[string]any{"fail": map[string]any{"status": 503, "calls": 2}, "slow": 50})
	began := time.Now()
	if got := []int{status(t, s, token.Access), status(t, s, token.Access), status(t, s, token.Access)}; got[0] != 503 || got[1] != 503 || got[2] != 200 {
		t.Errorf("answers %v, want 503 twice", got)
	}
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("three slow answers took %s", took)
	}
	if a := send(t, http.MethodPost, s.SwitchesURL+"/reset", nil); a.Status != http.StatusOK || !strings.Contains(string(a.Body), `"slow":0`) {
		t.Errorf("reset: %d %s", a.Status, a.Body)
	}
}

func TestSwitchesRefuse(t *testing.T) {
	s := start(t)
	for body, says := range map[string]string{`{"slo":1}`: "there is no switch", `{"slow":"x"}`: "switch slow", `{"answers":"xml"}`: "answers is", `{"expire_tokens":1}`: "set it to true"} {
		res, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.SwitchesURL+"/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answered, err := http.DefaultClient.Do(res)
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 400)
		n, _ := answered.Body.Read(text)
		answered.Body.Close()
		if answered.StatusCode != http.StatusBadRequest || !strings.Contains(string(text[:n]), says) {
			t.Errorf("%s: %d %s, want %q", body, answered.StatusCode, text[:n], says)
		}
	}
	if a := send(t, http.MethodPut, s.SwitchesURL+"/slow", 7); a.Status != http.StatusOK || !strings.Contains(string(a.Body), `"slow":7`) {
		t.Errorf("PUT /slow: %d %s", a.Status, a.Body)
	}
}

type journal struct {
	Last  int
	Calls []struct {
		Number                      int
		Method, Tool, Inner, Person string
		Authorization               string `json:"authorization_sha256"`
		Headers                     map[string][]string
		Bytes                       int `json:"body_bytes"`
		Body                        string
		Status                      int
	}
}

func calls(t *testing.T, s *server.Server, since string) journal {
	t.Helper()
	var j journal
	send(t, http.MethodGet, s.SwitchesURL+"/calls?since="+since, nil).decode(t, &j)
	return j
}

func TestJournal(t *testing.T) {
	s := start(t)
	_, token := signedIn(t, s, "bo@acme.test")
	send(t, http.MethodPost, s.URL+oauth.V2, map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "tools/call",
		"params": map[string]any{"name": "executeRead", "arguments": map[string]any{"name": "listJiraProjects", "cloudId": site.CloudID}},
	}, "Authorization", "Bearer "+token.Access, "Accept", "application/json, text/event-stream", "X-Test", "yes", "Cookie", "secret=1")
	send(t, http.MethodPost, s.URL+oauth.V2, strings.Repeat("x", 8000))
	j := calls(t, s, "0")
	if len(j.Calls) != 2 || j.Last != 2 {
		t.Fatalf("journal %+v, want two calls", j)
	}
	c := j.Calls[0]
	if c.Method != "tools/call" || c.Tool != "executeRead" || c.Inner != "listJiraProjects" || c.Person != "bo@acme.test" || len(c.Authorization) != 64 {
		t.Errorf("first call %+v", c)
	}
	if c.Headers["X-Test"][0] != "yes" || c.Headers["Authorization"] != nil || c.Headers["Cookie"] != nil || strings.Contains(c.Body, token.Access) {
		t.Errorf("headers %v; want X-Test, and no Authorization and Cookie", c.Headers)
	}
	if c := j.Calls[1]; c.Status != http.StatusUnauthorized || c.Person != "" || c.Bytes != 8002 || len(c.Body) > 5000 {
		t.Errorf("second call: status %d, %d bytes, %d kept", c.Status, c.Bytes, len(c.Body))
	}
	if j := calls(t, s, "1"); len(j.Calls) != 1 {
		t.Errorf("since 1: %d calls, want one", len(j.Calls))
	}
	send(t, http.MethodDelete, s.SwitchesURL+"/calls", nil)
	if j := calls(t, s, "0"); len(j.Calls) != 0 || j.Last != 2 {
		t.Errorf("after DELETE: %+v", j)
	}
}

func groupNames(t *testing.T, a answer) []string {
	t.Helper()
	var groups []struct{ Name string }
	a.decode(t, &groups)
	names := []string{}
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return names
}

func TestPeopleAreAddedAndTheirRefreshesCounted(t *testing.T) {
	s := start(t)
	for range 2 {
		if a := send(t, http.MethodPut, s.SwitchesURL+"/people/di@acme.test", map[string]string{"name": "Di Dorn"}); a.Status != http.StatusOK {
			t.Fatalf("adding a person: %d %s", a.Status, a.Body)
		}
	}
	r, token := signedIn(t, s, "di@acme.test")
	next := r.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.Refresh}})
	send(t, http.MethodPut, s.SwitchesURL+"/lose_refresh", 1)
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {r.id}, "refresh_token": {next.Refresh}}
	if answer, err := http.PostForm(s.URL+"/oauth/token", form); err == nil {
		t.Errorf("the answer that is lost: %s", answer.Status)
		answer.Body.Close()
	}
	if again := r.token(form); again.Error != "invalid_grant" {
		t.Errorf("the token whose answer was lost works again: %+v", again)
	}
	var people struct {
		People []struct {
			Email     string
			Refreshes int
		}
	}
	send(t, http.MethodGet, s.SwitchesURL+"/people", nil).decode(t, &people)
	if last := people.People[len(people.People)-1]; last.Email != "di@acme.test" || last.Refreshes != 3 || len(people.People) != 4 {
		t.Errorf("people are %+v", people.People)
	}
}

func TestSites(t *testing.T) {
	s := start(t)
	if a := send(t, http.MethodPut, s.SwitchesURL+"/people/ana@acme.test/sites", []string{"other.atlassian.net", site.Host}); a.Status != http.StatusOK {
		t.Fatalf("setting sites: %d %s", a.Status, a.Body)
	}
	listed := func(scope string) string {
		r := register(t, s)
		r.asks.Set("scope", scope)
		token := r.redeem(newBrowser(t).signIn(r.authorizeURL(), "ana@acme.test").Get("code"))
		var resources []struct{ ID, URL string }
		send(t, http.MethodGet, s.URL+"/oauth/token/accessible-resources", nil, "Authorization", "Bearer "+token.Access).decode(t, &resources)
		var urls []string
		for _, r := range resources {
			if (r.ID == site.CloudID) != (r.URL == site.URL) || len(r.ID) != len(site.CloudID) {
				t.Errorf("%s has the cloud id %s", r.URL, r.ID)
			}
			urls = append(urls, r.URL)
		}
		return strings.Join(urls, " ")
	}
	if got := listed("read:me read:jira:agent-interface"); got != "https://other.atlassian.net https://acme.atlassian.net" {
		t.Errorf("the sites are %q", got)
	}
	if got := listed("read:me read:account"); got != "" {
		t.Errorf("a token that is about the person alone lists %q", got)
	}
}

func TestGroups(t *testing.T) {
	s := start(t)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(rest.ServiceEmail+":"+rest.APIToken))
	var people struct {
		People []struct {
			Email string
			ID    string `json:"account_id"`
		}
	}
	send(t, http.MethodGet, s.SwitchesURL+"/people", nil).decode(t, &people)
	ana := url.QueryEscape(people.People[0].ID)
	classic := s.URL + "/rest/api/3/user/groups?accountId=" + ana
	scoped := s.URL + "/ex/jira/" + site.CloudID + "/rest/api/3/user/groups?accountId=" + ana

	if got := groupNames(t, send(t, http.MethodGet, classic, nil, "Authorization", basic)); strings.Join(got, " ") != "developers" {
		t.Errorf("ana's groups: %v", got)
	}
	if a := send(t, http.MethodPut, s.SwitchesURL+"/people/ana@acme.test/groups", []string{"contractors", "site-admins"}); a.Status != http.StatusOK {
		t.Fatalf("setting groups: %d %s", a.Status, a.Body)
	}
	if got := groupNames(t, send(t, http.MethodGet, scoped, nil, "Authorization", "Bearer "+rest.ScopedToken)); strings.Join(got, " ") != "contractors site-admins" {
		t.Errorf("ana's new groups: %v", got)
	}
	_, token := signedIn(t, s, "ana@acme.test")
	for name, a := range map[string]answer{
		"nobody":           send(t, http.MethodGet, classic, nil),
		"a person's token": send(t, http.MethodGet, scoped, nil, "Authorization", "Bearer "+token.Access),
	} {
		if a.Status != http.StatusUnauthorized {
			t.Errorf("%s gets %d, want 401", name, a.Status)
		}
	}
	flip(t, s, map[string]any{"lose_groups": 429})
	if a := send(t, http.MethodGet, classic, nil, "Authorization", basic); a.Status != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("lost groups: %d %v", a.Status, a.Header)
	}
	flip(t, s, map[string]any{"lose_groups": 401})
	if a := send(t, http.MethodGet, classic, nil, "Authorization", basic); a.Status != http.StatusUnauthorized {
		t.Errorf("a credential that has expired: %d", a.Status)
	}
}

func TestGroupDirectory(t *testing.T) {
	s := start(t)
	get := func(path string) map[string]any {
		var m map[string]any
		send(t, http.MethodGet, s.URL+"/ex/jira/"+site.CloudID+"/rest/api/3/"+path, nil, "Authorization", "Bearer "+rest.ScopedToken).decode(t, &m)
		return m
	}
	first := get("group/bulk?maxResults=2")
	if len(first["values"].([]any)) != 2 || first["isLast"] != false || first["total"] != 3.0 {
		t.Errorf("group/bulk: %v", first)
	}
	if rest := get("group/bulk?maxResults=2&startAt=2"); len(rest["values"].([]any)) != 1 || rest["isLast"] != true {
		t.Errorf("group/bulk, second page: %v", rest)
	}
	if m := get("group/member?groupId=" + site.Groups[1].ID); m["total"] != 2.0 {
		t.Errorf("developers: %v", m)
	}
	if m := get("groups/picker?query=dev"); m["total"] != 1.0 {
		t.Errorf("groups/picker: %v", m)
	}
	if m := get("myself?expand=groups"); m["emailAddress"] != rest.ServiceEmail || m["groups"] == nil {
		t.Errorf("myself: %v", m)
	}
}
