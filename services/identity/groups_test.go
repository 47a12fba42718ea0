package identity_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"sallyport/services/identity"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/state"
)

const (
	scopedToken = "ATSTT-stand-in-scoped-token"
	cloudID     = "6b1f2c84-93d5-4e0a-8c77-5a2e9d04f1b3"

	dueKey     = "{sallyport}:groups-due"
	watchedKey = "{sallyport}:groups-watched"
	pauseKey   = "{sallyport}:groups-pause"
)

// scoped configures a scoped token in the place of the classic one.
func scoped(t *testing.T) func(*identity.Config) {
	return func(cfg *identity.Config) {
		cfg.JiraURL, cfg.JiraUser, cfg.JiraCloudID = "", "", cloudID
		cfg.JiraTokenFile = filepath.Join(t.TempDir(), "scoped.token")
		write(t, cfg.JiraTokenFile, scopedToken)
	}
}

func withoutDirectory(cfg *identity.Config) {
	cfg.JiraURL, cfg.JiraUser, cfg.JiraTokenFile = "", "", ""
}

// jira is the way to the stand-in's Jira. It counts what is asked there, gives pages of two, and
// gets stuck.
type jira struct {
	stuck atomic.Bool

	mu    sync.Mutex
	calls []string
}

func (j *jira) before(t *testing.T) func(*identity.Config) {
	return func(cfg *identity.Config) {
		target, err := url.Parse(cfg.JiraURL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			query := r.Out.URL.Query()
			if query.Has("maxResults") {
				query.Set("maxResults", "2")
				r.Out.URL.RawQuery = query.Encode()
			}
			call, _ := url.QueryUnescape(r.In.URL.RequestURI())
			j.mu.Lock()
			defer j.mu.Unlock()
			j.calls = append(j.calls, call)
		}}
		way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if j.stuck.Load() {
				<-r.Context().Done()
				return
			}
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(way.Close)
		cfg.JiraURL = way.URL
	}
}

func (j *jira) count(about string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	count := 0
	for _, call := range j.calls {
		if strings.Contains(call, about) {
			count++
		}
	}
	return count
}

func (d *deployment) redis() *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: d.cfg.Redis})
	d.t.Cleanup(func() { _ = client.Close() })
	return client
}

func (d *deployment) groups(account string) state.Groups {
	d.t.Helper()
	groups, err := d.store.Groups(d.t.Context(), account)
	if err != nil {
		d.t.Fatal(err)
	}
	return groups
}

// names are a person's groups that bind the next call; "unknown" where they are.
func (d *deployment) names(account string) string {
	d.t.Helper()
	groups := d.groups(account)
	if !groups.Known {
		return "unknown"
	}
	var names []string
	for _, g := range groups.List {
		names = append(names, g.Name)
	}
	return strings.Join(names, " ")
}

// makeDue lets the minutes pass until people's groups are due to be learned again.
func (d *deployment) makeDue(accounts ...string) {
	d.t.Helper()
	for _, account := range accounts {
		changed, err := d.redis().ZAddArgs(d.t.Context(), dueKey, redis.ZAddArgs{XX: true, Ch: true, Members: []redis.Z{{Score: 1, Member: account}}}).Result()
		if err != nil || changed != 1 {
			d.t.Fatalf("%s isn't on the list, error %v", account, err)
		}
	}
}

func (d *deployment) eventually(what string, holds func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			d.t.Fatalf("it doesn't come about that %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

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

	d.redis().Del(t.Context(), "{sallyport}:groups:"+account)
	old := state.Groups{Known: true, LearnedAt: time.Now().Add(-state.GroupsAhead)}
	if _, err := d.store.SaveGroups(t.Context(), account, old); err != nil {
		t.Fatal(err)
	}
	a.refresh(tokens.text("refresh_token"))
	if got := d.names(account); got != "site-admins" {
		t.Errorf("groups of four minutes ago weren't learned again: %s", got)
	}
}
