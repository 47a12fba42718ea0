package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"

	"sallyport/services/internal/activity"
)

// caseSuite is one document of a case file (the rule language, section 7), as far as it is read here.
type caseSuite struct {
	Policy map[string]any
	Tests  []ruleCase
}

type ruleCase struct {
	Name, Operation    string
	Arguments, Message map[string]any
	Client             struct{ Key, Name, Class string }
	User               struct {
		Email       string
		Groups      []string
		GroupsKnown *bool `yaml:"groups_known"`
	}
	Want          string
	Rule, Monitor int
}

// registrations are how the assistants of the cases register: the redirect says which a client is,
// and how sure that is (services/identity/clients.yaml).
var registrations = map[string]struct{ name, redirect, class string }{
	"claude":      {"Claude", "https://claude.ai/api/mcp/auth_callback", "verified"},
	"chatgpt":     {"ChatGPT", "https://chatgpt.com/connector_platform_oauth_redirect", "verified"},
	"claude-code": {"Claude Code", redirectURI, "claimed"},
}

// TestPolicyCases runs the cases of the rule language through the whole of Sallyport: the suite's policy
// is saved, the message is sent by the assistant of a person who has signed in, and the decision is read
// from the answer, from what reached Atlassian, and from the log.
//
// Left out are cases of people in groups that the stand-in's site doesn't have, since groups come from
// there: marketing, Developers in that spelling, and those of the whole last suite. Bo is
// bo@acme.test, and not Bo@acme.test as in his case, since e-mail addresses come from there too.
func TestPolicyCases(t *testing.T) {
	file, err := os.Open("../policy/testdata/policy-cases.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ctx, conn := dialAdmin(t)
	run := &caseRun{ctx: ctx, conn: conn, sessions: map[string]*session{}, groups: map[string]string{}}
	for _, known := range sallyport.People {
		run.siteGroups = append(run.siteGroups, known.Groups...)
		run.groups[known.Email] = fmt.Sprint(known.Groups)
	}
	groupsBack(ctx, t, conn, "ana@acme.test", "bo@acme.test")
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	made, left := 0, 0
	for number := 1; ; number++ {
		var suite caseSuite
		err = decoder.Decode(&suite)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all := len(suite.Tests)
		suite.Tests = slices.DeleteFunc(suite.Tests, run.impossible)
		made += len(suite.Tests)
		left += all - len(suite.Tests)
		if len(suite.Tests) > 0 {
			t.Run(fmt.Sprint(number), func(t *testing.T) { run.suite(t, suite) })
		}
	}
	if made == 0 || made < left {
		t.Errorf("%d cases were run and %d left out", made, left)
	}
	t.Logf("%d cases were run and %d left out", made, left)
}

// caseRun is the people who are signed in, and the groups that they have now.
type caseRun struct {
	ctx        context.Context
	conn       *grpc.ClientConn
	siteGroups []string
	sessions   map[string]*session
	groups     map[string]string
}

func (r *caseRun) impossible(c ruleCase) bool {
	return slices.ContainsFunc(c.User.Groups, func(group string) bool { return !slices.Contains(r.siteGroups, group) })
}

// answered is what came of a case's message.
type answered struct {
	of     ruleCase
	id     string
	status int
	text   string
}

func (r *caseRun) suite(t *testing.T, s caseSuite) {
	text, err := yaml.Marshal(s.Policy)
	if err != nil {
		t.Fatal(err)
	}
	applyPolicy(t, string(text))
	var answers []answered
	ids := map[string][]string{}
	for _, c := range s.Tests {
		response := post(t, r.token(t, c), c.body(t), nil)
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		a := answered{c, response.Header.Get("X-Request-Id"), response.StatusCode, string(body)}
		answers = append(answers, a)
		ids[c.index()] = append(ids[c.index()], a.id)
	}
	records := map[string]activity.Record{}
	for index, of := range ids {
		for _, found := range waitForRecords(t, index, map[string]any{"terms": map[string]any{"event.id": of}}, len(of)) {
			records[found.Event.ID] = found
		}
	}
	reached := fmt.Sprintf("%s", atlassianCalls(t))
	for _, a := range answers {
		t.Run(a.of.title(), func(t *testing.T) { a.check(t, records[a.id], strings.Contains(reached, a.id)) })
	}
}

// token signs in whom a case is about, with the assistant that it is about, and gives them its groups.
func (r *caseRun) token(t *testing.T, c ruleCase) string {
	t.Helper()
	email, key := "ana@acme.test", "claude"
	groups := []string{"developers"}
	if c.User.Email != "" {
		email = strings.ToLower(c.User.Email)
	}
	if c.User.Groups != nil {
		groups = c.User.Groups
	}
	if c.Client.Key != "" {
		key = c.Client.Key
	}
	registration, ok := registrations[key]
	if !ok || c.Client.Class != "" && c.Client.Class != registration.class {
		t.Fatalf("no assistant registers as %+v: add it to registrations", c.Client)
	}
	of := email + " " + key
	if r.sessions[of] == nil {
		r.sessions[of] = signIn(t, email, registration.name, registration.redirect)
	}
	unknown := c.User.GroupsKnown != nil && !*c.User.GroupsKnown
	want := fmt.Sprint(groups)
	if unknown {
		want = "unknown"
	}
	if r.groups[email] != want {
		err := r.setGroups(email, groups, unknown)
		if err != nil {
			t.Fatal(err)
		}
		r.groups[email] = want
	}
	return r.sessions[of].access
}

func (r *caseRun) setGroups(email string, groups []string, unknown bool) error {
	if !unknown {
		return setGroups(r.ctx, r.conn, email, groups...)
	}
	err := switchAtlassian(http.MethodPut, "/lose_groups", "503")
	if err != nil {
		return err
	}
	return errors.Join(refreshGroups(r.ctx, r.conn, email, 1), switchAtlassian(http.MethodPut, "/lose_groups", "0"))
}

func (c ruleCase) title() string {
	method, _ := c.Message["method"].(string)
	return strings.TrimSpace(c.Name + " " + c.Operation + " " + method)
}

func (c ruleCase) method() string {
	if c.Message == nil {
		return "tools/call"
	}
	method, _ := c.Message["method"].(string)
	return method
}

// index is where the case's record is to be.
func (c ruleCase) index() string {
	if c.Want == "ungoverned" {
		return activity.Protocol
	}
	return activity.Actions
}

// body is the case's message as JSON-RPC.
func (c ruleCase) body(t *testing.T) []byte {
	t.Helper()
	message := c.Message
	if message == nil {
		arguments := c.Arguments
		if arguments == nil {
			arguments = map[string]any{}
		}
		message = map[string]any{"method": c.method(), "params": map[string]any{"name": c.Operation, "arguments": arguments}}
	}
	message["jsonrpc"] = "2.0"
	if !strings.HasPrefix(c.method(), "notifications/") {
		message["id"] = 1
	}
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// check compares what was decided with what the case wants.
func (a answered) check(t *testing.T, r activity.Record, reached bool) {
	t.Helper()
	got := activity.Allowed
	if strings.Contains(a.text, "Sallyport blocked") {
		got = activity.Blocked
	}
	want, rule, monitor := a.of.Want, 0, 0
	if want == "ungoverned" {
		want = activity.Allowed
	}
	if r.Sallyport.Rule != nil {
		rule = r.Sallyport.Rule.Number
	}
	if r.Sallyport.Monitor != nil {
		monitor = r.Sallyport.Monitor.Rule
	}
	if got != want || reached != (want == activity.Allowed) {
		t.Errorf("it was %s, and reached Atlassian: %v; want %s: HTTP %d %.300s", got, reached, a.of.Want, a.status, a.text)
	}
	if r.Sallyport.Decision != want || rule != a.of.Rule || monitor != a.of.Monitor {
		t.Errorf("recorded as %s by rule %d, monitor %d; want %s by rule %d, monitor %d",
			r.Sallyport.Decision, rule, monitor, a.of.Want, a.of.Rule, a.of.Monitor)
	}
	if want != activity.Blocked {
		return
	}
	form := `"error":{`
	if a.of.method() == "tools/call" {
		form = `"isError":true`
	}
	if a.status != http.StatusOK || !strings.Contains(a.text, form) || a.of.Rule > 0 && !strings.Contains(a.text, fmt.Sprintf("Rule %d ", a.of.Rule)) {
		t.Errorf("blocked by HTTP %d %s, want the form %s and rule %d", a.status, a.text, form, a.of.Rule)
	}
}
