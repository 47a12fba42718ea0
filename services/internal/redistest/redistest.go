// Package redistest gives tests a real Redis of their own.
package redistest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/nativetest"
)

// startTimeout is how long the server may take on a machine that is busy with other tests.
const startTimeout = 20 * time.Second

// Start starts an empty server on a free loopback port and returns its address, host:port. It
// ends with the test. The program is the one that `make parts` fetched, else one on the PATH.
func Start(t testing.TB) string {
	t.Helper()
	address := nativetest.FreeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	dir := t.TempDir()
	logFile := filepath.Join(dir, "redis.log")
	command := exec.Command(program(t),
		"--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no", "--logfile", logFile)
	err := command.Start()
	if err != nil {
		t.Fatalf("starting Redis: %v", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
	defer client.Close()
	deadline := time.Now().Add(startTimeout)
	for client.Ping(context.Background()).Err() != nil {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(logFile)
			t.Fatalf("Redis doesn't answer at %s; its log:\n%s", address, log)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return address
}

func program(t testing.TB) string {
	t.Helper()
	if fetched := nativetest.Find().RedisServer; fetched != "" {
		return fetched
	}
	for _, name := range []string{"valkey-server", "redis-server"} {
		path, err := exec.LookPath(name)
		if err == nil {
			return path
		}
	}
	t.Fatal("there is no Redis on this machine: run `make parts`, which fetches one")
	return ""
}
