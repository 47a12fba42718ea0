package state_test

import (
	"errors"
	"testing"
	"time"

	"sallyport/services/internal/state"
)

// place says which session or task of a request was somebody else's; -1 for none.
func place(t *testing.T, store *state.Store, basis state.Basis) int {
	t.Helper()
	_, err := store.Decide(t.Context(), basis, limit, entry("bound"))
	if foreign, ok := errors.AsType[*state.ForeignError](err); ok {
		return foreign.Place
	}
	must(t, err)
	return -1
}

func TestSessionsAndTasksBelongToWhoeverUsedThemFirst(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	session, task := state.SessionHash("one"), state.TaskHash("one")
	basis.Bound = []string{session, task}
	if got := place(t, store, basis); got != -1 {
		t.Fatalf("what is nobody's was refused: %d", got)
	}
	key := "{sallyport}:bound:" + session
	must(t, client.Expire(t.Context(), key, time.Minute).Err())
	if got := place(t, store, basis); got != -1 {
		t.Fatalf("their own was refused: %d", got)
	}
	if life := client.TTL(t.Context(), key).Val(); life < 23*time.Hour {
		t.Errorf("after another use it is remembered for %s", life)
	}

	// The same person with another client, and another person with the same one.
	other, bo := basis, basis
	other.Grant.ClientID = "another"
	bo.Grant.AccountID = "ana\nbo"
	if got := place(t, store, other); got != 0 {
		t.Errorf("another client of the person got through: %d", got)
	}
	if bo.Grant.Holder() == basis.Grant.Holder() {
		t.Error("another person is the same holder")
	}
	before := client.XLen(t.Context(), "{sallyport}:activity").Val()
	other.Bound = []string{state.SessionHash("two"), task}
	if got := place(t, store, other); got != 1 {
		t.Errorf("another client got at the task: %d", got)
	}
	if client.Exists(t.Context(), "{sallyport}:bound:"+state.SessionHash("two")).Val() != 0 {
		t.Error("a refused request bound its session")
	}
	if after := client.XLen(t.Context(), "{sallyport}:activity").Val(); after != before {
		t.Error("a refused request was written down as allowed")
	}
}

func TestBindSessionTakesNothingAway(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	basis.Bound = []string{state.SessionHash("one")}
	must(t, store.BindSession(t.Context(), state.SessionHash("one"), "somebody else"))
	must(t, store.BindSession(t.Context(), state.SessionHash("one"), basis.Grant.Holder()))
	if got := place(t, store, basis); got != 0 {
		t.Errorf("a session changed hands: %d", got)
	}
}

func TestClaimIsKeptWithTheGrant(t *testing.T) {
	store, client := open(t)
	basis := settle(t, store, signedIn(t, store, client))
	basis.Claim = state.Claim{Info: "cursor-vscode 1.0", Mismatch: true, Rev: "r2"}
	verdict, err := store.Decide(t.Context(), basis, limit, entry("claim"))
	must(t, err)
	if !verdict.Written {
		t.Fatal("it wasn't written")
	}
	// Whoever decided with the grant as it was decides again.
	basis.Claim = state.Claim{}
	verdict, err = store.Decide(t.Context(), basis, limit, entry("claim"))
	must(t, err)
	if g := verdict.Fresh.Grant; verdict.Written || g.ClientInfo != "cursor-vscode 1.0" || !g.ClientMismatch || g.Rev != "r2" || g.ClientKey != "claude" {
		t.Errorf("the grant is %+v", g)
	}
}
