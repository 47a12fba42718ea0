package state_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/state"
)

const callback = "https://sallyport.acme.test/mcp/callback"

func TestObservedIsWhatWasSeenLast(t *testing.T) {
	store, _ := open(t)
	ctx := t.Context()
	must(t, store.Observe(ctx, callback, state.DomainRefused, state.Note{Code: "a", Text: "first"}))
	must(t, store.Observe(ctx, callback, state.DomainRefused, state.Note{Code: "b", Text: strings.Repeat("ü", 400) + "\xff"}))
	seen, err := store.Observed(ctx)
	must(t, err)
	got := seen.Last[state.DomainRefused]
	if seen.Callback != callback || got.Code != "b" || got.Text != strings.Repeat("ü", 299)+"…" || time.Since(got.At) > time.Minute {
		t.Errorf("seen was %+v", seen)
	}
	must(t, store.Observe(ctx, "https://other.acme.test/mcp/callback", state.Registered, state.Note{}))
	seen, err = store.Observed(ctx)
	must(t, err)
	if len(seen.Last) != 1 || seen.Last[state.Registered].At.IsZero() {
		t.Errorf("with another callback seen was %+v", seen)
	}
}

func TestSignInsThatNeverCameBack(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	const key = "{sallyport}:observed-out"
	at := time.Now().Add(-11 * time.Minute).Truncate(time.Millisecond)
	send := func(hash string) {
		t.Helper()
		must(t, store.ObserveSignIn(ctx, callback, hash))
	}
	count := func(want int64) state.Observed {
		t.Helper()
		seen, err := store.Observed(ctx)
		must(t, err)
		if seen.NotReturned != want {
			t.Errorf("%d never came back, want %d", seen.NotReturned, want)
		}
		return seen
	}
	for _, hash := range []string{"a", "b", "c"} {
		send(hash)
	}
	count(0)
	for _, hash := range []string{"a", "b", "c"} {
		must(t, client.ZAdd(ctx, key, redis.Z{Score: float64(at.UnixMilli()), Member: hash}).Err())
	}
	must(t, store.ObserveReturn(ctx, callback, "b"))
	if seen := count(2); !seen.NotReturnedSince.Equal(at) {
		t.Errorf("since %s, want %s", seen.NotReturnedSince, at)
	}
	must(t, store.Observe(ctx, callback, state.SignedIn, state.Note{}))
	count(0)
	// Anybody can begin sign-ins: they don't fill Redis.
	for i := range 1010 {
		send(fmt.Sprint("flood", i))
	}
	if n := client.ZCard(ctx, key).Val(); n != 1000 {
		t.Errorf("%d are kept, want 1000", n)
	}
}
