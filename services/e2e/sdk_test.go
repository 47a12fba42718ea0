package e2e_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"sallyport/services/internal/nativetest"
)

// program is one in a folder of clients: what installs its libraries, by its lock file, and what
// runs it.
type program struct {
	folder, lock string
	install, run []string
}

func nodeProgram(folder string, run ...string) program {
	return program{
		folder: folder, lock: "package-lock.json",
		install: []string{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"},
		run:     append([]string{"node"}, run...),
	}
}

func pythonProgram(folder, lock string, run ...string) program {
	return program{
		folder: folder, lock: lock,
		install: []string{"python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--require-hashes", "--target", "sdk", "-r", lock},
		run:     append([]string{"env", "PYTHONPATH=sdk", "python3"}, run...),
	}
}

// The programs of clients/. Both versions of the TypeScript SDK are in one folder.
var (
	typescript1  = nodeProgram("typescript", "client.mjs", "v1")
	typescript2  = nodeProgram("typescript", "client.mjs", "v2")
	python1      = pythonProgram("python", "requirements-1.txt", "client.py")
	python2      = pythonProgram("python", "requirements-2.txt", "client.py")
	remote       = nodeProgram("mcp-remote")
	inspectorCLI = nodeProgram("inspector")
	claudeCLI    = nodeProgram("claude")
)

// install returns the folder of a program that is ready to run.
func install(t *testing.T, p program) string {
	t.Helper()
	folder, err := p.installed()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// installed copies a program into the cache, by what its lock file says, and installs its libraries
// there unless that was done before.
func (p program) installed() (folder string, err error) {
	source := filepath.Join("clients", p.folder)
	pinned, err := os.ReadFile(filepath.Join(source, p.lock))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(pinned)
	folder = filepath.Join(nativetest.Cache(), "e2e", p.folder+"-"+hex.EncodeToString(sum[:8]))
	err = copyFiles(source, folder)
	if err != nil {
		return "", err
	}
	done := filepath.Join(folder, "installed")
	_, err = os.Stat(done)
	if err == nil {
		return folder, nil
	}
	command := exec.Command(p.install[0], p.install[1:]...)
	command.Dir = folder
	out, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("installing what clients/%s needs (with Node 20.19 or later and npm, and Python 3.11 or later and pip): %w\n%s", p.folder, err, out)
	}
	return folder, os.WriteFile(done, nil, 0o600)
}

// version is that of a package in the lock file.
func (p program) version(t *testing.T, name string) string {
	t.Helper()
	pinned, err := os.ReadFile(filepath.Join("clients", p.folder, p.lock))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`"node_modules/` + name + `": \{\s*"version": "([^"]+)"|(?m:^` + name + `==(\S+))`).FindSubmatch(pinned)
	if found == nil {
		t.Fatalf("%s/%s doesn't pin %s", p.folder, p.lock, name)
	}
	return string(found[1]) + string(found[2])
}

func copyFiles(from, to string) error {
	err := os.MkdirAll(to, 0o755)
	if err != nil {
		return err
	}
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(from, file.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, file.Name()), text, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sdkClient is an assistant with an SDK of another language, spoken to in lines of JSON.
type sdkClient struct {
	who *user
	// command starts it; it keeps its sign-in in the file kept.
	command []string
	kept    string
	folder  string
	in      io.WriteCloser
	out     *bufio.Scanner
	process *exec.Cmd
}

// newSDKClient is one of a program, which is told the protocol revision to insist on, or "".
func newSDKClient(t *testing.T, who *user, p program, revision string) *sdkClient {
	t.Helper()
	kept := filepath.Join(t.TempDir(), "sign-in.json")
	return &sdkClient{who: who, folder: install(t, p), command: append(slices.Clone(p.run), revision, sallyport.MCPURL, redirectURI, kept), kept: kept}
}

func (c *sdkClient) start(t *testing.T) {
	t.Helper()
	c.process = exec.Command(c.command[0], c.command[1:]...)
	c.process.Dir = c.folder
	heard := &complaints{}
	c.process.Stderr = heard
	in, err := c.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = c.process.Start()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewScanner(out)
	c.out.Buffer(nil, 1<<20)
	t.Cleanup(func() {
		c.stop()
		if t.Failed() {
			t.Logf("the client complained: %s", heard)
		}
	})
}

func (c *sdkClient) stop() {
	if c.process == nil {
		return
	}
	_ = c.in.Close()
	hung := time.AfterFunc(10*time.Second, func() { _ = c.process.Process.Kill() })
	_ = c.process.Wait()
	hung.Stop()
	c.process = nil
}

func (c *sdkClient) restart(*testing.T) { c.stop() }

// forget removes the connection, as its user would.
func (c *sdkClient) forget(t *testing.T) {
	t.Helper()
	c.stop()
	err := os.Remove(c.kept)
	if err != nil {
		t.Fatal(err)
	}
}

// ask has the client send a request, and its user sign in where it asks for that.
func (c *sdkClient) ask(t *testing.T, request, result any) error {
	t.Helper()
	if c.process == nil {
		c.start(t)
	}
	line, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, err := fmt.Fprintf(c.in, "%s\n", line)
		if err != nil {
			t.Fatal(err)
		}
		if !c.out.Scan() {
			t.Fatalf("the client said nothing: %v", c.out.Err())
		}
		var said struct{ Authorize, Failed string }
		err = errors.Join(json.Unmarshal(c.out.Bytes(), &said), json.Unmarshal(c.out.Bytes(), result))
		if err != nil {
			t.Fatalf("the client said %s: %v", c.out.Bytes(), err)
		}
		if said.Failed != "" {
			return errors.New(said.Failed)
		}
		if said.Authorize == "" {
			return nil
		}
		end, err := c.who.signIn(t.Context(), said.Authorize)
		if err != nil {
			// It waits for an answer that doesn't come.
			_ = c.process.Process.Kill()
			c.stop()
			return err
		}
		line = []byte(end.String())
	}
}

type sdkRequest struct {
	Method string `json:"method"`
	Params any    `json:"params,omitempty"`
}

func (c *sdkClient) list(t *testing.T) ([]string, error) {
	t.Helper()
	names := []string{}
	for page := (map[string]string{}); ; {
		var result toolNames
		err := c.ask(t, sdkRequest{"tools/list", page}, &result)
		names = append(names, result.names()...)
		if err != nil || result.NextCursor == "" {
			return names, err
		}
		page["cursor"] = result.NextCursor
	}
}

func (c *sdkClient) call(t *testing.T, tool string, arguments map[string]any) (string, bool, error) {
	t.Helper()
	var result toolResult
	err := c.ask(t, sdkRequest{"tools/call", map[string]any{"name": tool, "arguments": arguments}}, &result)
	return result.text(), result.IsError, err
}

// expire makes the hour of the access token over by the client's own clock.
func (c *sdkClient) expire(t *testing.T) {
	t.Helper()
	err := c.ask(t, sdkRequest{Method: "expire"}, &struct{}{})
	if err != nil {
		t.Fatal(err)
	}
}
