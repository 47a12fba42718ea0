package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"sallyport/tools/stack/parts"
)

// trial is one run of the test.
type trial struct {
	// root is the top of the work tree, dir where logs go, and cache where images stay.
	root, dir, cache string
	progress         io.Writer
	started          time.Time

	docker *docker
	// source is a copy of the work tree, in which secrets are made.
	source string
	// people are signed in, and called is how many calls their assistants have made.
	people []oauth2.TokenSource
	called int
}

func newTrial(root, dir string) *trial {
	return &trial{root: root, dir: dir, progress: os.Stderr, started: time.Now()}
}

// say tells people how far the test is.
func (t *trial) say(format string, args ...any) {
	fmt.Fprintf(t.progress, "%5.0f s  %s\n", time.Since(t.started).Seconds(), fmt.Sprintf(format, args...))
}

func (t *trial) logFile(name string) string { return filepath.Join(t.dir, name+".log") }

// prepare does what needs the internet, or this machine's own files: it gets all that the images are made from.
func (t *trial) prepare(ctx context.Context) error {
	err := preflight()
	if err != nil {
		return err
	}
	err = t.openCache()
	if err != nil {
		return err
	}
	err = os.RemoveAll(t.dir)
	if err == nil {
		err = os.MkdirAll(t.dir, 0o755)
	}
	if err != nil {
		return err
	}
	t.say("Getting the parts")
	found, err := parts.Ensure(ctx, t.progress)
	if err != nil {
		return err
	}
	t.say("Putting the stand-in images together")
	return t.assemble(ctx, found)
}

func (t *trial) openCache() error {
	cache, err := parts.Cache()
	if err != nil {
		return err
	}
	t.cache = filepath.Join(cache, "compose")
	return os.MkdirAll(t.cache, 0o755)
}

// run brings everything up and uses it, in namespaces of its own. Whatever comes of it, all is taken down again.
func (t *trial) run(ctx context.Context) (err error) {
	err = errors.Join(settle(ctx, t.dir), t.openCache())
	if err != nil {
		return err
	}
	// Short, for the sake of the daemon's sockets.
	temporary, err := os.MkdirTemp("", "compose-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	t.source = filepath.Join(temporary, "sallyport")
	err = copySource(t.source, t.root)
	if err != nil {
		return err
	}
	t.say("Starting a Docker daemon")
	t.docker, err = startDocker(ctx, t.cache, temporary, filepath.Join(t.root, "bin", "docker-compose"))
	if err != nil {
		return err
	}
	defer t.docker.stop()
	found, err := parts.Ensure(ctx, io.Discard)
	if err != nil {
		return err
	}
	t.say("Building the stand-in images")
	err = t.buildStandIns(ctx, found.JavaHome)
	if err != nil {
		return err
	}
	defer func() {
		// Also where ctx has ended.
		end := context.WithoutCancel(ctx)
		if err != nil {
			_ = t.docker.do(t.compose(end, "ps", "--all"), t.logFile("compose"))
			_ = t.docker.do(t.compose(end, "logs", "--no-color"), t.logFile("services"))
		}
		t.say("Taking everything down")
		err = errors.Join(err, t.do(end, "down", "--volumes", "--remove-orphans", "--timeout", "5"), t.nothingLeft(end))
	}()
	return t.steps(ctx)
}

// steps are what is tried, in order. Those that others need end the test where they fail.
func (t *trial) steps(ctx context.Context) error {
	var problems []error
	for _, step := range []struct {
		about  string
		do     func(context.Context) error
		needed bool
	}{
		{"Making the secrets, and looking at the compose files", t.configure, true},
		{"Building Sallyport's images (the first time takes some minutes)", t.build, true},
		{"Looking at what is in them", t.images, false},
		{"Bringing everything up", t.up, true},
		{"Looking at how the containers are kept", t.containers, false},
		{"Looking at what each user of Elasticsearch may do", t.privileges, false},
		{"Signing people in and calling tools", t.use, true},
		{"Backing up, losing everything, and restoring", t.backup, true},
		{"Changing every key and password", t.rotate, true},
		{"Down, and up again", t.again, true},
		{"Up with a certificate", t.withTLS, true},
	} {
		t.say("%s", step.about)
		err := step.do(ctx)
		if err != nil {
			err = fmt.Errorf("%s: %w", step.about, err)
			t.say("  failed")
			problems = append(problems, err)
		}
		if err != nil && step.needed {
			break
		}
	}
	return errors.Join(problems...)
}

// settings of the test, beside those of try.env.
const settings = `ELASTICSEARCH_MEMORY=1g
ES_JAVA_OPTS=-XX:TieredStopAtLevel=1
`

// compose is docker compose as people call it in deploy, with arguments.
func (t *trial) compose(ctx context.Context, arguments ...string) *exec.Cmd {
	command := t.docker.command(ctx, slices.Concat([]string{"compose", "--env-file", "try.env", "--env-file", "test.env"}, arguments)...)
	command.Dir = filepath.Join(t.source, "deploy")
	return command
}

// do runs docker compose, and keeps what it says.
func (t *trial) do(ctx context.Context, arguments ...string) error {
	return t.docker.do(t.compose(ctx, arguments...), t.logFile("compose"))
}

// configure makes the secrets and has Compose read its files.
func (t *trial) configure(ctx context.Context) error {
	deploy := filepath.Join(t.source, "deploy")
	err := os.WriteFile(filepath.Join(deploy, "test.env"), []byte(settings), 0o600)
	if err != nil {
		return err
	}
	err = t.makeSecrets(ctx)
	if err != nil {
		return err
	}
	plain := t.docker.command(ctx, "compose", "--env-file", ".env.example", "config", "--quiet")
	plain.Dir = deploy
	withTLS := t.compose(ctx, "--file", "compose.yaml", "--file", "compose.tls.yaml", "config", "--quiet")
	withTLS.Env = append(withTLS.Env, "TLS_DIR=/run/tls")
	for _, command := range []*exec.Cmd{plain, withTLS, t.compose(ctx, "config", "--quiet")} {
		err = t.docker.do(command, t.logFile("compose"))
		if err != nil {
			return err
		}
	}
	return nil
}

// makeSecrets makes those that aren't there.
func (t *trial) makeSecrets(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, filepath.Join(t.source, "deploy", "secrets.sh")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("secrets.sh: %w: %s", err, out)
	}
	return nil
}

// build builds Sallyport's own images, those of all profiles, from the modules that this machine has.
func (t *trial) build(ctx context.Context) error {
	modules, err := serveModules(ctx)
	if err != nil {
		return err
	}
	return t.docker.do(t.compose(ctx, "--profile", "*", "build", "--build-arg", "GOPROXY="+modules), t.logFile("build"))
}

// up starts everything, and returns when it is ready and the saved objects are loaded.
func (t *trial) up(ctx context.Context) error {
	err := t.do(ctx, "up", "--detach", "--pull", "never", "--no-build")
	if err != nil {
		return err
	}
	// Without the one that only loads: --wait takes an end for a failure where nothing depends on it.
	err = t.do(ctx, "up", "--detach", "--wait", "--pull", "never", "--no-build", "envoy", "atlassian", "kibana")
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(loadedWithin); ; time.Sleep(200 * time.Millisecond) {
		out, err := t.compose(ctx, "ps", "--all", "--format", "{{.State}} {{.ExitCode}}", "kibana-setup").Output()
		if err == nil && strings.TrimSpace(string(out)) == "exited 0" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("Kibana's saved objects aren't loaded: kibana-setup is %q", out)
		}
	}
}

// loadedWithin is how long loading the saved objects may take, once Kibana is available.
const loadedWithin = 30 * time.Second

// copySource copies what images are built from, without what people have put there.
func copySource(to, from string) error {
	for _, name := range []string{"go.mod", "go.sum", "proto", "services", "tools", "envoy", "deploy"} {
		err := filepath.WalkDir(filepath.Join(from, name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if slices.Contains([]string{"node_modules", "secrets", ".env"}, entry.Name()) {
				if entry.IsDir() {
					return filepath.SkipDir
				}
				return nil
			}
			target := filepath.Join(to, strings.TrimPrefix(path, from))
			if entry.IsDir() {
				return os.MkdirAll(target, 0o755)
			}
			return copyFile(target, path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	err = os.MkdirAll(filepath.Dir(to), 0o755)
	if err == nil {
		err = os.WriteFile(to, text, info.Mode().Perm())
	}
	if err == nil {
		// Docker sees by the times what is as before.
		err = os.Chtimes(to, info.ModTime(), info.ModTime())
	}
	return err
}
