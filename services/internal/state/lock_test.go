package state_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

func TestLock(t *testing.T) {
	store := state.Open(redistest.Start(t))
	t.Cleanup(func() { _ = store.Close() })
	late, err := store.Lock(t.Context(), "test", 150*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	second, err := store.Lock(t.Context(), "test", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// The first holder's time ran out; its late unlock must not take the lock from the second.
	late()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = store.Lock(ctx, "test", time.Minute)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a lock that is held was given away: %v", err)
	}
	second()
	_, err = store.Lock(t.Context(), "test", time.Minute)
	if err != nil {
		t.Error(err)
	}
}
