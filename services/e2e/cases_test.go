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

	"google.golang.org/grpc"

	"sallyport/services/internal/activity"
	"sallyport/services/policy"
	"sallyport/services/policyfile"
)

// registrations are how the assistants of the cases register: the redirect says which a client is,
// and how sure that is (services/identity/clients.yaml).
var registrations = map[string]struct {
	name, redirect string
	class          policy.Class
}{
	"claude":      {"Claude", "https://claude.ai/api/mcp/auth_callback", policy.Verified},
	"chatgpt":     {"ChatGPT", "https://chatgpt.com/connector_platform_oauth_redirect", policy.Verified},
	"claude-code": {"Claude Code", redirectURI, policy.Claimed},
}

// TestPolicyCases runs the cases of the rule language through the whole of Sallyport: the suite's policy
// is saved, the message is sent by the assistant of a person who has signed in, and the decision is read
// from the answer, from what reached Atlassian, and from the log.
//
// Left out are cases of people in groups that the stand-in's site doesn't have, since groups come from
// there: marketing, Developers in that spelling, and those of the whole last suite. Bo is
// bo@acme.test, and not Bo@acme.test as in his case, since e-mail addresses come from there too.
func TestPolicyCases(t *testing.T) {
	const name = "../policy/testdata/policy-cases.yaml"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	suites, err := policyfile.ReadCases(name, text, nil, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	ctx, conn := dialAdmin(t)
	run := &caseRun{ctx: ctx, conn: conn, sessions: map[string]*session{}, groups: map[string]string{}}
	for _, known := range sallyport.People {
		run.siteGroups = append(run.siteGroups, known.Groups...)
		run.groups[known.Email] = fmt.Sprint(known.Groups)
	}
	groupsBack(ctx, t, conn, "ana@acme.test", "bo@acme.test")
	made, left := 0, 0
	for i, suite := range suites {
		all := len(suite.Cases)
		suite.Cases = slices.DeleteFunc(suite.Cases, run.impossible)
		made += len(suite.Cases)
		left += all - len(suite.Cases)
		if len(suite.Cases) > 0 {
			t.Run(fmt.Sprint(i+1), func(t *testing.T) { run.suite(t, suite) })
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

func (r *caseRun) impossible(c policyfile.Case) bool {
	return slices.ContainsFunc(c.Subject.Groups, func(group policy.Group) bool { return !slices.Contains(r.siteGroups, group.Name) })
}

// answered is what came of a case's message.
type answered struct {
	of     policyfile.Case
	id     string
	status int
	text   string
}

func (r *caseRun) suite(t *testing.T, s policyfile.Suite) {
	text, err := json.Marshal(s.Policy)
	if err != nil {
		t.Fatal(err)
	}
	applyPolicy(t, string(text))
	var answers []answered
	ids := map[string][]string{}
	for _, c := range s.Cases {
		response := post(t, r.token(t, c), c.Message, nil)
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		a := answered{c, response.Header.Get("X-Request-Id"), response.StatusCode, string(body)}
		answers = append(answers, a)
		ids[indexOf(c)] = append(ids[indexOf(c)], a.id)
	}
	records := map[string]activity.Record{}
	for index, of := range ids {
		for _, found := range waitForRecords(t, index, map[string]any{"terms": map[string]any{"event.id": of}}, len(of)) {
			records[found.Event.ID] = found
		}
	}
	reached := fmt.Sprintf("%s", atlassianCalls(t))
	for _, a := range answers {
		t.Run(a.of.String(), func(t *testing.T) { a.check(t, records[a.id], strings.Contains(reached, a.id)) })
	}
}

// token signs in whom a case is about, with the assistant that it is about, and gives them its groups.
func (r *caseRun) token(t *testing.T, c policyfile.Case) string {
	t.Helper()
	email, key := strings.ToLower(c.Subject.Email), c.Client.Key
	groups := []string{}
	for _, group := range c.Subject.Groups {
		groups = append(groups, group.Name)
	}
	registration, ok := registrations[key]
	if !ok || c.Client.Class != registration.class {
		t.Fatalf("no assistant registers as %+v: add it to registrations", c.Client)
	}
	of := email + " " + key
	if r.sessions[of] == nil {
		r.sessions[of] = signIn(t, email, registration.name, registration.redirect)
	}
	unknown := !c.Subject.GroupsKnown
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

// indexOf is where a case's record is to be.
func indexOf(c policyfile.Case) string {
	if c.Want.Outcome == policyfile.Ungoverned {
		return activity.Protocol
	}
	return activity.Actions
}

// check compares what was decided with what the case wants.
func (a answered) check(t *testing.T, r activity.Record, reached bool) {
	t.Helper()
	got := activity.Allowed
	if strings.Contains(a.text, "Sallyport blocked") {
		got = activity.Blocked
	}
	want, rule, monitor := string(a.of.Want.Outcome), 0, 0
	if a.of.Want.Outcome == policyfile.Ungoverned {
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
	if r.Sallyport.Decision != want || rule != a.of.Want.Rule || monitor != a.of.Want.Monitor {
		t.Errorf("recorded as %s by rule %d, monitor %d; want %s", r.Sallyport.Decision, rule, monitor, a.of.Want)
	}
	if want != activity.Blocked {
		return
	}
	form := `"error":{`
	if strings.Contains(string(a.of.Message), `"method":"tools/call"`) {
		form = `"isError":true`
	}
	if a.status != http.StatusOK || !strings.Contains(a.text, form) || a.of.Want.Rule > 0 && !strings.Contains(a.text, fmt.Sprintf("Rule %d ", a.of.Want.Rule)) {
		t.Errorf("blocked by HTTP %d %s, want the form %s and rule %d", a.status, a.text, form, a.of.Want.Rule)
	}
}
