package state_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sallyport/services/internal/state"
)

func TestTokensOfAFailedSignInEndSoon(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	save := func(account string) time.Duration {
		t.Helper()
		must(t, store.SaveUpstream(ctx, account, state.Upstream{Access: []byte("sealed"), Refresh: []byte("other"), ExpiresAt: time.Now().Add(time.Hour)}))
		left, err := client.TTL(ctx, "{sallyport}:upstream:"+account).Result()
		must(t, err)
		return left
	}
	if left := save("ana"); left <= 0 || left > 5*time.Minute {
		t.Errorf("without a grant they live for %v", left)
	}
	signIn(t, store, "ana", "ana")
	if left := save("ana"); left < state.RefreshLife-time.Minute {
		t.Errorf("a second sign-in that fails leaves the first's %v", left)
	}
	must(t, client.Expire(ctx, "{sallyport}:upstream:ana", time.Second).Err())
	if left := save("ana"); left < time.Minute {
		t.Errorf("about to end, they live for %v after another sign-in", left)
	}
	must(t, client.Persist(ctx, "{sallyport}:upstream:ana").Err())
	if left := save("ana"); left >= 0 {
		t.Errorf("what had no end has one in %v", left)
	}
}

func TestReseal(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	signIn(t, store, "ana", "ana")
	former, err := store.Upstream(ctx, "ana")
	must(t, err)
	done, err := store.ResealUpstream(ctx, "ana", former, []byte("new access"), []byte("new refresh"))
	must(t, err)
	now, err := store.Upstream(ctx, "ana")
	must(t, err)
	left, err := client.TTL(ctx, "{sallyport}:upstream:ana").Result()
	must(t, err)
	if !done || string(now.Access) != "new access" || string(now.Refresh) != "new refresh" || now.Rev != former.Rev || !now.ExpiresAt.Equal(former.ExpiresAt) || left < state.RefreshLife-time.Minute {
		t.Errorf("resealed %t: %+v for %v, was %+v", done, now, left, former)
	}
	done, err = store.ResealUpstream(ctx, "ana", former, []byte("late"), []byte("late"))
	must(t, err)
	_, endErr := store.EndPerson(ctx, "ana")
	must(t, endErr)
	again, err := store.ResealUpstream(ctx, "ana", now, []byte("late"), []byte("late"))
	must(t, err)
	_, err = store.Upstream(ctx, "ana")
	if done || again || !errors.Is(err, state.ErrNotFound) {
		t.Errorf("what had changed was resealed: %t; what had ended: %t, %v", done, again, err)
	}
}

func TestPeopleWithUpstream(t *testing.T) {
	store, _ := open(t)
	var want, got []string
	for i := range 2500 {
		account := fmt.Sprintf("712020:%04d", i)
		want = append(want, account)
		must(t, store.SaveUpstream(t.Context(), account, state.Upstream{Access: []byte("sealed")}))
	}
	must(t, store.SaveUpstreamClient(t.Context(), "https://auth.acme.test", "https://sallyport.acme.test/mcp/callback", "client"))
	must(t, store.PeopleWithUpstream(t.Context(), func(account string) error { got = append(got, account); return nil }))
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("%d people came, want %d", len(got), len(want))
	}
	failed := errors.New("failed")
	err := store.PeopleWithUpstream(t.Context(), func(string) error { return failed })
	if !errors.Is(err, failed) {
		t.Errorf("an error got lost: %v", err)
	}
}
