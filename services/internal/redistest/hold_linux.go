package redistest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// HoldDisk makes the disk of a server that syncs everysec slow: from when it returns, an fsync is under way, and
// goes on until release is called. For two seconds the server keeps in its memory alone what it is told, and
// loses it where it is killed.
func (s *Server) HoldDisk() (release func()) {
	s.t.Helper()
	held, done := make(chan error), make(chan struct{})
	go hold(s.syncer(), held, done)
	err := <-held
	if err != nil {
		s.t.Fatalf("holding the thread of Redis that syncs: %v", err)
	}
	client := redis.NewClient(&redis.Options{Addr: s.Address})
	defer client.Close()
	ctx := context.Background()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		info, err := client.Info(ctx, "persistence").Result()
		if err == nil && strings.Contains(info, "aof_pending_bio_fsync:1") {
			return func() { close(done) }
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no fsync begins, error %v:\n%s", err, info)
		}
		client.Set(ctx, "so that there is something to sync", "", 0)
	}
}

// syncer is the thread that syncs. It takes its name a moment after Redis answers.
func (s *Server) syncer() int {
	s.t.Helper()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/comm", s.PID()))
		for _, name := range names {
			comm, _ := os.ReadFile(name)
			if string(comm) == "bio_aof\n" {
				thread, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
				return thread
			}
		}
	}
	s.t.Fatal("Redis has no thread bio_aof")
	return 0
}

// hold stops a thread until done, or until it ends, as only whoever traces it can. All calls about a thread
// that is traced come from the same one.
func hold(thread int, held chan<- error, done <-chan struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := syscall.PtraceAttach(thread)
	if err == nil {
		_, err = syscall.Wait4(thread, nil, syscall.WALL, nil)
	}
	held <- err
	for err == nil {
		select {
		case <-done:
			if syscall.PtraceDetach(thread) == nil {
				return
			}
			done = nil // it was killed
		case <-time.After(5 * time.Millisecond):
		}
		// Where Redis was killed, nobody else can take note of the thread's end, and Redis' waits for that.
		var status syscall.WaitStatus
		ended, waitErr := syscall.Wait4(thread, &status, syscall.WALL|syscall.WNOHANG, nil)
		if waitErr != nil || ended == thread && !status.Stopped() {
			return
		}
	}
}
