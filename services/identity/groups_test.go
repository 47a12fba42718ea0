package identity_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/state"
)

func TestScopedCredential(t *testing.T) {
	d := deploy(t, scoped(t))
	account, _ := d.connect("Codex").account("bo@acme.test")
	if got := d.names(account); got != "developers site-admins" {
		t.Errorf("groups are %s", got)
	}
}

func TestGroupsThatCantBeLearnedAreUnknown(t *testing.T) {
	d := deploy(t)
	d.change("lose_groups", "503")
	account, _ := d.connect("Codex").account("ana@acme.test")
	if got := d.names(account); got != "unknown" {
		t.Errorf("groups are %s", got)
	}
	d.change("lose_groups", "0")
	d.makeDue(account)
	d.eventually("they are learned", func() bool { return d.names(account) == "developers" })
}

func TestGroupsWithoutCredentialAreUnknown(t *testing.T) {
	d := deploy(t, withoutDirectory)
	account, tokens := d.connect("Codex").account("ana@acme.test")
	if got := d.names(account); got != "unknown" || tokens.status != http.StatusOK {
		t.Errorf("groups are %s", got)
	}
}

func TestNoGroupsAreKnownGroups(t *testing.T) {
	d := deploy(t)
	d.change("people/ana@acme.test/groups", `[]`)
	account, _ := d.connect("Codex").account("ana@acme.test")
	if got := d.groups(account); !got.Known || len(got.List) != 0 {
		t.Errorf("groups of somebody in none are %+v", got)
	}
}

func TestSignInGoesOnWithoutJira(t *testing.T) {
	j := &jira{}
	d := deploy(t, j.before(t))
	j.stuck.Store(true)
	account, tokens := d.connect("Codex").account("ana@acme.test")
	if got := d.names(account); got != "unknown" || tokens.status != http.StatusOK {
		t.Errorf("groups are %s", got)
	}
	j.stuck.Store(false)
	d.makeDue(account)
	d.eventually("they are learned", func() bool { return d.names(account) == "developers" })
}

func TestARenamedGroupKeepsItsID(t *testing.T) {
	j := &jira{}
	d := deploy(t, j.before(t))
	account, _ := d.connect("Codex").account("ana@acme.test")
	before := d.groups(account).List
	j.renamed.Store(strings.NewReplacer(`"developers"`, `"engineers"`))
	d.makeDue(account)
	d.eventually("the new name is shown", func() bool { return d.names(account) == "engineers" })
	if after := d.groups(account).List; before[0].ID == "" || after[0].ID != before[0].ID {
		t.Errorf("the group was %+v and is %+v", before, after)
	}
}

func TestChangedGroupsBindWithoutSigningInAgain(t *testing.T) {
	d := deploy(t)
	account, _ := d.connect("Codex").account("ana@acme.test")
	before := d.groups(account)
	d.makeDue(account)
	d.eventually("they are learned again", func() bool { return d.groups(account).LearnedAt.After(before.LearnedAt) })
	same := d.groups(account)
	if same.Rev != before.Rev {
		t.Error("unchanged groups have another revision")
	}
	d.change("people/ana@acme.test/groups", `["site-admins"]`)
	d.makeDue(account)
	d.eventually("the change is learned", func() bool { return d.names(account) == "site-admins" })
	after := d.groups(account)
	if after.Rev == same.Rev {
		t.Error("changed groups have the same revision")
	}
	due := time.UnixMilli(int64(d.redis().ZScore(t.Context(), dueKey, account).Val()))
	if want := after.LearnedAt.Add(state.GroupsAhead); !due.Equal(want) {
		t.Errorf("they are due at %s, want %s", due, want)
	}
}

func TestGroupsAreKeptForAnHourWhileJiraFails(t *testing.T) {
	d := deploy(t)
	account, _ := d.connect("Codex").account("ana@acme.test")
	before := d.groups(account)
	d.change("lose_groups", "503")
	d.makeDue(account)
	d.eventually("a lookup fails", func() bool { return strings.Contains(d.log.String(), "groups not learned") })
	if diff := cmp.Diff(before, d.groups(account)); diff != "" {
		t.Errorf("a failed lookup changed them (-before +after):\n%s", diff)
	}
	// The hour passes.
	d.redis().PExpire(t.Context(), "{sallyport}:groups:"+account, time.Millisecond)
	d.eventually("they are unknown", func() bool { return d.names(account) == "unknown" })
	d.change("lose_groups", "0")
	d.makeDue(account)
	d.eventually("they are known again", func() bool { return d.names(account) == "developers" })
}

// Redis's clock says both when the pause ends and when groups were learned.
func TestJiraGetsItsPause(t *testing.T) {
	j := &jira{}
	d := deploy(t, j.before(t))
	replica := d.serve(nativetest.FreeAddress(t))
	ana, _ := d.connect("Codex").account("ana@acme.test")
	bo, _ := d.connect("Codex").account("bo@acme.test")
	d.change("lose_groups", "429")
	d.makeDue(ana)
	var ends time.Time
	d.eventually("lookups pause", func() bool {
		at := d.redis().PExpireTime(t.Context(), pauseKey).Val()
		ends = time.UnixMilli(at.Milliseconds())
		return at > 0
	})
	d.change("lose_groups", "0")
	asked := j.count("accountId=")
	d.makeDue(ana, bo)
	if err := d.lookUp(replica, ana); !strings.Contains(err, "wants a pause; try again in") {
		t.Errorf("looking up at another replica: %s", err)
	}
	if got := j.count("accountId="); got != asked {
		t.Errorf("Jira was asked %d times in its pause", got-asked)
	}
	for _, account := range []string{ana, bo} {
		d.eventually("lookups go on after it", func() bool { return !d.groups(account).LearnedAt.Before(ends) })
	}
}

func TestReplicasShareTheLookups(t *testing.T) {
	j := &jira{}
	d := deploy(t, j.before(t))
	d.serve(nativetest.FreeAddress(t))
	var accounts []string
	before := map[string]state.Groups{}
	for _, email := range []string{"ana@acme.test", "bo@acme.test", "cy@acme.test"} {
		account, _ := d.connect("Codex").account(email)
		accounts, before[account] = append(accounts, account), d.groups(account)
	}
	d.makeDue(accounts...)
	for _, account := range accounts {
		d.eventually("all are learned", func() bool { return d.groups(account).LearnedAt.After(before[account].LearnedAt) })
		if got := j.count("accountId=" + account); got != 2 {
			t.Errorf("%s was looked up %d times, want once at sign-in and once more", account, got)
		}
	}
	if got := j.count("user/groups"); got != 6 {
		t.Errorf("Jira was asked %d times, want 6", got)
	}
}

func TestWithoutASessionNobodyIsLookedUp(t *testing.T) {
	d := deploy(t)
	account, _ := d.connect("Codex").account("ana@acme.test")
	d.makeDue(account)
	d.redis().ZAdd(t.Context(), watchedKey, redis.Z{Score: 1, Member: account})
	d.eventually("the person is off the list", func() bool {
		people, err := d.store.WatchedPeople(t.Context())
		return err == nil && len(people) == 0
	})
}

func TestAssistantsRefreshWaitsForJiraOnlyWhereItMust(t *testing.T) {
	j := &jira{}
	d := deploy(t, j.before(t))
	a := d.connect("Codex")
	account, tokens := a.account("ana@acme.test")
	d.change("people/ana@acme.test/groups", `["site-admins"]`)
	asked := j.count("accountId=")
	d.redis().ZAdd(t.Context(), watchedKey, redis.Z{Score: float64(time.Now().Add(time.Minute).UnixMilli()), Member: account})
	tokens = a.refresh(tokens.text("refresh_token"))
	if got := j.count("accountId="); got != asked || d.names(account) != "developers" {
		t.Errorf("fresh groups were asked for %d times", got-asked)
	}
	until := time.UnixMilli(int64(d.redis().ZScore(t.Context(), watchedKey, account).Val()))
	if time.Until(until) < state.AccessLife/2 {
		t.Errorf("watched until %s only", until)
	}

	// Who was off the list may have missed an invalidation.
	d.redis().ZRem(t.Context(), dueKey, account)
	tokens = a.refresh(tokens.text("refresh_token"))
	if got := d.names(account); got != "site-admins" {
		t.Errorf("groups of somebody who wasn't watched weren't learned again: %s", got)
	}

	d.change("people/ana@acme.test/groups", `["contractors"]`)
	d.redis().Del(t.Context(), "{sallyport}:groups:"+account)
	old := state.Groups{Known: true, LearnedAt: time.Now().Add(-state.GroupsAhead)}
	if _, err := d.store.SaveGroups(t.Context(), account, old); err != nil {
		t.Fatal(err)
	}
	a.refresh(tokens.text("refresh_token"))
	if got := d.names(account); got != "contractors" {
		t.Errorf("groups of four minutes ago weren't learned again: %s", got)
	}
}
