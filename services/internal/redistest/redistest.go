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
	s := &Server{Address: nativetest.FreeAddress(t), t: t, dir: t.TempDir(), options: []string{"--appendonly", "no"}}
	s.Start()
	return s.Address
}

// Server is one that is killed and started again.
type Server struct {
	// Address is host:port.
	Address string
	t       testing.TB
	dir     string
	options []string
	command *exec.Cmd
}

// StartDurable starts an empty server as Start does, that has in its file what it has answered.
func StartDurable(t testing.TB) *Server {
	t.Helper()
	return StartSyncing(t, "always")
}

// StartSyncing starts one that syncs its file as "appendfsync" says. Sallyport's own stack has everysec.
func StartSyncing(t testing.TB, fsync string) *Server {
	t.Helper()
	s := &Server{Address: nativetest.FreeAddress(t), t: t, dir: t.TempDir(), options: []string{"--appendonly", "yes", "--appendfsync", fsync}}
	s.Start()
	return s
}

// Start starts the server, with what is in its file.
func (s *Server) Start() {
	s.t.Helper()
	host, port, _ := net.SplitHostPort(s.Address)
	s.run("--bind", host, "--port", port, "--dir", s.dir, "--save", "")
}

// run starts the program, and returns when it answers.
func (s *Server) run(options ...string) {
	s.t.Helper()
	logFile := filepath.Join(s.dir, "redis.log")
	options = append(append(options, "--logfile", logFile), s.options...)
	s.command = exec.Command(program(s.t), options...)
	err := s.command.Start()
	if err != nil {
		s.t.Fatalf("starting Redis: %v", err)
	}
	s.t.Cleanup(s.Kill)
	client := redis.NewClient(&redis.Options{Addr: s.Address, MaxRetries: -1})
	defer client.Close()
	deadline := time.Now().Add(startTimeout)
	for client.Ping(context.Background()).Err() != nil {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(logFile)
			s.t.Fatalf("Redis doesn't answer at %s; its log:\n%s", s.Address, log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// PID is the server's process.
func (s *Server) PID() int { return s.command.Process.Pid }

// Kill ends the server by SIGKILL.
func (s *Server) Kill() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

// Written is the size of the file of a durable server: what it has answered so far.
func (s *Server) Written() int64 {
	s.t.Helper()
	info, err := os.Stat(s.file())
	if err != nil {
		s.t.Fatal(err)
	}
	return info.Size()
}

// Lose cuts off what a durable server, which doesn't run, had written after a moment at which its file had
// a size. It is what one that isn't durable has lost.
func (s *Server) Lose(after int64) {
	s.t.Helper()
	err := os.Truncate(s.file(), after)
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) file() string {
	return filepath.Join(s.dir, "appendonlydir", "appendonly.aof.1.incr.aof")
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
