package native

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is how long everything may take to be ready on a slow machine.
	startTimeout = 4 * time.Minute
	// stopTimeout is how long everything may take to stop.
	stopTimeout = time.Minute
)

// shown is a part as process-compose reports it.
type shown struct {
	Name     string `json:"name"`
	Status   string `json:"status"`
	Ready    string `json:"is_ready"`
	Probed   bool   `json:"has_ready_probe"`
	Running  bool   `json:"is_running"`
	Restarts int    `json:"restarts"`
	PID      int    `json:"pid"`
}

func (p shown) ready() bool { return p.Running && (!p.Probed || p.Ready == "Ready") }

// ended says whether the supervisor has given it up.
func (p shown) ended() bool {
	return !p.Running && (p.Status == "Completed" || p.Status == "Error" || p.Status == "Skipped")
}

// maxSocketPath is the longest path of a Unix socket that every system takes (unix(7): 108 bytes
// on Linux, 104 on macOS, with the zero at the end).
const maxSocketPath = 103

// socket is where process-compose answers: in the run folder, unless its path is too long for that.
func (s Stack) socket() string {
	path := s.path("pc.sock")
	if len(path) > maxSocketPath {
		path = filepath.Join(os.TempDir(), "sallyport-"+s.key()+".sock")
	}
	return path
}

// key tells this stack from others of this machine.
func (s Stack) key() string {
	sum := sha256.Sum256([]byte(s.RunDir))
	return hex.EncodeToString(sum[:6])
}

// compose runs a process-compose command against the running one.
func (s Stack) compose(ctx context.Context, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, filepath.Join(s.Root, "bin", "process-compose"),
		append([]string{"--use-uds", "--unix-socket", s.socket(), "--log-file", s.path("logs", "process-compose-client.log")}, arguments...)...)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("process-compose %s: %w: %s", arguments[0], err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out, nil
}

// start starts process-compose, apart from this command, so that it outlives it and isn't hit by its Ctrl-C.
func (s Stack) start() error {
	log, err := os.Create(s.path("logs", "process-compose.out"))
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(filepath.Join(s.Root, "bin", "process-compose"), "up", //nolint:noctx // it outlives this command
		"--config", s.path("process-compose.yaml"),
		"--tui=false", "--keep-project", "--ordered-shutdown", "--disable-dotenv", "--use-uds", "--unix-socket", s.socket(), "--log-file", s.path("logs", "process-compose.log"))
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: !s.SameSession, Setpgid: s.SameSession}
	err = command.Start()
	if err != nil {
		return fmt.Errorf("starting process-compose, which `make build` builds: %w", err)
	}
	go func() { _ = command.Wait() }()
	err = os.WriteFile(s.path("supervisor.pid"), []byte(strconv.Itoa(command.Process.Pid)), 0o644)
	// Linux gives a process its new name a moment after Start returns. If it takes longer, it has
	// ended, which whoever waits for the parts finds out.
	for deadline := time.Now().Add(time.Second); s.supervisor() == 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	return err
}

// supervisor returns the process id of this stack's process-compose, or 0 if it doesn't run.
func (s Stack) supervisor() int {
	text, err := os.ReadFile(s.path("supervisor.pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || syscall.Kill(pid, 0) != nil {
		return 0
	}
	// Where there is a /proc: the id may be another program's by now, or that of one that has ended
	// and that nobody has asked about yet.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil && (!bytes.Contains(stat, []byte("(process-compos")) || bytes.Contains(stat, []byte(") Z "))) {
		return 0
	}
	return pid
}

// list returns the parts as they are now.
func (s Stack) list(ctx context.Context) ([]shown, error) {
	out, err := s.compose(ctx, "process", "list", "--output", "json")
	if err != nil {
		return nil, err
	}
	var all []shown
	err = json.Unmarshal(out, &all)
	if err != nil {
		return nil, fmt.Errorf("reading process-compose's list: %w", err)
	}
	return slices.DeleteFunc(all, func(p shown) bool { return p.Name == keeper }), nil
}

// waitReady prints each part as it becomes ready, with the seconds it took, and returns when all
// are. Every ten seconds it says what it still waits for.
func (s Stack) waitReady(ctx context.Context) ([]shown, error) {
	started := time.Now()
	spoke := started
	seen := map[string]bool{}
	waiting := []string{"process-compose"}
	for ctx.Err() == nil {
		all, err := s.list(ctx)
		if err != nil && ctx.Err() == nil && s.supervisor() == 0 {
			return nil, fmt.Errorf("process-compose has stopped: %s", s.lastLine("process-compose.out"))
		}
		if err == nil && len(all) > 0 {
			waiting = waiting[:0]
		}
		for _, p := range all {
			switch {
			case p.ended() || !p.ready() && p.Restarts > 5:
				return nil, s.broken(p.Name, "keeps stopping")
			case !p.ready():
				waiting = append(waiting, p.Name)
			case !seen[p.Name]:
				seen[p.Name] = true
				spoke = time.Now()
				fmt.Fprintf(s.Out, "  ready     %-14s %5.1f s\n", p.Name, time.Since(started).Seconds())
			}
		}
		if len(waiting) == 0 {
			return all, nil
		}
		if time.Since(started) > startTimeout {
			return nil, s.broken(waiting[0], "isn't ready after "+startTimeout.String())
		}
		if time.Since(spoke) > 10*time.Second {
			spoke = time.Now()
			fmt.Fprintf(s.Out, "  waiting for %s, %.0f s\n", strings.Join(waiting, ", "), time.Since(started).Seconds())
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil, ctx.Err()
}

// broken is the error for a part that doesn't work, with the end of its log.
func (s Stack) broken(name, what string) error {
	last := s.lastLine(name + ".log")
	if last == "" {
		return fmt.Errorf("%s %s, and its log %s is empty: see %s for how it was started", name, what, s.path("logs", name+".log"), s.path("process-compose.yaml"))
	}
	return fmt.Errorf("%s %s: see its log %s, which ends with: %s", name, what, s.path("logs", name+".log"), last)
}

func (s Stack) lastLine(log string) string {
	text, _ := os.ReadFile(s.path("logs", log))
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(lines[len(lines)-1])
}

// pids are the process ids of the parts themselves.
func (s Stack) pids(all []shown) map[string]int {
	pids := map[string]int{}
	for _, p := range all {
		pids[p.Name] = p.PID
	}
	// Elasticsearch's launcher starts the server as a process of its own.
	text, err := os.ReadFile(filepath.Join(s.elasticHome(), "pid"))
	if pid, convErr := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && convErr == nil {
		pids["elasticsearch"] = pid
	}
	return pids
}

// stop stops everything and returns when nothing of it runs any more.
func (s Stack) stop() error {
	pid := s.supervisor()
	if pid == 0 {
		defer s.forget()
		return s.endOrphans()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	_, err := s.compose(ctx, "down")
	if err != nil {
		// Without its socket a signal has the same effect.
		err = syscall.Kill(pid, syscall.SIGTERM)
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	for s.supervisor() != 0 {
		if ctx.Err() != nil {
			return fmt.Errorf("process-compose (process %d) hasn't stopped within %s: end it with kill %d", pid, stopTimeout, pid)
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.forget()
	return s.endOrphans()
}

// forget removes the files that say that this stack runs.
func (s Stack) forget() {
	for _, path := range []string{s.path("state.json"), s.path("supervisor.pid"), s.socket()} {
		_ = os.Remove(path) // not there is as good
	}
}
