package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// docker is a Docker daemon of the test's own. Its images stay in the cache.
type docker struct {
	data, dir string
	log       *os.File
	daemon    *exec.Cmd
}

// bridge is the address of this machine on the network that images are built in.
const bridge = "172.17.0.1"

// startTimeout is how long the daemon may take.
const startTimeout = time.Minute

// startDocker starts the daemon, with Compose as a plugin of its command line.
func startDocker(ctx context.Context, cache, dir, plugin string) (*docker, error) {
	d := &docker{data: filepath.Join(cache, "docker"), dir: dir}
	err := os.MkdirAll(filepath.Join(dir, "config", "cli-plugins"), 0o755)
	if err == nil {
		err = os.Symlink(plugin, filepath.Join(dir, "config", "cli-plugins", "docker-compose"))
	}
	if err != nil {
		return nil, err
	}
	d.log, err = os.Create(filepath.Join(dir, "dockerd.log"))
	if err != nil {
		return nil, err
	}
	// It outlives ctx, for taking everything down.
	d.daemon = exec.CommandContext(context.WithoutCancel(ctx), "dockerd", "--data-root", d.data, "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"),
		"--host", "unix://"+d.socket(), "--bip", bridge+"/16")
	d.daemon.Stdout, d.daemon.Stderr = d.log, d.log
	// Ctrl-C is for the test, which needs the daemon to take everything down.
	d.daemon.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = d.daemon.Start()
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startTimeout); ; {
		err = d.command(ctx, "info").Run()
		if err == nil {
			return d, nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			d.stop()
			return nil, fmt.Errorf("the Docker daemon doesn't start: see %s", d.log.Name())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (d *docker) socket() string { return filepath.Join(d.dir, "docker.sock") }

// stop ends the daemon and waits for it, so that its data is whole.
func (d *docker) stop() {
	_ = d.daemon.Process.Signal(syscall.SIGTERM)
	_ = d.daemon.Wait()
	d.log.Close()
}

// command is docker with arguments, which talks to this daemon.
func (d *docker) command(ctx context.Context, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "docker", arguments...)
	command.Env = d.environment()
	return command
}

// environment has docker talk to this daemon. That of whoever runs the test has no say.
func (d *docker) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + d.dir, "DOCKER_HOST=unix://" + d.socket(), "DOCKER_CONFIG=" + filepath.Join(d.dir, "config"),
	}
}

// do runs a command and adds what it prints to a log; the error has the end of it.
func (d *docker) do(command *exec.Cmd, logFile string) error {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	var end tail
	both := io.MultiWriter(&end, log)
	command.Stdout, command.Stderr = both, both
	fmt.Fprintln(log, "$", strings.Join(command.Args, " "))
	err = command.Run()
	if err != nil {
		return fmt.Errorf("%s: %w:\n%s", strings.Join(command.Args, " "), err, end.last(25))
	}
	return nil
}

// tail keeps what was printed.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	return len(p), nil
}

func (t *tail) last(lines int) string {
	all := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// serveModules lets images be built from the Go modules that this machine has fetched, without a way out. It
// returns the address as a GOPROXY.
func serveModules(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("asking Go where its modules are: %w", err)
	}
	listener, err := net.Listen("tcp", bridge+":0")
	if err != nil {
		return "", err
	}
	files := http.FileServer(http.Dir(filepath.Join(strings.TrimSpace(string(out)), "cache", "download")))
	server := &http.Server{Handler: files, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with this program
	return "http://" + listener.Addr().String(), nil
}
