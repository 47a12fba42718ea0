package state_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/internal/state"
)

func TestEverySaveIsAVersion(t *testing.T) {
	store, _ := open(t)
	ctx := t.Context()
	var want []state.Policy
	for i, text := range []string{`{"first":1}`, `{"second":1}`, `{"third":1}`} {
		save := state.Save{At: time.Date(2026, 11, 23, 12, i, 0, 0, time.UTC), By: "ana", Message: "because " + text}
		version, err := store.SavePolicy(ctx, int64(i), []byte(text), save)
		must(t, err)
		want = append(want, state.Policy{Version: int64(i + 1), Document: []byte(text), Save: save})
		if version != int64(i+1) {
			t.Fatalf("save %d became version %d", i+1, version)
		}
	}
	got, err := store.PolicyVersions(ctx, 0, 9)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	inForce, err := store.Policy(ctx)
	must(t, err)
	want[2].Mark = inForce.Mark
	if diff := cmp.Diff(want[2], inForce); diff != "" {
		t.Error(diff)
	}
	second, err := store.PolicyVersion(ctx, 2)
	must(t, err)
	if diff := cmp.Diff(want[1], second); diff != "" {
		t.Error(diff)
	}
	_, err = store.PolicyVersion(ctx, 4)
	if !errors.Is(err, state.ErrNotFound) {
		t.Errorf("version 4: %v", err)
	}
}

func TestSavePolicyFromAnOldVersionIsAConflict(t *testing.T) {
	store, _ := open(t)
	ctx := t.Context()
	for version, text := range []string{`{"first":1}`, `{"mine":1}`} {
		_, err := store.SavePolicy(ctx, int64(version), []byte(text), state.Save{})
		must(t, err)
	}
	for _, base := range []int64{0, 1, 3} {
		version, err := store.SavePolicy(ctx, base, []byte(`{"theirs":1}`), state.Save{})
		if !errors.Is(err, state.ErrConflict) || version != 2 {
			t.Fatalf("from version %d: got version %d, %v", base, version, err)
		}
	}
	inForce, err := store.Policy(ctx)
	must(t, err)
	kept, err := store.PolicyVersions(ctx, 1, 9)
	must(t, err)
	if string(inForce.Document) != `{"mine":1}` || len(kept) != 2 {
		t.Fatalf("in force: %+v, kept %d", inForce, len(kept))
	}
}
