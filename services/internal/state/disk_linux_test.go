package state_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// syncing returns a Redis that syncs its file as Sallyport's own stack has it do, a store and a client on it.
func syncing(t *testing.T) (*redistest.Server, *state.Store, *redis.Client) {
	t.Helper()
	server := redistest.StartSyncing(t, "everysec")
	store := state.Open(server.Address)
	client := redis.NewClient(&redis.Options{Addr: server.Address})
	t.Cleanup(func() { _ = store.Close(); _ = client.Close() })
	return server, store, client
}

// change is something that an admin does, or that ends a sign-in.
type change struct {
	name string
	// make is done after prepare, and holds says whether it is there.
	prepare, make func(context.Context, *state.Store) error
	holds         func(context.Context, *state.Store) bool
}

var ana = state.Grant{ID: "g1", Rev: "1", AccountID: "ana", Email: "ana@acme.test"}

func signAnaIn(ctx context.Context, store *state.Store) error {
	return errors.Join(
		store.SaveUpstream(ctx, ana.AccountID, state.Upstream{ExpiresAt: time.Now().Add(time.Hour)}),
		store.CreateGrant(ctx, ana, "code", state.Code{GrantID: ana.ID}),
		store.Issue(ctx, ana, state.Pair{Access: "access", Family: "family", Refresh: "secret"}))
}

func anaIsOut(ctx context.Context, store *state.Store) bool {
	_, err := store.Grant(ctx, ana.ID)
	return errors.Is(err, state.ErrNotFound)
}

func apiToken() state.APIToken {
	now := time.Now()
	return state.APIToken{Name: "ci", Role: "viewer", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func changes() []change {
	nothing := func(context.Context, *state.Store) error { return nil }
	return []change{
		{"a policy is saved", nothing,
			func(ctx context.Context, s *state.Store) error {
				_, err := s.SavePolicy(ctx, 0, []byte(`{}`), state.Save{})
				return err
			},
			func(ctx context.Context, s *state.Store) bool {
				p, err := s.Policy(ctx)
				return err == nil && p.Version == 1
			}},
		{"roles are saved", nothing,
			func(ctx context.Context, s *state.Store) error {
				_, err := s.SaveRoles(ctx, 0, nil, state.Save{})
				return err
			},
			func(ctx context.Context, s *state.Store) bool {
				r, err := s.Roles(ctx)
				return err == nil && r.Version == 1
			}},
		{"a first link is used", func(ctx context.Context, s *state.Store) error { return s.SaveFirstLink(ctx, "link") },
			func(ctx context.Context, s *state.Store) error {
				return s.UseFirstLink(ctx, "link", 0, nil, state.Save{})
			},
			func(ctx context.Context, s *state.Store) bool {
				valid, err := s.FirstLink(ctx, "link")
				return err == nil && !valid
			}},
		{"a token is made", nothing,
			func(ctx context.Context, s *state.Store) error { return s.CreateAPIToken(ctx, "hash", apiToken()) },
			func(ctx context.Context, s *state.Store) bool {
				_, err := s.UseAPIToken(ctx, "hash")
				return err == nil
			}},
		{"a token is revoked", func(ctx context.Context, s *state.Store) error { return s.CreateAPIToken(ctx, "hash", apiToken()) },
			func(ctx context.Context, s *state.Store) error { return s.RevokeAPIToken(ctx, "ci", "ana") },
			func(ctx context.Context, s *state.Store) bool {
				_, err := s.UseAPIToken(ctx, "hash")
				return errors.Is(err, state.ErrRevoked)
			}},
		{"a connection is ended", signAnaIn,
			func(ctx context.Context, s *state.Store) error { _, err := s.EndGrant(ctx, ana.ID); return err }, anaIsOut},
		{"a person is forgotten", signAnaIn,
			func(ctx context.Context, s *state.Store) error {
				_, err := s.ForgetPerson(ctx, ana.AccountID)
				return err
			}, anaIsOut},
		{"a session is ended", signAnaIn,
			func(ctx context.Context, s *state.Store) error { return s.EndSession(ctx, "access") },
			func(ctx context.Context, s *state.Store) bool {
				_, err := s.SessionGrant(ctx, "access", mcpResource)
				return errors.Is(err, state.ErrNotFound)
			}},
		{"a code is used twice", func(ctx context.Context, s *state.Store) error {
			err := signAnaIn(ctx, s)
			_, redeemed := s.RedeemCode(ctx, "code")
			return errors.Join(err, redeemed)
		},
			func(ctx context.Context, s *state.Store) error {
				_, err := s.RedeemCode(ctx, "code")
				return certain(err)
			}, anaIsOut},
		{"a refresh token is used twice", signAnaIn,
			func(ctx context.Context, s *state.Store) error {
				return certain(s.Rotate(ctx, ana, "stale", state.Pair{Access: "next", Family: "family", Refresh: "next"}))
			}, anaIsOut},
	}
}

// certain is nil where what was used twice is said to have ended for good.
func certain(err error) error {
	switch {
	case errors.Is(err, state.ErrNotOnDisk):
		return err
	case errors.Is(err, state.ErrReplayed):
		return nil
	}
	return fmt.Errorf("it wasn't used twice: %w", err)
}

// TestWhatIsAnsweredSurvives kills Redis while its disk is slow: then it has what it was told last in its memory alone.
func TestWhatIsAnsweredSurvives(t *testing.T) {
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, store, _ := syncing(t)
			must(t, c.prepare(t.Context(), store))
			server.HoldDisk()
			made := make(chan error, 1)
			go func() { made <- c.make(t.Context(), store) }()
			var err error
			select {
			case err = <-made:
				server.Kill()
			case <-time.After(300 * time.Millisecond):
				server.Kill()
				err = <-made
			}
			server.Start()
			if holds := c.holds(t.Context(), store); err == nil && !holds {
				t.Error("it was answered, and is undone")
			}
		})
	}
}

// TestOnDisk makes each change on a disk that is slow for half a second.
func TestOnDisk(t *testing.T) {
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, store, _ := syncing(t)
			must(t, c.prepare(t.Context(), store))
			time.AfterFunc(500*time.Millisecond, server.HoldDisk())
			must(t, c.make(t.Context(), store))
			server.Kill()
			server.Start()
			if !c.holds(t.Context(), store) {
				t.Error("it is undone")
			}
		})
	}
}

// TestNotOnDisk shows that a change is made, and that it is said, where the disk takes too long.
func TestNotOnDisk(t *testing.T) {
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, store, _ := syncing(t)
			must(t, c.prepare(t.Context(), store))
			defer server.HoldDisk()()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := c.make(ctx, store)
			if !errors.Is(err, state.ErrNotOnDisk) {
				t.Errorf("got %v, want ErrNotOnDisk", err)
			}
			if !c.holds(t.Context(), store) {
				t.Error("it wasn't made")
			}
		})
	}
}

// TestNothingToWaitFor has Redis without a file, or with one that it is told not to sync.
func TestNothingToWaitFor(t *testing.T) {
	for name, address := range map[string]string{"no file": redistest.Start(t), "no fsync": redistest.StartSyncing(t, "no").Address} {
		t.Run(name, func(t *testing.T) {
			store := state.Open(address)
			defer store.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := store.SavePolicy(ctx, 0, []byte(`{}`), state.Save{})
			must(t, err)
		})
	}
}
