package state_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// roomy is a limit that no test's stream reaches.
const roomy = 1_000_000

// load decides again and again, as several replicas at a time do, and keeps what was answered.
type load struct {
	store   *state.Store
	basis   state.Basis
	stop    context.CancelFunc
	running sync.WaitGroup
	failed  atomic.Int64

	mu sync.Mutex
	// written are the ids of decisions that were answered as written, and last and gap when that was, and the longest
	// time in which none was.
	written []string
	last    time.Time
	gap     time.Duration
}

func startLoad(t *testing.T, store *state.Store, basis state.Basis) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{store: store, basis: basis, stop: stop, last: time.Now()}
	for caller := range 8 {
		l.running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.decide(ctx, fmt.Sprintf("%d-%d", caller, n))
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	return l
}

func (l *load) decide(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	verdict, err := l.store.Decide(ctx, l.basis, roomy, entry(id))
	if err != nil || !verdict.Written {
		l.failed.Add(1)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written = append(l.written, id)
	l.gap, l.last = max(l.gap, time.Since(l.last)), time.Now()
}

// goesOn waits until as many more decisions are written.
func (l *load) goesOn(t *testing.T, more int) {
	t.Helper()
	count := func() int { l.mu.Lock(); defer l.mu.Unlock(); return len(l.written) }
	before := count()
	for deadline := time.Now().Add(20 * time.Second); count() < before+more; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("only %d decisions were written in 20 seconds, want %d", count()-before, more)
		}
	}
}

// end stops the load, and fails the test where something isn't in the stream that was answered.
func (l *load) end(t *testing.T, client redis.Cmdable) {
	t.Helper()
	l.stop()
	l.running.Wait()
	must(t, l.store.Ready(t.Context()))
	var missing []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		there := map[string]int{}
		for _, id := range idsIn(t, client) {
			there[id]++
		}
		missing = slices.DeleteFunc(slices.Clone(l.written), func(id string) bool { return there[id] > 0 })
		if len(missing) == 0 {
			break
		}
	}
	t.Logf("%d written, of which %d were written again; %d failed; longest gap %v", len(l.written), l.store.Restored(), l.failed.Load(), l.gap.Round(time.Millisecond))
	if len(missing) > 0 {
		t.Errorf("%d decisions of %d that were answered aren't in the stream: %q", len(missing), len(l.written), missing[:min(5, len(missing))])
	}
}

// overtaken is a set-up in which a replica takes over from the primary.
type overtaken struct {
	signIn           state.SignIn
	addresses        string
	primary, replica *redistest.Server
	client           redis.UniversalClient
}

// overtakings start such set-ups.
func overtakings(t *testing.T) map[string]func() overtaken {
	return map[string]func() overtaken{
		"sentinel": func() overtaken {
			s := redistest.StartSentinels(t)
			return overtaken{state.SignIn{SentinelMaster: redistest.Master}, s.Addresses, s.Primary, s.Replica,
				redis.NewClient(&redis.Options{Addr: s.Replica.Address})}
		},
		"cluster": func() overtaken {
			c := redistest.StartCluster(t, "{sallyport}")
			return overtaken{state.SignIn{Cluster: true}, c.Addresses(), c.Owner, c.Replica,
				redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{c.Replica.Address}})}
		},
	}
}

// TestFailover kills the primary under load, a second after its replica has heard from it the last time.
func TestFailover(t *testing.T) {
	for name, start := range overtakings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with := start()
			defer with.client.Close()
			store, err := with.signIn.Open(with.addresses)
			must(t, err)
			defer store.Close()
			first := redis.NewClient(&redis.Options{Addr: with.primary.Address})
			defer first.Close()
			basis := settle(t, store, signedIn(t, store, first))
			_, err = store.SaveRoles(t.Context(), 0, nil, state.Save{})
			must(t, err)
			must(t, store.CreateAPIToken(t.Context(), "hash", apiToken()))
			must(t, store.RevokeAPIToken(t.Context(), "ci", "ana"))

			alone(t, store, false)

			load := startLoad(t, store, basis)
			load.goesOn(t, 300)
			with.primary.Cut()
			load.goesOn(t, 300)
			_, err = store.SaveRoles(t.Context(), 1, nil, state.Save{})
			if !errors.Is(err, state.ErrNotOnDisk) {
				t.Errorf("roles are saved without a replica: %v, want ErrNotOnDisk", err)
			}
			with.primary.Kill()
			load.goesOn(t, 300)
			load.end(t, with.client)
			alone(t, store, true)

			if store.Restored() < 300 {
				t.Errorf("%d decisions were written again, want those of the time in which the primary was cut off", store.Restored())
			}
			roles, err := store.Roles(t.Context())
			if err != nil || roles.Version < 1 {
				t.Errorf("the roles have version %d, error %v; version 1 was answered", roles.Version, err)
			}
			_, err = store.UseAPIToken(t.Context(), "hash")
			if !errors.Is(err, state.ErrRevoked) {
				t.Errorf("a revoked token is used: %v", err)
			}
		})
	}
}

// alone is what the status is told of replicas.
func alone(t *testing.T, store *state.Store, want bool) {
	t.Helper()
	keeps, err := store.Durability(t.Context())
	if err != nil || keeps.Alone != want {
		t.Errorf("Redis is alone: %v, error %v; want %v", keeps.Alone, err, want)
	}
}

// TestCluster decides, saves, reads the stream and ends a sign-in on a cluster, also after its keys have moved to a
// node that never had the functions.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, "{sallyport}")
	store, err := state.SignIn{Cluster: true}.Open(c.Addresses())
	must(t, err)
	defer store.Close()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{c.Owner.Address}})
	defer client.Close()
	ctx := t.Context()
	must(t, store.Ready(ctx))
	basis := settle(t, store, signedIn(t, store, client))
	must(t, store.AppendAct(ctx, roomy, entry("act")[0]))
	other := redis.NewClient(&redis.Options{Addr: c.Others[0].Address})
	defer other.Close()
	must(t, other.FunctionFlush(ctx).Err())
	c.Move(c.Others[0])
	written(t, store, basis, "after the move")
	must(t, store.AppendOutcomes(ctx, entry("outcome")))
	inStream(t, client, "settle", "act", "after the move", "outcome")
	if n := store.Restored(); n != 0 {
		t.Errorf("%d entries were written again, that weren't lost", n)
	}

	waiting, err := store.ReadWaiting(ctx, "i", 10, time.Second, false)
	must(t, err)
	must(t, store.Indexed(ctx, waiting))
	inStream(t, client)
	_, err = store.SavePolicy(ctx, 1, []byte(`{}`), state.Save{})
	must(t, err)
	verdict, err := store.Decide(ctx, basis, limit, entry("stale"))
	if err != nil || verdict.Written || verdict.Fresh.Policy.Version != 2 {
		t.Errorf("after a save got %+v, error %v; want the new policy", verdict, err)
	}
	people := 0
	must(t, store.PeopleWithUpstream(ctx, func(string) error { people++; return nil }))
	if people != 1 {
		t.Errorf("%d people have tokens, want 1", people)
	}
	_, err = store.EndGrant(ctx, "g1")
	must(t, err)
	_, err = store.Decide(ctx, basis, limit, entry("revoked"))
	if !errors.Is(err, state.ErrRevoked) {
		t.Errorf("after the end of the grant: %v", err)
	}
}

func written(t *testing.T, store *state.Store, basis state.Basis, id string) {
	t.Helper()
	verdict, err := store.Decide(t.Context(), basis, limit, entry(id))
	if err != nil || !verdict.Written {
		t.Errorf("%s: got %+v, error %v; want it written", id, verdict, err)
	}
}

func TestReplicaIsNotReady(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	store := state.Open(s.Replica.Address)
	defer store.Close()
	err := store.Ready(t.Context())
	if err == nil || !strings.Contains(err.Error(), "replica") {
		t.Errorf("a replica is taken for ready: %v", err)
	}
}
