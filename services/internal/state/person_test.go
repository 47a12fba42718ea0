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
	if got := kept(t, client, "ana"); len(got) != 5 {
		t.Fatalf("of a person who is signed in there is %q", got)
	}
	grants, err := store.EndPerson(ctx, "ana")
	if err != nil || grants != 2 {
		t.Errorf("ended %d grants, error %v", grants, err)
	}
	if got := kept(t, client, "ana"); len(got) > 0 {
		t.Errorf("of a person who was removed there is %q", got)
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
			if got := kept(t, client, "ana"); len(got) > 0 {
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
