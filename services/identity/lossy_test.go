package identity_test

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/identity"
	"sallyport/services/internal/state"
)

// lossy is a way to Redis that breaks when a refreshed token is stored.
type lossy struct {
	address string
	// loseRequests and loseAnswers are how many of these to lose yet.
	loseRequests, loseAnswers atomic.Int64
}

// storing is in the name of the function that stores a refreshed token.
var storing = []byte("_renew_upstream")

func newLossy(t *testing.T, redis string) *lossy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	l := &lossy{address: listener.Addr().String()}
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", redis)
			if err != nil {
				_ = from.Close()
				continue
			}
			go l.carry(from, to)
		}
	}()
	return l
}

// carry copies both ways until one of them ends, or what is to be lost comes by.
func (l *lossy) carry(from, to net.Conn) {
	var loses atomic.Bool
	both := func() { _, _ = from.Close(), to.Close() }
	go copied(to, from, func([]byte) bool { return loses.Load() }, both)
	copied(from, to, func(chunk []byte) bool {
		if !bytes.Contains(chunk, storing) {
			return false
		}
		if l.loseRequests.Add(-1) >= 0 {
			return true
		}
		loses.Store(l.loseAnswers.Add(-1) >= 0)
		return false
	}, both)
}

func copied(from, to net.Conn, lost func([]byte) bool, end func()) {
	defer end()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || lost(buffer[:n]) {
			return
		}
		_, err = to.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}

// deployLossy is deploy with a lossy way to Redis, and Atlassian tokens that are always near their end.
func deployLossy(t *testing.T) (*deployment, *lossy) {
	t.Helper()
	var way *lossy
	d := deploy(t, func(cfg *identity.Config) {
		way = newLossy(t, cfg.Redis)
		cfg.Redis = way.address
	})
	d.change("token_seconds", "60")
	return d, way
}

// TestRefreshedTokenIsStoredThoughRedisBreaks shows that a token that Atlassian gave is stored as soon as Redis
// answers, and that nothing is said to be renewed before.
func TestRefreshedTokenIsStoredThoughRedisBreaks(t *testing.T) {
	for name, test := range map[string]struct{ requests, answers int64 }{
		"one request is lost": {1, 0}, "requests are lost": {7, 0}, "one answer is lost": {0, 1}, "answers are lost": {0, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, way := deployLossy(t)
			account, tokens := d.connect("Codex").account("ana@acme.test")
			for range 2 {
				before := d.upstream(account)
				way.loseRequests.Store(test.requests)
				way.loseAnswers.Store(test.answers)
				err := d.refreshUpstream(d.grpc, account)
				after := d.upstream(account)
				if err != nil || after.Rev == before.Rev || bytes.Equal(after.Refresh, before.Refresh) {
					t.Errorf("refreshing: %v", err)
				}
				if way.loseRequests.Load() > 0 || way.loseAnswers.Load() > 0 {
					t.Error("not everything was lost that should be, so nothing was shown")
				}
			}
			if got := d.refreshes()[account]; got != 2 || !d.works(tokens.text("access_token")) {
				t.Errorf("Atlassian saw %d refreshes, want 2 and nobody signed out", got)
			}
		})
	}
}

// TestRefreshedTokenOfSomebodyRemoved loses requests to store a token until the person is removed: then it is
// revoked, and nobody uses it.
func TestRefreshedTokenOfSomebodyRemoved(t *testing.T) {
	d, way := deployLossy(t)
	account, tokens := d.connect("Codex").account("ana@acme.test")
	way.loseRequests.Store(1 << 40)
	ended := make(chan error, 1)
	go func() { ended <- d.refreshUpstream(d.grpc, account) }()
	d.logs("a refreshed Atlassian token can't be stored yet")
	_, err := d.store.ForgetPerson(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	way.loseRequests.Store(0)
	select {
	case err = <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the refresh doesn't end")
	}
	_, gone := d.store.Upstream(t.Context(), account)
	if status.Code(err) != codes.FailedPrecondition || !errors.Is(gone, state.ErrNotFound) || d.works(tokens.text("access_token")) {
		t.Errorf("refreshing: %v; the person's tokens: %v", err, gone)
	}
	d.logs("a refreshed Atlassian token was thrown away")
}
