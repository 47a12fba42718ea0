package native

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// StackVariable is in the environment of every process of a stack and names its run folder, so that
// they can be told from others when their supervisor is gone.
const StackVariable = "SALLYPORT_STACK"

// orphans returns the processes that this stack's supervisor left behind when it was killed, where
// there is a /proc that tells.
func (s Stack) orphans() []int {
	var pids []int
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		pid, err := strconv.Atoi(filepath.Base(process))
		if err == nil && pid != os.Getpid() && s.owns(process) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// owns says whether a process, given by its folder in /proc, is one of this stack.
func (s Stack) owns(process string) bool {
	// Redis writes its title over its environment; its log tells too.
	log, err := os.Readlink(filepath.Join(process, "fd", "1"))
	if err == nil && log == s.path("logs", "redis.log") {
		return true
	}
	environment, err := os.ReadFile(filepath.Join(process, "environ"))
	if err != nil {
		return false // it has ended, or it is somebody else's
	}
	mark := []byte(StackVariable + "=" + s.RunDir)
	for variable := range bytes.SplitSeq(environment, []byte{0}) {
		if bytes.Equal(variable, mark) {
			return true
		}
	}
	return false
}

// endOrphans stops them, by force those that take longer than the parts are given to stop.
func (s Stack) endOrphans() error {
	pids := s.orphans()
	if len(pids) == 0 {
		return nil
	}
	fmt.Fprintf(s.Out, "  stopping %d processes that an interrupted Sallyport has left here\n", len(pids))
	signal := syscall.SIGTERM
	deadline := time.Now().Add(elasticStopSeconds * time.Second)
	for ; len(pids) > 0; pids = s.orphans() {
		if time.Now().After(deadline) {
			signal = syscall.SIGKILL
		}
		if time.Now().After(deadline.Add(5 * time.Second)) {
			return fmt.Errorf("process %d, of an interrupted Sallyport, doesn't stop: end it with kill -9 %d", pids[0], pids[0])
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, signal) // it may have ended meanwhile
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}
