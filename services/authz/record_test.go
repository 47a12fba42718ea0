package authz_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

// again decides a record again, from nothing but what is recorded.
func again(engine *policy.Engine, r activity.Record) policy.Decision {
	own := r.Sallyport
	subject := policy.Subject{AccountID: r.User.ID, Email: r.User.Email, GroupsKnown: !own.GroupsUnknown}
	for i, id := range r.User.Group.ID {
		subject.Groups = append(subject.Groups, policy.Group{ID: id, Name: r.User.Group.Name[i]})
	}
	op := operation.Parse(own.Operation.Name, "")
	op.Product = own.Operation.Product
	client := policy.Client{Key: own.Client.Key, Name: own.Client.Name, Class: policy.Class(own.Client.Class)}
	return engine.Decide(client, subject, policy.Call{Operation: op, Outer: own.Operation.Outer})
}

// TestRecordsHaveWhatDecidedThem decides by policies that look at all that a rule can look at, with
// groups known and unknown, and again from the records.
func TestRecordsHaveWhatDecidedThem(t *testing.T) {
	calls := []string{
		`{"name":"getConfluencePage"}`, `{"name":"getConfluenceContent"}`, `{"name":"addCommentToJiraIssue","arguments":{"issueIdOrKey":"OPS-1"}}`,
		`{"name":"fetch","arguments":{"id":"ari:cloud:confluence:site:page/1"}}`, `{"name":"fetch","arguments":{"id":"ari:cloud:jira:site:issue/1"}}`,
		`{"name":"executeRead","arguments":{"name":"fetch","inputs":{"id":"ari:cloud:confluence:site:page/1"}}}`,
		`{"name":"executeWrite","arguments":{"name":"editJiraIssue"}}`, `{"name":"executeDestructive","arguments":{"name":"deleteJiraIssue"}}`,
		`{"name":"jira_remove_watcher"}`, `{"name":"ping"}`,
	}
	g := signedIn(t, "")
	for _, rules := range []string{
		`{"who":"group:id of developers","operation":"confluence fetch","effect":"deny"}`,
		`{"who":"group:DEVELOPERS","operation":"write*","effect":"deny","mode":"monitor"},{"operation":"getConfluencePage","effect":"deny"}`,
		`{"client":"Claude","who":"user:ANA@acme.test","operation":"executeWrite","effect":"deny"},{"verified":true,"effect":"deny"}`,
		`{"who":"group:contractors","operation":"delete*","effect":"deny"},{"who":"user:712020:ana","operation":"addOrEditJiraIssueComment","effect":"deny"}`,
	} {
		var p policy.Policy
		must(t, json.Unmarshal(fmt.Appendf(nil, `{"default":"allow","rules":[%s]}`, rules), &p))
		engine, err := policy.Compile(&p)
		must(t, err)
		text, err := json.Marshal(p)
		must(t, err)
		g.save(string(text))
		for _, known := range []bool{true, false} {
			if known {
				g.saveGroups("developers")
			} else {
				_, err = g.store.SaveGroups(t.Context(), account, state.Groups{LearnedAt: time.Now()})
				must(t, err)
			}
			for _, params := range calls {
				g.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`)
				records := g.records()
				if len(records) != 1 || records[0].Sallyport.GroupsUnknown == known {
					t.Fatalf("%s is recorded as %+v", params, records)
				}
				own := records[0].Sallyport
				want := again(engine, records[0])
				got := policy.Decision{Allowed: own.Decision == activity.Allowed, GroupsUnknown: want.GroupsUnknown}
				if own.Rule != nil {
					got.Rule, got.RuleID, got.Note = own.Rule.Number, own.Rule.ID, own.Rule.Note
				}
				if own.Monitor != nil {
					got.MonitorRule, got.MonitorEffect = own.Monitor.Rule, policy.Effect(own.Monitor.Effect)
				}
				if diff := cmp.Diff(want, got); diff != "" || own.Refusal != "" || own.Ungoverned {
					t.Errorf("%s, groups known %t, by %s (-from the record +decided):\n%s", params, known, rules, diff)
				}
			}
		}
	}
}

func TestRecordsSayWhatNoPolicyDecided(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	for body, want := range map[string]string{
		`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"ping"}}]`: "ungoverned decided",
		`[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"method":"resources/read"}]`:                          "ungoverned decided",
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":7}}`:                                                 "no_operation_name",
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"execute"}}`:                                         "no_operation_name",
	} {
		g.post(body)
		got := ""
		for i, r := range g.records() {
			if i > 0 {
				got += " "
			}
			switch own := r.Sallyport; {
			case own.Ungoverned:
				got += "ungoverned"
			case own.Refusal != "":
				got += own.Refusal
			default:
				got += "decided"
			}
		}
		if got != want {
			t.Errorf("%s is recorded as %s, want %s", body, got, want)
		}
	}
}

// TestNoteCountsTheRequests shows that accesslog is told how many answers to expect.
// TestRecordsOfOneSessionAreFoundTogether sends calls of two sessions and of none.
func TestRecordsOfOneSessionAreFoundTogether(t *testing.T) {
	g := signedIn(t, `{"default":"allow","rules":[]}`)
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ping"}}`
	headers := []string{"authorization", "Bearer " + accessToken, "content-type", "application/json"}
	var got []string
	for _, session := range []string{"s1", "s2", "s1", ""} {
		with := headers
		if session != "" {
			with = append(slices.Clip(headers), "mcp-session-id", session)
		}
		g.ask("POST", body, with...)
		got = append(got, g.records()[0].Sallyport.MCPSession)
	}
	if got[0] == "" || got[0] == got[1] || got[0] != got[2] || got[3] != "" || strings.Contains(got[0], "s1") {
		t.Errorf("the sessions are recorded as %q", got)
	}
}

func TestNoteCountsTheRequests(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	for body, want := range map[string]int{
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`:                 1,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`:   0,
		`{"jsonrpc":"2.0","id":1,"result":{}}`:                     0,
		`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}`: 0,
		`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"}]`: 2,
	} {
		if got := activity.NoteFrom(g.post(body).GetDynamicMetadata()).Requests; got != want {
			t.Errorf("%s wants %d answers, %d are expected", body, want, got)
		}
	}
}

// TestSecretsDontLeave shows that what looks secret isn't even in the stream, in calls that are allowed,
// blocked and refused, while Atlassian gets all of it.
func TestSecretsDontLeave(t *testing.T) {
	g := signedIn(t, `{"default":"allow","rules":[{"operation":"editJiraIssue","effect":"deny"}]}`)
	const secret = "hunter2"
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"createJiraIssue","arguments":{"summary":"s","fields":{"Db_Password":"hunter2"}}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"executeWrite","arguments":{"name":"editJiraIssue","inputs":{"summary":"s","x-api-key":["hunter2"]}}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"x","summary":"s","password":"hunter2"}}`,
		`{"jsonrpc":"2.0","id":1,"id":2,"summary":"s","password":"hunter2"}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"summary":"s","password":"hunter2"`,
	} {
		g.post(body)
		waiting, err := g.store.ReadWaiting(t.Context(), "test", 10, time.Millisecond, false)
		must(t, err)
		if len(waiting) != 1 || strings.Contains(string(waiting[0].Document), secret) || !strings.Contains(string(waiting[0].Document), "looks secret]") {
			t.Errorf("%s is recorded as %s", body, waiting)
		}
	}
}
