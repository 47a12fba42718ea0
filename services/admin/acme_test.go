package admin_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sallyport/services/internal/activity"
	"sallyport/services/mcp"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

// acme is a company whose assistants call tools, decided by an engine as authz does; without one,
// everything is blocked.
type acme struct {
	rand   *rand.Rand
	engine *policy.Engine
	// choose picks one of n; where it is nil, each is as likely.
	choose func(n int) int
}

func (a *acme) one(n int) int {
	if a.choose != nil {
		return a.choose(n)
	}
	return a.rand.IntN(n)
}

// assistants are four that people use.
var assistants = []activity.Client{
	{Key: "claude", Name: "Claude", Class: "verified"}, {Key: "claude-code", Name: "Claude Code", Class: "claimed"},
	{Key: "chatgpt", Name: "ChatGPT", Class: "verified"}, {Key: "acme-helper", Name: "Acme Helper", Class: "unknown"},
}

// acmeGroups are the groups of the site.
var acmeGroups = []string{"developers", "contractors", "Support Team", "finance", "site-admins"}

// tools are what is called, as the params of tools/call; names of both versions of the server, and
// %s for a text as long as such a text is.
var tools = []string{
	`{"name":"searchJiraIssuesUsingJql","arguments":{"cloudId":"acme.atlassian.net","jql":"project = OPS AND statusCategory != Done ORDER BY updated DESC","maxResults":50}}`,
	`{"name":"getJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-17","fields":["summary","description","status"]}}`,
	`{"name":"editJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-17","fields":{"description":"%s"}}}`,
	`{"name":"createJiraIssue","arguments":{"cloudId":"acme.atlassian.net","projectKey":"OPS","issueTypeName":"Bug","summary":"The printer is on fire","description":"%s"}}`,
	`{"name":"transitionJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-17","transition":{"id":"31"}}}`,
	`{"name":"addCommentToJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-17","commentBody":"%s"}}`,
	`{"name":"addOrEditJiraIssueComment","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-17","commentBody":"%s"}}`,
	`{"name":"getVisibleJiraProjects","arguments":{"cloudId":"acme.atlassian.net"}}`,
	`{"name":"listJiraProjects","arguments":{"cloudId":"acme.atlassian.net"}}`,
	`{"name":"getConfluencePage","arguments":{"cloudId":"acme.atlassian.net","pageId":"98310"}}`,
	`{"name":"getConfluenceContent","arguments":{"cloudId":"acme.atlassian.net","content_id":"98310","content_format":"markdown"}}`,
	`{"name":"createConfluencePage","arguments":{"cloudId":"acme.atlassian.net","spaceId":"131","title":"Minutes","body":"%s"}}`,
	`{"name":"updateConfluenceContent","arguments":{"cloudId":"acme.atlassian.net","content_id":"98310","body":"%s"}}`,
	`{"name":"search","arguments":{"query":"who keeps the keys of the server room"}}`,
	`{"name":"fetch","arguments":{"id":"ari:cloud:jira:6b1f2c84-93d5-4e0a-8c77-5a2e9d04f1b3:issue/10107"}}`,
	`{"name":"fetch","arguments":{"id":"ari:cloud:confluence:6b1f2c84-93d5-4e0a-8c77-5a2e9d04f1b3:page/123"}}`,
	`{"name":"fetch","arguments":{"id":"10107"}}`,
	`{"name":"executeRead","arguments":{"name":"listJiraBoards","cloudId":"acme.atlassian.net","inputs":{}}}`,
	`{"name":"executeRead","arguments":{"name":"fetch","inputs":{"id":"ari:cloud:confluence:6b1f2c84-93d5-4e0a-8c77-5a2e9d04f1b3:page/123"}}}`,
	`{"name":"executeWrite","arguments":{"name":"createJiraIssueLink","cloudId":"acme.atlassian.net","inputs":{"type":"Blocks"}}}`,
	`{"name":"executeDestructive","arguments":{"name":"deleteJiraIssue","cloudId":"acme.atlassian.net","inputs":{"issueIdOrKey":"OPS-12"}}}`,
	`{"name":"execute","arguments":{"cloudId":"acme.atlassian.net"}}`,
	`{"name":"getJsmOpsAlerts","arguments":{"cloudId":"acme.atlassian.net","query":"priority:P1"}}`,
	`{"name":"runBitbucketRepoPipeline","arguments":{"workspace":"acme","repo":"site","branch":"main"}}`,
	`{"name":"jira_remove_watcher","arguments":{"issue":"OPS-12"}}`,
	`{"name":"ping","arguments":{}}`,
	`{"name":7}`,
}

// person is somebody at acme: with groups, some without, and some whose groups can't be learned.
func (a *acme) person(n int) (activity.User, policy.Subject) {
	email := fmt.Sprintf("person%d@acme.test", n)
	s := policy.Subject{AccountID: fmt.Sprintf("712020:%d", n), Email: email, GroupsKnown: n%7 != 3}
	u := activity.User{ID: s.AccountID, Email: email, Name: fmt.Sprint("Person ", n)}
	for i, group := range acmeGroups {
		if s.GroupsKnown && (n>>i)&1 == 1 {
			id := "id of " + group
			s.Groups = append(s.Groups, policy.Group{ID: id, Name: group})
			u.Group.ID, u.Group.Name = append(u.Group.ID, id), append(u.Group.Name, group)
		}
	}
	return u, s
}

// record is a call of a random person, assistant and tool, with what was decided.
func (a *acme) record(t testing.TB, id string, at time.Time, people int) (activity.Record, policy.Decision) {
	t.Helper()
	text := strings.Repeat("Lorem ipsum dolor sit amet. ", 4+a.rand.IntN(100))
	params := strings.ReplaceAll(tools[a.one(len(tools))], "%s", text)
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`
	switch a.rand.IntN(40) {
	case 0:
		body = `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"confluence://page/1"}}`
	case 1:
		// A part of a batch.
		body = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	}
	read, err := mcp.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	m := read.Messages[0]
	user, subject := a.person(a.one(people))
	client := assistants[a.one(len(assistants))]
	r := activity.Record{
		Timestamp: at, Event: activity.Event{ID: id, Action: m.Method, Outcome: "success", Duration: 2e8}, User: &user,
		HTTP:   &activity.HTTP{Request: &activity.Request{Method: "POST", Body: activity.Body{Bytes: int64(len(body))}}},
		Source: &activity.Source{IP: "192.0.2.7"}, UserAgent: &activity.UserAgent{Original: client.Key + "/1.0"},
		Sallyport: activity.Sallyport{
			Client: &client, Operation: &activity.Operation{Name: m.Method}, Decision: activity.Allowed, Site: "acme.atlassian.net",
			GroupsUnknown: !subject.GroupsKnown, PolicyVersion: 1, Arguments: m.Arguments, ArgumentsText: string(m.Arguments),
			Ungoverned: !m.Governed(),
		},
	}
	return r, a.decide(&r.Sallyport, m, policy.Client{Key: client.Key, Name: client.Name, Class: policy.Class(client.Class)}, subject)
}

// decide writes into a record what the engine decides.
func (a *acme) decide(own *activity.Sallyport, m mcp.Message, client policy.Client, subject policy.Subject) policy.Decision {
	name, outer, ok := m.Operation()
	switch {
	case !m.Governed():
		return policy.Decision{}
	case !ok:
		own.Operation.Outer, own.Decision, own.Refusal = outer, activity.Blocked, "no_operation_name"
		return policy.Decision{}
	}
	op := operation.Parse(name, m.FetchID)
	own.Operation = &activity.Operation{Name: name, Outer: outer, Product: op.Product, Actions: op.Families()}
	if a.engine == nil {
		own.Decision, own.Refusal = activity.Blocked, "no_policy"
		return policy.Decision{}
	}
	d := a.engine.Decide(client, subject, policy.Call{Operation: op, Outer: outer})
	if !d.Allowed {
		own.Decision = activity.Blocked
	}
	if d.Rule > 0 {
		own.Rule = &activity.Rule{ID: d.RuleID, Number: d.Rule, Note: d.Note}
	}
	if d.MonitorRule > 0 {
		own.Monitor = &activity.Monitor{Rule: d.MonitorRule, Effect: string(d.MonitorEffect)}
	}
	return d
}

// anyPolicy is a random one over what acme has.
func (a *acme) anyPolicy() *policy.Policy {
	pick := func(from ...string) string { return from[a.rand.IntN(len(from))] }
	p := &policy.Policy{Default: policy.Effect(pick("allow", "deny"))}
	for i := range 1 + a.rand.IntN(12) {
		p.Rules = append(p.Rules, policy.Rule{
			ID:       fmt.Sprint("r", i),
			Client:   pick("*", "claude", "chat*", "acme-helper", "Claude Code"),
			Who:      pick("any", "any", "group:contractors", "group:id of finance", "group:SUPPORT team", "user:person3@ACME.test", "user:712020:5"),
			Verified: a.rand.IntN(5) == 0,
			Operation: pick("*", "read*", "write*", "delete*", "create*", "update*", "confluence *", "jira read*", "jira create*", "confluence fetch",
				"searchJira*", "getConfluenceContent", "getConfluencePage", "getVisibleJiraProjects", "addOrEditJiraIssueComment", "executeWrite",
				"execute*", "fetch", "ping", "resources/read", "bitbucket *"),
			Effect: policy.Effect(pick("allow", "deny")), Mode: policy.Mode(pick("enforce", "enforce", "monitor")),
		})
	}
	p.Normalize()
	return p
}

// compiled is an engine of a policy.
func compiled(t testing.TB, p *policy.Policy) *policy.Engine {
	t.Helper()
	engine, err := policy.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// indented is a policy as a failed test shows it.
func indented(p *policy.Policy) string {
	text, _ := json.MarshalIndent(p, "", " ")
	return string(text)
}
