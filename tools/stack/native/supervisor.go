package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

func (s Stack) socket() string { return s.path("pc.sock") }

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

// start starts process-compose, apart from this terminal, so that it outlives this command and
// isn't hit by its Ctrl-C.
func (s Stack) start() error {
	log, err := os.Create(s.path("logs", "process-compose.out"))
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(filepath.Join(s.Root, "bin", "process-compose"), "up", "--config", s.path("process-compose.yaml"),
		"--tui=false", "--keep-project", "--ordered-shutdown", "--disable-dotenv", "--use-uds", "--unix-socket", s.socket(), "--log-file", s.path("logs", "process-compose.log"))
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = command.Start()
	if err != nil {
		return fmt.Errorf("starting process-compose, which `make build` builds: %w", err)
	}
	go func() { _ = command.Wait() }()
	return os.WriteFile(s.path("supervisor.pid"), []byte(strconv.Itoa(command.Process.Pid)), 0o644)
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
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err == nil && !strings.HasPrefix(string(name), "process-compos") {
		return 0
	}
	return pid
}

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
	return all, nil
}

// waitReady prints each part as it becomes ready, with the seconds it took, and returns when all
// are. Every ten seconds it says what it still waits for.
func (s Stack) waitReady(ctx context.Context) ([]shown, error) {
	started := time.Now()
	seen := map[string]bool{}
	spoke := time.Now()
	for {
		all, err := s.list(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && s.supervisor() == 0 {
			return nil, fmt.Errorf("process-compose has stopped: %s", s.lastLine("process-compose.out"))
		}
		waiting := []string{}
		for _, p := range all {
			switch {
			case !p.ready():
				waiting = append(waiting, p.Name)
				if p.Restarts > 5 {
					return nil, s.broken(p.Name, "keeps stopping")
				}
			case !seen[p.Name]:
				seen[p.Name] = true
				spoke = time.Now()
				fmt.Fprintf(s.Out, "  ready     %-14s %5.1f s\n", p.Name, time.Since(started).Seconds())
			}
		}
		if err == nil && len(all) > 0 && len(waiting) == 0 {
			return all, nil
		}
		if time.Since(started) > startTimeout {
			return nil, s.broken(waiting[0], "isn't ready after "+startTimeout.String())
		}
		if time.Since(spoke) > 10*time.Second {
			spoke = time.Now()
			fmt.Fprintf(s.Out, "  waiting for %s\n", strings.Join(waiting, ", "))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (s Stack) broken(name, what string) error {
	return fmt.Errorf("%s %s: see %s, which ends with: %s", name, what, s.path("logs", name+".log"), s.lastLine(name+".log"))
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
	text, err := os.ReadFile(s.path("data", "elasticsearch", "pid"))
	if pid, convErr := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && convErr == nil {
		pids["elasticsearch"] = pid
	}
	return pids
}

// stop stops everything and returns when nothing of it runs any more.
func (s Stack) stop() error {
	pid := s.supervisor()
	if pid == 0 {
		return nil
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
	for _, name := range []string{"state.json", "supervisor.pid", "pc.sock"} {
		_ = os.Remove(s.path(name))
	}
	return nil
}
