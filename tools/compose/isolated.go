package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// needed are the programs that this machine has to have, and where they come from.
var needed = map[string]string{
	"docker": "Docker's command line (Debian: docker.io)", "dockerd": "Docker's daemon (Debian: docker.io)", "iptables": "iptables (Debian: iptables)",
	"ip": "iproute2 (Debian: iproute2)", "curl": "curl (Debian: curl)", "node": "Node with npm", "openssl": "openssl (Debian: openssl)",
}

// preflight says in a sentence what is missing.
func preflight() error {
	if os.Geteuid() != 0 {
		return errors.New("this test runs a Docker daemon of its own, which needs root: run it as root")
	}
	for name, from := range needed {
		_, err := exec.LookPath(name)
		if err != nil {
			return fmt.Errorf("this test needs %s, and there is none here: install it and try again", from)
		}
	}
	return nil
}

// isolated runs a program in a network, with mounts and process ids of its own, so that this Docker is in nobody's
// way, and everything that it started ends with it. It returns the program's exit code.
func isolated(ctx context.Context, program string, arguments ...string) int {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGTERM,
	}
	// It takes everything down itself.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = time.Minute
	err := command.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok && failed.ExitCode() > 0 {
		return failed.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		return exitUnable
	}
	return 0
}

// settle makes the new namespaces fit to run a Docker in: mounts that stay here, the processes that are here,
// loopback, and the stand-in's name, which browsers take for their own machine without asking.
func settle(ctx context.Context, dir string) error {
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("proc", "/proc", "proc", 0, "")
	}
	hosts := filepath.Join(dir, "hosts")
	if err == nil {
		err = os.WriteFile(hosts, []byte("127.0.0.1 localhost atlassian.localhost\n"), 0o644)
	}
	if err == nil {
		err = syscall.Mount(hosts, "/etc/hosts", "", syscall.MS_BIND, "")
	}
	if err != nil {
		return fmt.Errorf("setting up mounts of its own: %w", err)
	}
	out, err := exec.CommandContext(ctx, "ip", "link", "set", "lo", "up").CombinedOutput()
	if err != nil {
		return fmt.Errorf("setting up loopback: %s: %w", out, err)
	}
	return nil
}
