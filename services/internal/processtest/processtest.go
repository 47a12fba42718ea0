// Package processtest runs a whole service inside a test, as its main does.
package processtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"sallyport/services/internal/process"
)

// Log holds what the services of a test logged.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// String is all that was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// SealKey returns the path of a file with a new key to seal under.
func SealKey(t testing.TB) string {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	path := filepath.Join(t.TempDir(), "seal.key")
	err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Run runs a service until the test ends, or what it returns is called, which waits for the end. It logs to
// log, which is shown if the test fails. A service that ends with an error fails the test.
func Run(t testing.TB, log *Log, start func(ctx context.Context, p *process.Process) error) (end func()) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		logger := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		ended <- process.Run(ctx, logger, process.Common{OpsListen: "127.0.0.1:0", DrainTimeout: time.Second}, start)
	}()
	end = sync.OnceFunc(func() {
		stop()
		err := <-ended
		if err != nil {
			t.Errorf("the service ended with: %v", err)
		}
	})
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Logf("the service's log:\n%s", log)
		}
	})
	return end
}

// Dial returns a gRPC connection on which calls wait for a service that is about to listen.
func Dial(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	// A first try that comes before the service listens is followed by others at once, not after a second.
	soon := backoff.Config{BaseDelay: 5 * time.Millisecond, Multiplier: 1.6, MaxDelay: 100 * time.Millisecond}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: 20 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
