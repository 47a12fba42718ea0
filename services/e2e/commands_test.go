package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// command is a client that is a program of its own, in a home of its own.
type command struct {
	folder string
	env    []string
	// complaints are what it writes to stderr.
	complaints *complaints
}

// newCommand installs a program, and gives it a home and a browser in which its user goes through the
// pages that it opens. Nothing else of this environment reaches it.
func newCommand(t *testing.T, who *user, p program) command {
	t.Helper()
	home := t.TempDir()
	browser := filepath.Join(home, "browser")
	err := os.WriteFile(browser, []byte("#!/bin/sh\nprintf '%s\\n' \"$1\" >>\"$0.opened\"\n"), 0o700)
	if err != nil {
		t.Fatal(err)
	}
	go who.watch(t.Context(), browser+".opened")
	heard := &complaints{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the client complained: %s", heard)
		}
	})
	return command{install(t, p), []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "BROWSER=" + browser}, heard}
}

// watch has the user go through each page that a browser opened.
func (u *user) watch(ctx context.Context, opened string) {
	for seen := 0; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(opened)
		pages := strings.SplitAfter(string(text), "\n")
		for _, page := range pages[seen : len(pages)-1] {
			u.deliver(ctx, strings.TrimSpace(page))
		}
		seen = len(pages) - 1
	}
}

// deliver signs in and takes the answer to where the client waits for it. mcp-remote opens the page just before
// it listens there, and nobody at a browser is as fast as this user.
func (u *user) deliver(ctx context.Context, page string) {
	end, err := u.signIn(ctx, page)
	if err != nil {
		return
	}
	for range 100 {
		response, err := http.Get(end.String())
		if err == nil {
			response.Body.Close()
			return
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// run runs the program to its end, half a minute at most, and returns what it printed.
func (c command) run(ctx context.Context, line ...string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Dir, command.Env = c.folder, c.env
	// Descendants that hold the output open don't hold the test up.
	command.WaitDelay = time.Second
	var said strings.Builder
	command.Stdout, command.Stderr = &said, c.complaints
	// Input that never ends: some ask at the terminal beside waiting for the browser.
	input, err := command.StdinPipe()
	if err != nil {
		return "", err
	}
	defer input.Close()
	err = command.Run()
	return said.String(), err
}

// withoutInput has a program find at once that there is no input, rather than wait whether some comes.
func withoutInput(line ...string) []string {
	return append([]string{"sh", "-c", `exec "$@" </dev/null`, "sh"}, line...)
}

// complaints may be added to by a program while they are read.
type complaints struct {
	mu   sync.Mutex
	text strings.Builder
}

func (c *complaints) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(text)
}

func (c *complaints) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// inTerminal makes a program believe that it is at a terminal.
func inTerminal(line ...string) []string {
	return append([]string{"python3", "-c", "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"}, line...)
}

// only returns the one file that a pattern matches in the folder.
func (c command) only(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(c.folder, pattern))
	if err == nil && len(found) != 1 {
		err = errors.New("the package for this platform wasn't installed")
	}
	if err != nil {
		t.Fatalf("%s in %s: %q %v", pattern, c.folder, found, err)
	}
	return found[0]
}
