package state_test

import (
	"errors"
	"testing"
	"time"

	"sallyport/services/internal/state"
)

// adminSignIn does for a person what identity does in a sign-in to the admin API by the command line.
func adminSignIn(t *testing.T, store *state.Store, account string) (state.Grant, state.Pair) {
	t.Helper()
	grant := state.Grant{ID: "admin grant of " + account, Rev: "r1", AccountID: account, Email: account + "@acme.test", Resource: adminResource}
	must(t, store.CreateGrant(t.Context(), grant, "admin code of "+account, state.Code{GrantID: grant.ID}))
	pair := state.Pair{Access: state.TokenHash("admin access of " + account), Family: "admin family of " + account, Refresh: "secret"}
	must(t, store.Issue(t.Context(), grant, pair))
	return grant, pair
}

// TestAttackTokenOfAnotherAudience shows each token where the other one belongs.
func TestAttackTokenOfAnotherAudience(t *testing.T) {
	store, _ := open(t)
	ctx := t.Context()
	_, assistants := signIn(t, store, "ana", "ana")
	grant, admins := adminSignIn(t, store, "ana")
	for _, c := range []struct {
		name, token, resource string
		works                 bool
	}{
		// The assistant's grant is one of before grants had a resource.
		{"an assistant's at the MCP endpoint", assistants.Access, mcpResource, true},
		{"an assistant's at the admin API", assistants.Access, adminResource, false},
		{"an admin's at the admin API", admins.Access, adminResource, true},
		{"an admin's at the MCP endpoint", admins.Access, mcpResource, false},
		{"an admin's at another console", admins.Access, "https://other.test", false},
		{"an assistant's at nothing", assistants.Access, "", false},
		{"an admin's at nothing", admins.Access, "", false},
	} {
		_, err := store.SessionGrant(ctx, c.token, c.resource)
		if works := err == nil; works != c.works || err != nil && !errors.Is(err, state.ErrNotFound) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, resource := range []string{mcpResource, ""} {
		_, err := store.Decide(ctx, state.Basis{TokenHash: admins.Access, Grant: grant, Resource: resource}, limit, entry("e"))
		if !errors.Is(err, state.ErrRevoked) {
			t.Errorf("deciding by an admin's token at %q: %v", resource, err)
		}
	}
}

// TestAdminGrantLeavesTheOthersAlone signs in to the admin API beside an assistant: what lives for 30 days must
// not end in 7.
func TestAdminGrantLeavesTheOthersAlone(t *testing.T) {
	store, client := open(t)
	signIn(t, store, "ana", "ana")
	grant, pair := adminSignIn(t, store, "ana")
	must(t, store.Rotate(t.Context(), grant, pair.Refresh, state.Pair{Access: "next", Family: pair.Family, Refresh: "next"}))
	for key, least := range map[string]time.Duration{
		"upstream:ana": 29 * 24 * time.Hour, "grants:ana": 29 * 24 * time.Hour, "grant:" + grant.ID: 6 * 24 * time.Hour,
	} {
		life, err := client.TTL(t.Context(), "{sallyport}:"+key).Result()
		must(t, err)
		if life < least || life > 30*24*time.Hour {
			t.Errorf("%s lives for %v", key, life)
		}
	}
	ended, err := store.EndPerson(t.Context(), "ana")
	if err != nil || ended.Grants != 2 {
		t.Errorf("ended %d grants, error %v", ended.Grants, err)
	}
	_, err = store.SessionGrant(t.Context(), pair.Access, adminResource)
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("an admin who was removed is still signed in: %v", err)
	}
}

// TestGroupsOfAnAdminAreKept learns the groups of somebody who has no assistant, as long as they are signed in.
func TestGroupsOfAnAdminAreKept(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	groups := state.Groups{Known: true, LearnedAt: time.Now(), List: []state.Group{{ID: "1", Name: "atlassian-admins"}}}
	save := func() bool {
		t.Helper()
		_, err := store.WatchGroups(ctx, "bo", 8*time.Hour)
		must(t, err)
		changed, err := store.SaveGroups(ctx, "bo", groups)
		must(t, err)
		watched, err := store.WatchedPeople(ctx)
		must(t, err)
		return changed && len(watched) == 1
	}
	if save() {
		t.Error("groups are kept of somebody who isn't signed in")
	}
	grant, _ := adminSignIn(t, store, "bo")
	if !save() {
		t.Error("the groups of an admin aren't kept")
	}
	_, err := store.EndGrant(ctx, grant.ID)
	must(t, err)
	must(t, client.Del(ctx, "{sallyport}:groups:bo", "{sallyport}:groups-due", "{sallyport}:groups-watched").Err())
	if save() {
		t.Error("groups are kept of an admin who signed out")
	}
}

func TestSessionWithoutRefresh(t *testing.T) {
	store, client := open(t)
	ctx := t.Context()
	grant := state.Grant{ID: "g", Rev: "r1", AccountID: "ana", Resource: adminResource}
	must(t, store.CreateGrant(ctx, grant, "code", state.Code{GrantID: "g"}))
	must(t, store.IssueSession(ctx, grant, "access", 8*time.Hour))
	for _, key := range []string{"session:access", "grant:g"} {
		life, err := client.TTL(ctx, "{sallyport}:"+key).Result()
		must(t, err)
		if life <= 7*time.Hour || life > 8*time.Hour {
			t.Errorf("%s lives for %v", key, life)
		}
	}
	_, err := store.EndGrant(ctx, "g")
	must(t, err)
	err = store.IssueSession(ctx, grant, "again", time.Hour)
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("a session of a grant that has ended: %v", err)
	}
}
