package state_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// durable returns a Redis that can be killed, and a store and a client on it.
func durable(t *testing.T) (*redistest.Server, *state.Store, *redis.Client) {
	t.Helper()
	server := redistest.StartDurable(t)
	store := state.Open(server.Address)
	client := redis.NewClient(&redis.Options{Addr: server.Address})
	t.Cleanup(func() { _ = store.Close(); _ = client.Close() })
	return server, store, client
}

// inStream waits until the stream has as many entries, and compares their records' ids with those wanted,
// in any order. It waits a while more for those that there shouldn't be.
func inStream(t *testing.T, client redis.Cmdable, want ...string) {
	t.Helper()
	var got []string
	for deadline := time.Now().Add(10 * time.Second); len(got) < len(want) && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		got = idsIn(t, client)
	}
	time.Sleep(100 * time.Millisecond)
	got = idsIn(t, client)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the stream has %q, want %q", got, want)
	}
}

func idsIn(t *testing.T, client redis.Cmdable) []string {
	t.Helper()
	messages, err := client.XRange(t.Context(), "{sallyport}:activity", "-", "+").Result()
	must(t, err)
	var ids []string
	for _, m := range messages {
		id, _ := m.Values["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

func TestWhatRedisHasAnsweredAndLostIsWrittenAgain(t *testing.T) {
	server, store, client := durable(t)
	basis := settle(t, store, signedIn(t, store, client))
	size := server.Written()
	verdict, err := store.Decide(t.Context(), basis, limit, entry("decision"))
	if err != nil || !verdict.Written {
		t.Fatalf("got %+v, error %v", verdict, err)
	}
	must(t, store.AppendOutcomes(t.Context(), append(entry("outcome 1"), entry("outcome 2")...)))
	must(t, store.AppendAct(t.Context(), limit, entry("act")[0]))
	server.Kill()
	server.Lose(size)
	server.Start()
	must(t, store.Ready(t.Context()))
	inStream(t, client, "settle", "decision", "outcome 1", "outcome 2", "act")
	if n := store.Restored(); n != 4 {
		t.Errorf("%d were restored, want 4", n)
	}
	messages, err := client.XRange(t.Context(), "{sallyport}:activity", "-", "+").Result()
	must(t, err)
	kinds := map[any]any{}
	for _, m := range messages {
		kinds[m.Values["id"]] = m.Values["kind"]
	}
	if kinds["decision"] != "decision" || kinds["outcome 1"] != "outcome" || kinds["act"] != "act" {
		t.Errorf("they are of the kinds %v", kinds)
	}
}

// An entry that is there, or was until it was indexed, keeps its place: live tails read by it.
func TestWhatRedisHasIsntWrittenAgain(t *testing.T) {
	server, store, client := durable(t)
	must(t, store.AppendOutcomes(t.Context(), append(entry("indexed"), entry("waiting")...)))
	waiting, err := store.ReadWaiting(t.Context(), "i", 1, time.Millisecond, false)
	must(t, err)
	must(t, store.Indexed(t.Context(), waiting))
	for range 2 {
		server.Kill()
		server.Start()
		must(t, store.Ready(t.Context()))
		inStream(t, client, "waiting")
	}
	if n := store.Restored(); n != 0 {
		t.Errorf("%d were restored", n)
	}
}

// Another replica can be quicker to write into the Redis that came back, and Redis can be killed once more.
func TestRestoredAfterOthersHaveWritten(t *testing.T) {
	server, store, client := durable(t)
	must(t, store.AppendOutcomes(t.Context(), entry("kept")))
	size := server.Written()
	must(t, store.AppendOutcomes(t.Context(), entry("lost")))
	for i, id := range []string{"other 1", "other 2"} {
		server.Kill()
		if i == 0 {
			server.Lose(size)
		}
		server.Start()
		other := state.Open(server.Address)
		must(t, other.AppendOutcomes(t.Context(), entry(id)))
		must(t, other.Close())
	}
	must(t, store.Ready(t.Context()))
	// Which of these Redis has isn't known after two ends of it: it may have them twice, and has each.
	for deadline := time.Now().Add(10 * time.Second); !slices.Contains(idsIn(t, client), "lost"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the stream has %q", idsIn(t, client))
		}
	}
	// What was restored is remembered like what was written, for the next time.
	size = server.Written()
	must(t, store.AppendOutcomes(t.Context(), entry("last")))
	server.Kill()
	server.Lose(size)
	server.Start()
	must(t, store.Ready(t.Context()))
	for deadline := time.Now().Add(10 * time.Second); !slices.Contains(idsIn(t, client), "last"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the stream has %q", idsIn(t, client))
		}
	}
}

func TestRestoredIntoAnEmptyRedis(t *testing.T) {
	server, store, client := durable(t)
	must(t, store.AppendOutcomes(t.Context(), append(entry("a"), entry("b")...)))
	server.Kill()
	server.Lose(0)
	server.Start()
	must(t, store.Ready(t.Context()))
	inStream(t, client, "a", "b")
}

// What was lost is older than what is remembered when Redis comes back, and others are written first.
func TestRestoredAfterALongTime(t *testing.T) {
	server, store, client := durable(t)
	must(t, store.AppendOutcomes(t.Context(), entry("kept")))
	size := server.Written()
	must(t, store.AppendOutcomes(t.Context(), entry("lost")))
	server.Kill()
	server.Lose(size)
	time.Sleep(6 * time.Second)
	server.Start()
	want := []string{"kept", "lost"}
	var writing sync.WaitGroup
	for n := range 16 {
		id := fmt.Sprint("next ", n)
		want = append(want, id)
		writing.Go(func() {
			err := store.AppendOutcomes(t.Context(), entry(id))
			if err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	inStream(t, client, want...)
}
