package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/internal/activity"
)

const (
	saves        = 20
	groupChanges = 6
	removals     = 3
)

// TestNextRequest shows what holds for the very next request on every replica: two gateways, each with
// an authz of its own, and 50 clients that never pause while an admin changes something.
//
// Changes are numbered. A client notes the newest change that was answered before it sends a call, and
// the newest that was asked for after it has the answer; the decision must be by one of those or by one
// between. Both are counters in this process, so no clock has a part in it. A call that began after an
// answer and is decided by what was before fails the test: it would if authz decided by what it
// remembers for a few milliseconds, if sallyport_decide compared one revision less, if a change were
// answered before it is in Redis, or if only one replica were told of it. (Tried: without the
// comparison of the policy's version in functions/decide.lua, of the groups' revision there, or without its
// checks of session, grant and Atlassian token, the tests of policy, groups and person fail, each with
// hundreds of calls decided wrongly.)
func TestNextRequest(t *testing.T) {
	gateways := [2]string{hostPort(t, sallyport.MCPURL), startGateway(t)}
	t.Run("policy", func(t *testing.T) { nextAfterSave(t, gateways) })
	t.Run("groups", func(t *testing.T) { nextAfterGroups(t, gateways) })
	t.Run("person", func(t *testing.T) {
		nextAfterRemoval(t, gateways, removal{"ana@acme.test", "person forgotten", forget})
	})
	t.Run("connection", func(t *testing.T) {
		nextAfterRemoval(t, gateways, removal{"cy@acme.test", "connection ended", disconnect})
	})
}

// versionMark is in the note of the rule that decides, in the answer to a blocked call and in the record.
var versionMark = regexp.MustCompile(`version mark (\d+)`)

// nextAfterSave saves policies that allow and deny in turn.
func nextAfterSave(t *testing.T, gateways [2]string) {
	ctx, conn := dialAdmin(t)
	policies := adminv1.NewPolicyServiceClient(conn)
	inForce, err := policies.GetPolicy(ctx, &adminv1.GetPolicyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	version := inForce.GetVersion()
	denies := func(version int64) bool { return version%2 == 0 }
	save := func() error {
		rule := &policyv1.Rule{Operation: "getJiraIssue", Effect: policyv1.Effect_EFFECT_ALLOW, Note: fmt.Sprintf("version mark %d", version+1)}
		if denies(version + 1) {
			rule.Effect = policyv1.Effect_EFFECT_DENY
		}
		saved, err := policies.SavePolicy(ctx, &adminv1.SavePolicyRequest{
			Policy: &policyv1.Policy{DefaultEffect: policyv1.Effect_EFFECT_DENY, Rules: []*policyv1.Rule{rule}}, BaseVersion: version,
		})
		version = saved.GetVersion()
		return err
	}
	var tokens []crowdToken
	for _, email := range []string{"ana@acme.test", "bo@acme.test", "cy@acme.test"} {
		for _, assistant := range []string{"Claude Code", "Cursor"} {
			tokens = append(tokens, crowdToken{access: signIn(t, email, assistant, redirectURI).access})
		}
	}
	err = save()
	if err != nil {
		t.Fatal(err)
	}
	first := version
	c := gather(t, gateways, version, func(client int) crowdToken { return tokens[client%len(tokens)] })
	c.watch(t)
	for range saves {
		c.change(t, version+1, save)
	}
	calls := c.leave()
	records := crowdRecords(t, c, len(calls))
	seen := [2]map[int64]int{{}, {}}
	var wrong faults
	for _, call := range calls {
		record := records[call.mark]
		by := record.Sallyport.PolicyVersion
		seen[call.gateway][by]++
		answered := call.marked(versionMark)
		switch {
		case by < call.from || by > call.to:
			wrong.add("call %s at gateway %d was decided by version %d, between %d and %d", call.mark, call.gateway, by, call.from, call.to)
		case !call.agrees(record, denies(by)), denies(by) && answered != by, record.Sallyport.Rule == nil || record.Sallyport.Rule.Note != fmt.Sprintf("version mark %d", by):
			wrong.add("call %s, decided by version %d, was answered %d %v %.300s and recorded as %+v", call.mark, by, call.status, call.err, call.text, record.Sallyport)
		}
	}
	wrong.report(t)
	for gateway := range seen {
		for v := first; v <= version; v++ {
			if seen[gateway][v] == 0 {
				t.Errorf("no call at gateway %d was decided by version %d, so nothing was shown of it", gateway, v)
			}
		}
	}
	t.Logf("%d calls by %d clients, %d saves, %d calls decided wrongly", len(calls), crowdSize, saves, len(wrong))
}

// nextAfterGroups gives a person other groups at Atlassian, each of which a rule of its own is about.
func nextAfterGroups(t *testing.T, gateways [2]string) {
	const policy = `
default: deny
rules:
  - {who: "group:developers", effect: deny, note: group mark 0}
  - {who: "group:contractors", effect: allow, note: group mark 1}
  - {who: "group:site-admins", effect: deny, note: group mark 2}
`
	groups := []string{"developers", "contractors", "site-admins"}
	groupMark := regexp.MustCompile(`group mark (\d+)`)
	applyPolicy(t, policy)
	ctx, conn := dialAdmin(t)
	tokens := []string{signIn(t, "ana@acme.test", "Claude Code", redirectURI).access, signIn(t, "ana@acme.test", "Cursor", redirectURI).access}
	groupsBack(ctx, t, conn, "ana@acme.test")
	c := gather(t, gateways, 0, func(client int) crowdToken { return crowdToken{access: tokens[client/2%2]} })
	c.watch(t)
	for n := int64(1); n <= groupChanges; n++ {
		c.change(t, n, func() error { return setGroups(ctx, conn, "ana@acme.test", groups[n%3]) })
	}
	calls := c.leave()
	records := crowdRecords(t, c, len(calls))
	var wrong faults
	for _, call := range calls {
		record := records[call.mark]
		rule := record.Sallyport.Rule
		if rule == nil || !call.agrees(record, rule.Number != 2) || record.User == nil || len(record.User.Group.Name) != 1 {
			wrong.add("call %s was answered %d %v %.300s and recorded as %+v of %+v", call.mark, call.status, call.err, call.text, record.Sallyport, record.User)
			continue
		}
		// What decided is told by the record, and by the answer to a blocked call.
		by := int64(rule.Number - 1)
		held := false
		for n := call.from; n <= call.to; n++ {
			held = held || n%3 == by
		}
		if !held || record.User.Group.Name[0] != groups[by] || record.Sallyport.Decision == activity.Blocked && call.marked(groupMark) != by {
			wrong.add("call %s at gateway %d, between changes %d and %d, was decided on the group %v: %.300s", call.mark, call.gateway, call.from, call.to, record.User.Group.Name, call.text)
		}
	}
	wrong.report(t)
	t.Logf("%d calls by %d clients, %d changes of groups, %d calls decided wrongly", len(calls), crowdSize, groupChanges, len(wrong))
}

// removal is a way to end what Cy has connected Cursor for.
type removal struct {
	// spares is whose Claude Code goes on.
	spares string
	// logged is what the admin service says of it.
	logged string
	end    func(email string) error
}

// nextAfterRemoval removes a person, or their assistant, who signs in again each time. While they are removed the
// assistant refreshes its tokens without a pause: none that it gets may work afterwards.
func nextAfterRemoval(t *testing.T, gateways [2]string, by removal) {
	applyPolicy(t, allowAll)
	others := crowdToken{access: signIn(t, by.spares, "Claude Code", redirectURI).access}
	var current atomic.Pointer[crowdToken]
	current.Store(&others)
	c := gather(t, gateways, 0, func(client int) crowdToken {
		if client/2%2 == 0 {
			return others
		}
		return *current.Load()
	})
	var given []string
	for n := int64(1); n <= removals; n++ {
		s := signIn(t, "cy@acme.test", "Cursor", redirectURI)
		given = append(given, s.access)
		current.Store(&crowdToken{s.access, n})
		c.watch(t)
		var refreshing sync.WaitGroup
		refreshing.Go(func() {
			for {
				refused, err := s.renew(t.Context())
				if err != nil || refused != "" {
					if refused != "invalid_grant" {
						t.Errorf("refreshing until the person is removed ended with %q, %v", refused, err)
					}
					return
				}
				given = append(given, s.access)
				current.Store(&crowdToken{s.access, n})
			}
		})
		c.change(t, n, func() error { return by.end("cy@acme.test") })
		refreshing.Wait()
	}
	calls := c.leave()
	for i, access := range given {
		status, text, err := send(t.Context(), unhurried, gateways[i%2], observed{mark: "a token of a removed person", token: crowdToken{access: access}})
		if err != nil || status != 401 {
			t.Errorf("a token that a removed person was given once got %d %v %.300s", status, err, text)
		}
	}
	var wrong faults
	let, cut, refused := 0, 0, 0
	for _, call := range calls {
		removed, known := call.token.ends > 0 && call.token.ends <= call.from, call.token.ends == 0 || call.token.ends > call.to
		switch {
		case call.err != nil, call.status != 200 && call.status != 401, removed && (call.status != 401 || call.cut()), known && call.status != 200:
			wrong.add("call %s at gateway %d between removals %d and %d, with a token that the one of %d ends, got %d %v %.300s",
				call.mark, call.gateway, call.from, call.to, call.token.ends, call.status, call.err, call.text)
		case call.status == 200:
			let++
		case call.cut():
			cut++
		default:
			refused++
		}
	}
	wrong.report(t)
	if refused == 0 {
		t.Error("no call was refused, so nothing was shown")
	}
	records := crowdRecords(t, c, let+cut)
	for _, call := range calls {
		if _, written := records[call.mark]; written != (call.status == 200 || call.cut()) {
			t.Errorf("call %s, answered %d, has a record: %v", call.mark, call.status, written)
		}
	}
	checkRemovalsAreLogged(t, by.logged)
	t.Logf("%d calls by %d clients, %d let through, %d cut and %d refused, %d removals of a person who had got %d tokens, %d calls decided wrongly",
		len(calls), crowdSize, let, cut, refused, removals, len(given), len(wrong))
}

// forget removes a person as an admin does.
func forget(email string) error {
	out, err := cliCommand("people", "forget", email).CombinedOutput()
	if err == nil && (!strings.Contains(string(out), email+" is signed out: ") || !strings.Contains(string(out), "Their tokens are revoked at Atlassian.")) {
		err = errors.New("unexpected words")
	}
	if err != nil {
		return fmt.Errorf("sallyport people forget: %w: %s", err, out)
	}
	return nil
}

// disconnect ends a person's connection with Cursor as an admin does, who looks for its id first.
func disconnect(email string) error {
	out, err := cliCommand("connections", "list", "--user", email, "--client", "cursor", "--json").Output()
	if err != nil {
		return fmt.Errorf("sallyport connections list: %w: %s", err, out)
	}
	var found struct{ ID string }
	// Those made last come first.
	err = json.NewDecoder(bytes.NewReader(out)).Decode(&found)
	if err != nil {
		return fmt.Errorf("sallyport connections list: %w: %s", err, out)
	}
	out, err = cliCommand("connections", "end", found.ID).CombinedOutput()
	if err == nil && !strings.Contains(string(out), "Cursor is disconnected from "+email) {
		err = errors.New("unexpected words")
	}
	if err != nil {
		return fmt.Errorf("sallyport connections end: %w: %s", err, out)
	}
	return nil
}

// checkRemovalsAreLogged checks that the admin service says who removed whom.
func checkRemovalsAreLogged(t *testing.T, words string) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(sallyport.LogDir, "admin.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, words) && strings.Contains(line, `"by":"admin"`) {
			return
		}
	}
	t.Error("the admin service's log doesn't say who removed the person")
}

// cut says whether a call was let through and then refused by Atlassian: it was under way when the person's
// tokens were revoked there.
func (o observed) cut() bool { return o.status == 401 && !strings.Contains(o.text, "Sallyport") }

// marked is the number behind a mark in the answer, or -1.
func (o observed) marked(mark *regexp.Regexp) int64 {
	match := mark.FindStringSubmatch(o.text)
	if match == nil {
		return -1
	}
	n, _ := strconv.ParseInt(match[1], 10, 64)
	return n
}

// agrees says whether a call was answered as its record says, and that is as it should be.
func (o observed) agrees(r activity.Record, blocked bool) bool {
	want := activity.Allowed
	if blocked {
		want = activity.Blocked
	}
	return o.err == nil && o.status == 200 && r.Sallyport.Decision == want && strings.Contains(o.text, "Sallyport blocked") == blocked
}

// faults are calls that were decided wrongly. All are counted and the first few shown.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f faults) report(t *testing.T) {
	t.Helper()
	for _, fault := range f[:min(len(f), 5)] {
		t.Error(fault)
	}
	if len(f) > 0 {
		t.Errorf("%d calls were decided wrongly", len(f))
	}
}
