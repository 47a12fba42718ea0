package state_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/state"
)

const anasGroups = "{sallyport}:groups:ana"

func save(t *testing.T, store *state.Store, at time.Time, list ...state.Group) bool {
	t.Helper()
	changed, err := store.SaveGroups(t.Context(), "ana", state.Groups{Known: true, List: list, LearnedAt: at})
	must(t, err)
	return changed
}

func groupsOf(t *testing.T, store *state.Store, account string) state.Groups {
	t.Helper()
	groups, err := store.Groups(t.Context(), account)
	must(t, err)
	return groups
}

func TestGroupsEndByThemselves(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	learned := groupsOf(t, store, "ana").LearnedAt
	ends := client.PExpireTime(t.Context(), anasGroups).Val()
	if got := time.UnixMilli(ends.Milliseconds()); !got.Equal(learned.Add(state.GroupsLife)) {
		t.Fatalf("learned at %s, they end at %s", learned, got)
	}

	// The hour is over, and no service did anything.
	must(t, client.PExpire(t.Context(), anasGroups, time.Millisecond).Err())
	for client.Exists(t.Context(), anasGroups).Val() > 0 {
		time.Sleep(time.Millisecond)
	}
	verdict, err := store.Decide(t.Context(), basis, limit, entry("late"))
	must(t, err)
	if verdict.Written || verdict.Fresh.Groups.Known || len(verdict.Fresh.Groups.List) > 0 {
		t.Fatalf("a decision on groups that have ended: %+v", verdict)
	}
	verdict.Fresh.UpstreamRev = basis.UpstreamRev
	if after := settle(t, store, verdict.Fresh); after.Groups.Known {
		t.Fatalf("settled on %+v", after.Groups)
	}

	save(t, store, time.Now().Add(-state.GroupsLife))
	if got := groupsOf(t, store, "ana"); got.Known {
		t.Errorf("groups that were learned an hour ago are %+v", got)
	}
}

func TestUnchangedGroupsDecideNothingAgain(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	start := groupsOf(t, store, "ana").LearnedAt
	a, b, renamed := state.Group{ID: "1", Name: "a"}, state.Group{ID: "2", Name: "b"}, state.Group{ID: "1", Name: "c"}
	if !save(t, store, start.Add(1*time.Second), a, b) {
		t.Error("another list is no change")
	}
	basis.Groups = groupsOf(t, store, "ana")
	if save(t, store, start.Add(2*time.Second), b, a) {
		t.Error("another order is a change")
	}
	if got := groupsOf(t, store, "ana"); got.Rev != basis.Groups.Rev || !got.LearnedAt.Equal(start.Add(2*time.Second)) {
		t.Errorf("unchanged groups are %+v, were %+v", got, basis.Groups)
	}
	verdict, err := store.Decide(t.Context(), basis, limit, entry("same"))
	must(t, err)
	if !verdict.Written {
		t.Error("unchanged groups made a decision stale")
	}
	if save(t, store, start.Add(time.Second), renamed) || groupsOf(t, store, "ana").Rev != basis.Groups.Rev {
		t.Error("groups that were asked for earlier replaced later ones")
	}
	if !save(t, store, start.Add(3*time.Second), renamed, b) {
		t.Error("another name is no change")
	}
}

// watch puts people on the list, all due at once, the first the longest.
func watch(t *testing.T, store *state.Store, client *redis.Client, count int) []string {
	t.Helper()
	people := make([]string, count)
	for i := range people {
		people[i] = fmt.Sprintf("p%03d", i)
		must(t, store.SaveUpstream(t.Context(), people[i], state.Upstream{}))
		_, err := store.WatchGroups(t.Context(), people[i], state.AccessLife)
		must(t, err)
		must(t, client.ZAdd(t.Context(), "{sallyport}:groups-due", redis.Z{Score: float64(i), Member: people[i]}).Err())
	}
	return people
}

func claim(t *testing.T, store *state.Store, limit int) []string {
	t.Helper()
	claimed, err := store.ClaimGroups(t.Context(), limit)
	must(t, err)
	return claimed
}

func TestEverybodyIsClaimedOnce(t *testing.T) {
	store, client := open(t)
	people := watch(t, store, client, 150)
	if first := claim(t, store, 3); !slices.Equal(first, people[:3]) {
		t.Errorf("claimed %v first", first)
	}
	var wait sync.WaitGroup
	batches := make(chan []string, 200)
	for range 4 {
		wait.Go(func() {
			for {
				batch, err := store.ClaimGroups(t.Context(), 4)
				if err != nil {
					t.Error(err)
				}
				if len(batch) == 0 {
					return
				}
				batches <- batch
			}
		})
	}
	wait.Wait()
	close(batches)
	var claimed []string
	for batch := range batches {
		claimed = append(claimed, batch...)
	}
	slices.Sort(claimed)
	if !slices.Equal(claimed, people[3:]) {
		t.Errorf("claimed %v", claimed)
	}
}

func TestLearnedGroupsAreDueAheadOfTheirEnd(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	now := time.Now()
	must(t, store.SaveUpstream(ctx, "ana", state.Upstream{}))
	save(t, store, now)
	if people, err := store.WatchedPeople(ctx); err != nil || len(people) > 0 {
		t.Errorf("watched without being asked: %v, error %v", people, err)
	}
	for _, want := range []bool{false, true} {
		already, err := store.WatchGroups(ctx, "ana", state.AccessLife)
		must(t, err)
		if already != want {
			t.Errorf("on the list already: %v", already)
		}
	}
	if got := claim(t, store, 1); len(got) > 0 {
		t.Error("who was just put on the list belongs to who did")
	}
	due := func() time.Time {
		return time.UnixMilli(int64(client.ZScore(ctx, "{sallyport}:groups-due", "ana").Val()))
	}
	save(t, store, now)
	if want := now.Add(state.GroupsAhead).Truncate(time.Millisecond); !due().Equal(want) {
		t.Errorf("known groups are due at %s, want %s", due(), want)
	}
	_, err := store.SaveGroups(ctx, "ana", state.Groups{LearnedAt: now})
	must(t, err)
	if want := now.Add(state.GroupsRetry).Truncate(time.Millisecond); !due().Equal(want) {
		t.Errorf("unknown groups are due at %s, want %s", due(), want)
	}
}

func TestNobodyIsClaimedInAPause(t *testing.T) {
	store, client := open(t)
	watch(t, store, client, 1)
	must(t, store.PauseGroups(t.Context(), time.Minute))
	left, err := store.GroupsPause(t.Context())
	must(t, err)
	if got := claim(t, store, 1); len(got) > 0 || left <= 0 || left > time.Minute {
		t.Errorf("claimed %v in a pause of %s", got, left)
	}
	must(t, client.Del(t.Context(), "{sallyport}:groups-pause").Err())
	if got := claim(t, store, 1); len(got) != 1 {
		t.Errorf("claimed %v after the pause", got)
	}
}

func TestWhoHasNoSessionIsWatchedNoLonger(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	people := watch(t, store, client, 3)
	until := client.ZScore(ctx, "{sallyport}:groups-watched", people[0]).Val()
	if left := time.Until(time.UnixMilli(int64(until))); left > state.AccessLife || left < state.AccessLife-time.Minute {
		t.Errorf("watched for %s", left)
	}
	must(t, client.ZAdd(ctx, "{sallyport}:groups-watched", redis.Z{Score: 1, Member: people[0]}).Err())
	_, err := store.EndPerson(ctx, people[1])
	must(t, err)
	if got := claim(t, store, 10); !slices.Equal(got, people[2:]) {
		t.Errorf("claimed %v", got)
	}
	if got, err := store.WatchedPeople(ctx); err != nil || !slices.Equal(got, people[2:]) {
		t.Errorf("watched are %v, error %v", got, err)
	}
}
