package state_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

const (
	limit = 100
	// What tokens are for.
	mcpResource, adminResource = "https://sallyport.test/mcp", "https://console.test"
)

// signedIn puts a signed-in person into Redis as identity does, and returns the basis of a first
// decision: nothing known but the grant's id.
func signedIn(t *testing.T, store *state.Store, client redis.Cmdable) state.Basis {
	t.Helper()
	ctx := t.Context()
	hash := state.TokenHash("token")
	must(t, client.Set(ctx, "{sallyport}:session:"+hash, "g1", time.Hour).Err())
	must(t, client.HSet(ctx, "{sallyport}:grant:g1", "id", "g1", "rev", "r1", "account_id", "ana", "client_key", "claude").Err())
	must(t, store.SaveUpstream(ctx, "ana", state.Upstream{Access: []byte("sealed"), Refresh: []byte("other"), ExpiresAt: time.Now().Add(time.Hour)}))
	_, err := store.SaveGroups(ctx, "ana", state.Groups{Known: true, List: []state.Group{{ID: "1", Name: "developers"}}, LearnedAt: time.Now()})
	must(t, err)
	_, err = store.SavePolicy(ctx, 0, []byte(`{"default":"allow"}`), state.Save{})
	must(t, err)
	grant, err := store.SessionGrant(ctx, hash, mcpResource)
	must(t, err)
	grant.Rev = ""
	return state.Basis{TokenHash: hash, Grant: grant}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func entry(id string) []state.Entry {
	return []state.Entry{{ID: id, Index: "sallyport-activity-2026.11.23", Document: []byte(`{}`)}}
}

// settle decides until it is written, and returns the basis that held.
func settle(t *testing.T, store *state.Store, basis state.Basis) state.Basis {
	t.Helper()
	for range 3 {
		verdict, err := store.Decide(t.Context(), basis, limit, entry("settle"))
		must(t, err)
		if verdict.Upstream != nil {
			basis.UpstreamRev = verdict.Upstream.Rev
		}
		if verdict.Written {
			return basis
		}
		verdict.Fresh.UpstreamRev = basis.UpstreamRev
		basis = verdict.Fresh
	}
	t.Fatal("never written")
	return basis
}

func open(t *testing.T) (*state.Store, *redis.Client) {
	t.Helper()
	address := redistest.Start(t)
	store := state.Open(address)
	client := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = store.Close(); _ = client.Close() })
	return store, client
}

func TestDecideWritesOnlyWhatHolds(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	if basis.Policy.Version != 1 || !basis.Groups.Known || basis.Groups.List[0].Name != "developers" || basis.Grant.ClientKey != "claude" {
		t.Fatalf("the fresh basis is %+v", basis)
	}

	changes := []struct {
		name   string
		change func() error
		check  func(state.Basis) bool
	}{
		{"a saved policy", func() error { _, err := store.SavePolicy(t.Context(), 1, []byte(`{}`), state.Save{}); return err },
			func(b state.Basis) bool { return b.Policy.Version == 2 && string(b.Policy.Document) == `{}` }},
		{"changed groups", func() error {
			_, err := store.SaveGroups(t.Context(), "ana", state.Groups{Known: true, LearnedAt: time.Now()})
			return err
		}, func(b state.Basis) bool { return b.Groups.Known && len(b.Groups.List) == 0 }},
		{"groups that can't be learned", func() error {
			_, err := store.SaveGroups(t.Context(), "ana", state.Groups{LearnedAt: time.Now()})
			return err
		}, func(b state.Basis) bool { return !b.Groups.Known }},
		{"groups that were forgotten", func() error { return client.Del(t.Context(), "{sallyport}:groups:ana").Err() },
			func(b state.Basis) bool { return !b.Groups.Known && b.Groups.Rev == "" }},
		{"a changed grant", func() error {
			return client.HSet(t.Context(), "{sallyport}:grant:g1", "rev", "r2", "client_key", "cursor").Err()
		}, func(b state.Basis) bool { return b.Grant.ClientKey == "cursor" }},
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			must(t, c.change())
			before := client.XLen(t.Context(), "{sallyport}:activity").Val()
			verdict, err := store.Decide(t.Context(), basis, limit, entry("stale"))
			must(t, err)
			if verdict.Written || !c.check(verdict.Fresh) {
				t.Fatalf("got %+v", verdict)
			}
			if after := client.XLen(t.Context(), "{sallyport}:activity").Val(); after != before {
				t.Errorf("a stale decision was written down")
			}
			upstream := basis.UpstreamRev
			basis = verdict.Fresh
			basis.UpstreamRev = upstream
			basis = settle(t, store, basis)
		})
	}
}

func TestDecideHandsOutTheAtlassianTokenOnce(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	verdict, err := store.Decide(t.Context(), basis, limit, entry("again"))
	must(t, err)
	if !verdict.Written || verdict.Upstream != nil {
		t.Fatalf("a token that the caller has was sent again: %+v", verdict)
	}
	must(t, store.SaveUpstream(t.Context(), "ana", state.Upstream{Access: []byte("renewed"), ExpiresAt: time.Unix(5, 0)}))
	verdict, err = store.Decide(t.Context(), basis, limit, entry("renewed"))
	must(t, err)
	if !verdict.Written || string(verdict.Upstream.Access) != "renewed" || len(verdict.Upstream.Refresh) > 0 || !verdict.Upstream.ExpiresAt.Equal(time.Unix(5, 0)) {
		t.Fatalf("the renewed token came as %+v", verdict.Upstream)
	}
}

func TestDecideRefusesWhatHasEnded(t *testing.T) {
	ends := map[string]string{"session": "{sallyport}:session:" + state.TokenHash("token"), "grant": "{sallyport}:grant:g1", "atlassian token": "{sallyport}:upstream:ana"}
	for name, key := range ends {
		t.Run(name, func(t *testing.T) {
			store, client := open(t)
			basis := settle(t, store, signedIn(t, store, client))
			must(t, client.Del(t.Context(), key).Err())
			_, err := store.Decide(t.Context(), basis, limit, entry("late"))
			if !errors.Is(err, state.ErrRevoked) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestDecideRefusesWhenTheStreamIsFull(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	_, err := store.Decide(t.Context(), basis, 1, entry("over"))
	if !errors.Is(err, state.ErrStreamFull) {
		t.Fatalf("got %v", err)
	}
}

func TestFunctionsComeBackAfterRedisLostThem(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	must(t, client.FunctionFlush(t.Context()).Err())
	settle(t, store, basis)
}

func TestStreamIsHandedOutUntilIndexed(t *testing.T) {
	store, _ := open(t)
	ctx := t.Context()
	for i := range 3 {
		must(t, store.AppendOutcomes(ctx, entry(fmt.Sprint("e", i))))
	}
	first, err := store.ReadWaiting(ctx, "one", 2, time.Second, false)
	must(t, err)
	again, err := store.ReadWaiting(ctx, "one", 10, time.Second, true)
	must(t, err)
	if len(first) != 2 || len(again) != 2 || again[0].ID != "e0" {
		t.Fatalf("first %v, again %v", first, again)
	}
	taken, err := store.TakeOver(ctx, "two", 10, 0)
	must(t, err)
	if len(taken) != 2 {
		t.Fatalf("took over %v", taken)
	}
	must(t, store.Indexed(ctx, taken))
	length, behind, err := store.StreamLength(ctx)
	must(t, err)
	if length != 1 || behind < 0 || behind > time.Minute {
		t.Fatalf("%d wait, %s behind", length, behind)
	}
}

// TestIndexedTo hands entries to two indexers that finish in another order than they began.
func TestIndexedTo(t *testing.T) {
	store, _ := open(t)
	ctx := t.Context()
	at := func() string {
		t.Helper()
		to, err := store.IndexedTo(ctx)
		must(t, err)
		return to
	}
	if got := at(); got != "" {
		t.Errorf("before the first record everything is indexed up to %q", got)
	}
	for i := range 4 {
		must(t, store.AppendOutcomes(ctx, entry(fmt.Sprint("e", i))))
	}
	one, err := store.ReadWaiting(ctx, "one", 2, time.Second, false)
	must(t, err)
	two, err := store.ReadWaiting(ctx, "two", 1, time.Second, false)
	must(t, err)
	must(t, store.Indexed(ctx, two))
	if got := at(); got >= state.Sequence(one[0].Position) {
		t.Errorf("up to %s while %s is not indexed", got, one[0].Position)
	}
	must(t, store.Indexed(ctx, one[:1]))
	if got := at(); got < state.Sequence(one[0].Position) || got >= state.Sequence(one[1].Position) {
		t.Errorf("up to %s while %s is the first that isn't", got, one[1].Position)
	}
	must(t, store.Indexed(ctx, one[1:]))
	if got := at(); got != state.Sequence(two[0].Position) {
		t.Errorf("up to %s, want %s: the fourth isn't handed out yet", got, two[0].Position)
	}
}

func TestSequencesAreInTheOrderOfTheStream(t *testing.T) {
	in := []string{"0-1", "9-18446744073709551615", "10-0", "1732541234567-2", "1732541234567-10", "1732541234568-0"}
	for i := 1; i < len(in); i++ {
		if state.Sequence(in[i-1]) >= state.Sequence(in[i]) {
			t.Errorf("%s is not before %s", in[i-1], in[i])
		}
	}
	if got := state.Sequence("x"); got != "" {
		t.Errorf("got %q of no position", got)
	}
}
