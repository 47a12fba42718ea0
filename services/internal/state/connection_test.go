package state_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sallyport/services/internal/state"
)

// manyConnections signs in this many assistants, three in each millisecond, and returns the ids of
// their grants as they are listed.
func manyConnections(t *testing.T, store *state.Store, n int) []string {
	t.Helper()
	at := time.Now().Add(-time.Hour)
	ids := make([]string, n)
	for i := range ids {
		account := fmt.Sprint("person ", i%7)
		grant := state.Grant{
			ID: fmt.Sprintf("grant %04d", i), Rev: "1", AccountID: account, Email: account + "@acme.test",
			ClientKey: []string{"claude", "cursor"}[i%2], ClientName: []string{"Claude", "Cursor"}[i%2],
			CreatedAt: at.Add(time.Duration(i/3) * time.Millisecond),
		}
		must(t, store.SaveUpstream(t.Context(), account, state.Upstream{}))
		must(t, store.CreateGrant(t.Context(), grant, "code of "+grant.ID, state.Code{GrantID: grant.ID}))
		ids[n-1-i] = grant.ID
	}
	return ids
}

// listed reads all pages of a query.
func listed(t *testing.T, store *state.Store, q state.ConnectionQuery) []string {
	t.Helper()
	var ids []string
	for {
		page, next, err := store.Connections(t.Context(), q)
		must(t, err)
		if len(page) > q.Limit {
			t.Fatalf("a page of %d has %d", q.Limit, len(page))
		}
		for _, c := range page {
			ids = append(ids, c.ID)
		}
		if next == (state.Place{}) {
			return ids
		}
		q.After = next
	}
}

func TestConnectionsByPage(t *testing.T) {
	store, client := open(t)
	if got := listed(t, store, state.ConnectionQuery{Limit: 10}); len(got) > 0 {
		t.Errorf("of nobody there is %q", got)
	}
	all := manyConnections(t, store, 1200)
	keep := func(some func(i int) bool) (ids []string) {
		for n, id := range all {
			if some(len(all) - 1 - n) {
				ids = append(ids, id)
			}
		}
		return ids
	}
	for name, test := range map[string]struct {
		query state.ConnectionQuery
		want  []string
	}{
		"all":                   {state.ConnectionQuery{Limit: 7}, all},
		"all at once":           {state.ConnectionQuery{Limit: len(all)}, all},
		"a person's":            {state.ConnectionQuery{AccountID: "person 3", Limit: 10}, keep(func(i int) bool { return i%7 == 3 })},
		"an assistant's":        {state.ConnectionQuery{Client: "CURSOR", Limit: 100}, keep(func(i int) bool { return i%2 == 1 })},
		"both":                  {state.ConnectionQuery{AccountID: "person 3", Client: "claude", Limit: 3}, keep(func(i int) bool { return i%14 == 10 })},
		"nobody's":              {state.ConnectionQuery{AccountID: "nobody", Limit: 3}, nil},
		"of an unknown program": {state.ConnectionQuery{Client: "nothing", Limit: 3}, nil},
	} {
		if got := listed(t, store, test.query); !slices.Equal(got, test.want) {
			t.Errorf("%s: %d connections, want %d: %q", name, len(got), len(test.want), got)
		}
	}

	// One that has ended, and one that ran out, are no longer listed, and leave the list.
	_, err := store.EndGrant(t.Context(), all[5])
	must(t, err)
	must(t, client.Del(t.Context(), "{sallyport}:grant:"+all[6]).Err())
	want := slices.Delete(slices.Clone(all), 5, 7)
	if got := listed(t, store, state.ConnectionQuery{Limit: 100}); !slices.Equal(got, want) {
		t.Errorf("after two have ended: %d connections", len(got))
	}
	if n := client.ZCard(t.Context(), "{sallyport}:connections").Val(); n != int64(len(want)) {
		t.Errorf("the list has %d entries", n)
	}
}

// TestConnectionsThatNobodyLists are forgotten once they have run out, as new ones are made.
func TestConnectionsThatNobodyLists(t *testing.T) {
	store, client := open(t)
	for _, id := range manyConnections(t, store, 30) {
		must(t, client.Del(t.Context(), "{sallyport}:grant:"+id).Err())
	}
	manyConnections(t, store, 1)
	if n := client.ZCard(t.Context(), "{sallyport}:connections").Val(); n > 26 {
		t.Errorf("the list has %d entries, 29 of which are over", n)
	}
}

func TestConnectionTells(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	grant, _ := signIn(t, store, "ana", "ana")
	page, _, err := store.Connections(ctx, state.ConnectionQuery{Limit: 10})
	must(t, err)
	if len(page) != 1 || !page[0].UsedAt.IsZero() || time.Until(page[0].ExpiresAt) < state.RefreshLife-time.Minute {
		t.Fatalf("before a call: %+v", page)
	}
	must(t, client.HSet(ctx, "{sallyport}:grant:"+grant.ID, "client_info", "claude-code 2.1.330").Err())
	basis := settle(t, store, state.Basis{TokenHash: state.TokenHash("access of ana"), Grant: state.Grant{ID: grant.ID, AccountID: "ana"}})
	page, _, err = store.Connections(ctx, state.ConnectionQuery{Limit: 10})
	must(t, err)
	if used := time.Since(page[0].UsedAt); used < 0 || used > time.Minute || page[0].ClientInfo != "claude-code 2.1.330" {
		t.Errorf("after a call: %+v", page[0])
	}

	// To the minute: not every call writes it.
	recently := time.Now().Add(-30 * time.Second).Unix()
	for _, test := range []struct{ before, least int64 }{{recently, recently}, {recently - 60, recently + 1}} {
		must(t, client.HSet(ctx, "{sallyport}:grant:"+grant.ID, "used_at", test.before).Err())
		verdict, err := store.Decide(ctx, basis, limit, entry("call"))
		must(t, err)
		known, err := store.Grant(ctx, grant.ID)
		must(t, err)
		if !verdict.Written || known.UsedAt.Unix() < test.least || test.least == recently && known.UsedAt.Unix() != recently {
			t.Errorf("used at %d before, at %d after a call", test.before, known.UsedAt.Unix())
		}
	}
}
