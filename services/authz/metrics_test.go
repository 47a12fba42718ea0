package authz_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/authz"
	"sallyport/services/internal/state"
)

// counted is what a metric says; a label's value chooses among its series, "" where it has no label.
func (g *gate) counted(name, value string) float64 {
	g.t.Helper()
	families, err := g.metrics.Gather()
	must(g.t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := m.GetLabel()
			if family.GetName() == "sallyport_authz_"+name && (len(labels) == 0 || labels[0].GetValue() == value) {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	g.t.Errorf("authz doesn't tell %s %s", name, value)
	return -1
}

// TestInFlight looks at the metric that replicas are scaled by, during a call and after it.
func TestInFlight(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	during := -1.0
	g.saveToken(atlassian, time.Now().Add(-time.Minute))
	g.identity.renew = func(context.Context) error {
		during = g.counted("in_flight", "")
		g.saveToken("a renewed token", time.Now().Add(time.Hour))
		return nil
	}
	wantAllowed(t, g.call("getJiraIssue"), "a renewed token")
	if during != 1 {
		t.Errorf("%v requests were in flight during one", during)
	}
	if after := g.counted("in_flight", ""); after != 0 {
		t.Errorf("%v requests were in flight after all had been answered", after)
	}
}

// TestWhyRequestsAreRefusedIsCounted has each reason once, which is there with 0 before.
func TestWhyRequestsAreRefusedIsCounted(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`, func(cfg *authz.Config) { cfg.StreamLimit = 1 })
	want := map[string]float64{"stream_full": 0, "undecided": 0, "token": 0}
	look := func() {
		t.Helper()
		for reason, n := range want {
			if got := g.counted("unavailable_total", reason); got != n {
				t.Errorf("%v requests were refused for %s, want %v", got, reason, n)
			}
		}
	}
	look()
	g.saveToken("a dead token", time.Now().Add(-time.Second))
	g.identity.renew = func(context.Context) error { return status.Error(codes.Unavailable, "Atlassian doesn't answer") }
	wantAnswer(t, g.call("getJiraIssue"), 503, "could not renew")
	want["token"] = 1
	look()
	wantAnswer(t, g.call("getJiraIssue"), 503, "record is full")
	want["stream_full"] = 1
	look()

	away := open(t, "127.0.0.1:1")
	for range 3 {
		wantAnswer(t, away.call("getJiraIssue"), 503)
	}
	if got := away.counted("unavailable_total", "undecided"); got != 3 {
		t.Errorf("%v requests were refused while Redis was away, want 3", got)
	}
	// They have one line together.
	if n := strings.Count(away.log.String(), `"requests are refused: nothing is sent to Atlassian"`); n != 1 {
		t.Errorf("the log has %d lines for three refusals:\n%s", n, away.log)
	}
}

// TestThePolicysVersionIsTold shows which version a replica decides by, and that the log says so.
func TestThePolicysVersionIsTold(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	for version := range 2 {
		if got := g.counted("policy_version", ""); got != float64(version) {
			t.Errorf("the version is %v, want %d", got, version)
		}
		wantAllowed(t, g.call("getJiraIssue"), atlassian)
		if version == 0 && !strings.Contains(g.log.String(), `"msg":"another policy is in force","version":1`) {
			t.Errorf("the log doesn't say which policy is in force:\n%s", g.log)
		}
	}
}

// TestUnknownGroupsAreCounted decides with the person's groups, and without them.
func TestUnknownGroupsAreCounted(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	wantAllowed(t, g.call("getJiraIssue"), atlassian)
	if got := g.counted("groups_unknown_total", ""); got != 0 {
		t.Errorf("%v decisions were without groups, want none", got)
	}
	_, err := g.store.SaveGroups(t.Context(), account, state.Groups{LearnedAt: time.Now()})
	must(t, err)
	wantAllowed(t, g.call("getJiraIssue"), atlassian)
	if got := g.counted("groups_unknown_total", ""); got != 1 {
		t.Errorf("%v decisions were without groups, want 1", got)
	}
}
