package state_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/state"
)

// signIn does for a person what identity does in a sign-in and the exchange of its code.
func signIn(t *testing.T, store *state.Store, account, name string) (state.Grant, state.Pair) {
	t.Helper()
	must(t, store.SaveUpstream(t.Context(), account, state.Upstream{Access: []byte("sealed"), Refresh: []byte("other"), ExpiresAt: time.Now().Add(time.Hour)}))
	_, err := store.WatchGroups(t.Context(), account, state.AccessLife)
	must(t, err)
	_, err = store.SaveGroups(t.Context(), account, state.Groups{Known: true, LearnedAt: time.Now()})
	must(t, err)
	grant := state.Grant{ID: "grant of " + name, Rev: "r1", AccountID: account, Email: account + "@acme.test"}
	must(t, store.CreateGrant(t.Context(), grant, "code of "+name, state.Code{GrantID: grant.ID}))
	pair := state.Pair{Access: state.TokenHash("access of " + name), Family: "family of " + name, Refresh: "secret"}
	must(t, store.Issue(t.Context(), grant, pair))
	return grant, pair
}

// kept are the keys that have a person's account id in them, or in their values.
func kept(t *testing.T, client *redis.Client, account string) []string {
	t.Helper()
	keys, err := client.Keys(t.Context(), "{sallyport}:*:"+account).Result()
	must(t, err)
	for _, set := range []string{"{sallyport}:groups-due", "{sallyport}:groups-watched"} {
		if client.ZScore(t.Context(), set, account).Err() == nil {
			keys = append(keys, set)
		}
	}
	return keys
}

func TestEndPerson(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	first, pair := signIn(t, store, "ana", "ana's first")
	signIn(t, store, "ana", "ana's second")
	_, others := signIn(t, store, "bo", "bo")
	must(t, client.HSet(ctx, "{sallyport}:consent:ana", "client", "1").Err())
	if got := kept(t, client, "ana"); len(got) != 7 {
		t.Fatalf("of a person who is signed in there is %q", got)
	}
	ended, err := store.EndPerson(ctx, "ana")
	if err != nil || ended.Grants != 2 || ended.AccountID != "ana" || ended.Upstream == nil || string(ended.Upstream.Refresh) != "other" || string(ended.Upstream.Access) != "sealed" {
		t.Errorf("ended %+v, error %v", ended, err)
	}
	if got := kept(t, client, "ana"); len(got) != 2 {
		t.Errorf("of a person who was signed out there is %q, want consents and e-mail addresses", got)
	}
	_, err = store.SessionGrant(ctx, pair.Access, mcpResource)
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the access token's grant: %v", err)
	}
	err = store.Rotate(ctx, first, pair.Refresh, state.Pair{Access: "next", Family: pair.Family, Refresh: "next"})
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the refresh token: %v", err)
	}
	_, err = store.SessionGrant(ctx, others.Access, mcpResource)
	must(t, err)
	_, err = store.EndPerson(ctx, "ana")
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("ending nobody: %v", err)
	}
	account, err := store.AccountOf(ctx, "ANA@acme.test")
	if account != "ana" {
		t.Errorf("an admin can't name the person any more: %q, %v", account, err)
	}
	ended, err = store.ForgetPerson(ctx, "ana")
	if err != nil || ended.Grants != 0 || ended.Upstream != nil {
		t.Errorf("forgetting after that ended %+v, error %v", ended, err)
	}
	if got := kept(t, client, "ana"); len(got) > 0 {
		t.Errorf("of a person who was forgotten there is %q", got)
	}
	_, err = store.AccountOf(ctx, "ana@acme.test")
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the e-mail address of a person who was forgotten: %v", err)
	}
}

// TestForgetPersonLeavesOthers forgets somebody whose e-mail address is another person's now.
func TestForgetPersonLeavesOthers(t *testing.T) {
	store, _ := open(t)
	signIn(t, store, "ana", "ana")
	other := state.Grant{ID: "other", Rev: "r1", AccountID: "bo", Email: "ana@acme.test"}
	must(t, store.SaveUpstream(t.Context(), "bo", state.Upstream{}))
	must(t, store.CreateGrant(t.Context(), other, "code", state.Code{GrantID: other.ID}))
	_, err := store.ForgetPerson(t.Context(), "ana")
	must(t, err)
	account, err := store.AccountOf(t.Context(), "ana@acme.test")
	if err != nil || account != "bo" {
		t.Errorf("the address is %q's, error %v", account, err)
	}
}

func TestEndGrant(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	first, pair := signIn(t, store, "ana", "ana's first")
	second, other := signIn(t, store, "ana", "ana's second")
	ended, err := store.EndGrant(ctx, first.ID)
	if err != nil || ended.AccountID != "ana" || ended.Grants != 1 || ended.Upstream != nil {
		t.Errorf("ending one of two: %+v, error %v", ended, err)
	}
	_, err = store.SessionGrant(ctx, pair.Access, mcpResource)
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the access token of the ended one: %v", err)
	}
	_, err = store.SessionGrant(ctx, other.Access, mcpResource)
	must(t, err)
	_, err = store.EndGrant(ctx, first.ID)
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("ending it again: %v", err)
	}
	ended, err = store.EndGrant(ctx, second.ID)
	if err != nil || ended.Upstream == nil || string(ended.Upstream.Refresh) != "other" {
		t.Errorf("ending the last one: %+v, error %v", ended, err)
	}
	// Consents and the address outlive connections.
	if got := kept(t, client, "ana"); len(got) != 1 {
		t.Errorf("after the last one there is %q", got)
	}
}

// TestAdminsGrantNeedsNoAtlassianToken ends the one assistant of somebody who is signed in to the console, too.
func TestAdminsGrantNeedsNoAtlassianToken(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	assistant, _ := signIn(t, store, "ana", "ana")
	admin, _ := adminSignIn(t, store, "ana")
	must(t, client.HSet(ctx, "{sallyport}:groups:ana", "rev", "r1").Err())
	ended, err := store.EndGrant(ctx, assistant.ID)
	if err != nil || ended.Upstream == nil {
		t.Errorf("ending the assistant: %+v, error %v", ended, err)
	}
	for key, want := range map[string]int64{"grant:" + admin.ID: 1, "groups:ana": 1, "upstream:ana": 0} {
		got, err := client.Exists(ctx, "{sallyport}:"+key).Result()
		if err != nil || got != want {
			t.Errorf("there are %d of %s, want %d, error %v", got, key, want, err)
		}
	}
	ended, err = store.EndGrant(ctx, admin.ID)
	if err != nil || ended.Upstream != nil {
		t.Errorf("ending the admin's: %+v, error %v", ended, err)
	}
	got, err := client.Exists(ctx, "{sallyport}:groups:ana").Result()
	if err != nil || got != 0 {
		t.Errorf("groups are kept of nobody, error %v", err)
	}
}

// TestReplayOfTheLastGrant tells what has ended, so that it is revoked.
func TestReplayOfTheLastGrant(t *testing.T) {
	for name, replay := range map[string]func(*state.Store, state.Grant, state.Pair) error{
		"a code": func(store *state.Store, _ state.Grant, _ state.Pair) error {
			_, err := store.RedeemCode(t.Context(), "code of ana")
			must(t, err)
			_, err = store.RedeemCode(t.Context(), "code of ana")
			return err
		},
		"a refresh token": func(store *state.Store, g state.Grant, p state.Pair) error {
			return store.Rotate(t.Context(), g, "never given", state.Pair{Access: "next", Family: p.Family, Refresh: "next"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, _ := open(t)
			grant, pair := signIn(t, store, "ana", "ana")
			err := replay(store, grant, pair)
			replayed, ok := errors.AsType[*state.ReplayedError](err)
			if !errors.Is(err, state.ErrReplayed) || !ok || replayed.Ended.Upstream == nil || replayed.Ended.AccountID != "ana" {
				t.Errorf("got %v, %+v", err, replayed)
			}
			_, err = store.Upstream(t.Context(), "ana")
			if !errors.Is(err, state.ErrNotFound) {
				t.Errorf("the Atlassian token: %v", err)
			}
		})
	}
}

// TestWhatIsUnderWayEndsWithThePerson takes a person out in the middle of what identity does for them.
func TestWhatIsUnderWayEndsWithThePerson(t *testing.T) {
	ends := state.Grant{ID: "new", Rev: "r1", AccountID: "ana"}
	for name, rest := range map[string]func(*state.Store, state.Grant, *state.Upstream) error{
		"a sign-in": func(store *state.Store, _ state.Grant, _ *state.Upstream) error {
			return store.CreateGrant(t.Context(), ends, "code", state.Code{GrantID: ends.ID})
		},
		"an exchange of a code": func(store *state.Store, known state.Grant, _ *state.Upstream) error {
			return store.Issue(t.Context(), known, state.Pair{Access: "next", Family: "next", Refresh: "next"})
		},
		"a refresh of a token": func(store *state.Store, known state.Grant, _ *state.Upstream) error {
			return store.Rotate(t.Context(), known, "secret", state.Pair{Access: "next", Family: "family of ana", Refresh: "next"})
		},
		"a refresh at Atlassian": func(store *state.Store, _ state.Grant, u *state.Upstream) error {
			return store.RenewUpstream(t.Context(), "ana", u.Rev, state.Upstream{Access: []byte("next"), ExpiresAt: time.Now()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, client := open(t)
			known, _ := signIn(t, store, "ana", "ana")
			upstream, err := store.Upstream(t.Context(), "ana")
			must(t, err)
			_, err = store.EndPerson(t.Context(), "ana")
			must(t, err)

			// Each of them watches the person's groups, and learns them, on its way.
			_, err = store.WatchGroups(t.Context(), "ana", state.AccessLife)
			must(t, err)
			changed, err := store.SaveGroups(t.Context(), "ana", state.Groups{Known: true, LearnedAt: time.Now()})
			if err != nil || changed {
				t.Errorf("groups were stored: %v, %v", changed, err)
			}
			err = rest(store, known, upstream)
			if !errors.Is(err, state.ErrNotFound) {
				t.Errorf("got %v", err)
			}
			if got := kept(t, client, "ana"); len(got) > 1 { // By what address admins can name them stays.
				t.Errorf("brought back %q", got)
			}
			if client.Exists(t.Context(), "{sallyport}:grant:new", "{sallyport}:session:next").Val() > 0 {
				t.Error("brought back a grant or a session")
			}
		})
	}
}

// TestEndPersonAtAnyMoment removes a person again and again while assistants of theirs sign in and
// call. Whatever was removed stays so when the person signs in anew: no half of a sign-in is left
// that the other half of a later one completes.
func TestEndPersonAtAnyMoment(t *testing.T) {
	store, client := open(t)
	const workers, rounds = 8, 40
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			for round := range rounds {
				err := signInAndCall(t, store, grantNamed(worker, round))
				if !errors.Is(err, state.ErrNotFound) && !errors.Is(err, state.ErrRevoked) {
					t.Error(err)
				}
			}
		})
	}
	stopped := make(chan struct{})
	go func() { running.Wait(); close(stopped) }()
	for removing := true; removing; {
		_, err := store.EndPerson(t.Context(), "ana")
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			t.Fatal(err)
		}
		select {
		case <-stopped:
			removing = false
		default:
		}
	}
	if got := client.Keys(t.Context(), "{sallyport}:grant:*").Val(); len(got) > 0 {
		t.Errorf("left over: %q", got)
	}
	must(t, store.SaveUpstream(t.Context(), "ana", state.Upstream{ExpiresAt: time.Now().Add(time.Hour)}))
	for worker := range workers {
		for round := range rounds {
			err := call(t, store, grantNamed(worker, round))
			if !errors.Is(err, state.ErrRevoked) {
				t.Errorf("a token of a removed sign-in gave %v", err)
			}
		}
	}
}

func grantNamed(worker, round int) state.Grant {
	return state.Grant{ID: fmt.Sprintf("g-%d-%d", worker, round), Rev: "r1", AccountID: "ana"}
}

// signInAndCall signs Ana in and calls until she is removed.
func signInAndCall(t *testing.T, store *state.Store, grant state.Grant) error {
	err := store.SaveUpstream(t.Context(), "ana", state.Upstream{ExpiresAt: time.Now().Add(time.Hour)})
	if err == nil {
		err = store.CreateGrant(t.Context(), grant, "code of "+grant.ID, state.Code{GrantID: grant.ID})
	}
	if err == nil {
		err = store.Issue(t.Context(), grant, state.Pair{Access: state.TokenHash(grant.ID), Family: grant.ID, Refresh: "secret"})
	}
	for err == nil {
		err = call(t, store, grant)
	}
	return err
}

func call(t *testing.T, store *state.Store, grant state.Grant) error {
	_, err := store.Decide(t.Context(), state.Basis{TokenHash: state.TokenHash(grant.ID), Grant: grant}, 1<<30, entry(grant.ID))
	return err
}
