package e2e_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/services/internal/nativetest"
)

// program is one of the folder clients: what installs its libraries, by its lock file, and what
// runs it.
type program struct {
	install, run []string
	lock         string
}

func nodeProgram(file string) program {
	return program{
		install: []string{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"},
		run:     []string{"node", file},
		lock:    "package-lock.json",
	}
}

// otherSDKs do with another official SDK what connect does with Go's.
var otherSDKs = map[string]program{
	"typescript": nodeProgram("client.mjs"),
	"python": {
		install: []string{"python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--require-hashes", "--target", "sdk", "-r", "requirements.txt"},
		run:     []string{"env", "PYTHONPATH=sdk", "python3", "client.py"},
		lock:    "requirements.txt",
	},
}

// TestOtherSDKs shows that SDKs that forgive less, or other things, than Go's complete the sign-in,
// get answers, and show their user why a call was refused.
func TestOtherSDKs(t *testing.T) {
	applyPolicy(t, blockDeletes)
	for name, sdk := range otherSDKs {
		t.Run(name, func(t *testing.T) {
			folder := install(t, name, sdk)
			client := startSDK(t, folder, append(sdk.run, sallyport.MCPURL, redirectURI))
			who := newPerson("ana@acme.test")

			var asked struct{ Authorize string }
			client.read(t, &asked)
			end, err := who.signIn(t.Context(), asked.Authorize, redirectURI)
			if err != nil {
				t.Fatalf("signing in: %v (pages seen: %q)", err, who.pages)
			}
			client.write(t, end.String())

			text, isError := client.call(t, `{"name":"searchJiraIssuesUsingJql","arguments":{"cloudId":"acme.atlassian.net","jql":"project = OPS"}}`)
			if isError || !strings.Contains(text, "OPS-") {
				t.Errorf("searching gave %v %s", isError, text)
			}
			text, isError = client.call(t, `{"name":"executeDestructive","arguments":{"name":"deleteJiraIssue","cloudId":"acme.atlassian.net","inputs":{"issueIdOrKey":"OPS-1"}}}`)
			if !isError || !strings.Contains(text, "AI may never delete anything") {
				t.Errorf("deleting was to be blocked in words, got %v %s", isError, text)
			}
		})
	}
}

// install copies a program into the cache, by what its lock file says, and installs its libraries
// there unless that was done before.
func install(t *testing.T, name string, p program) string {
	t.Helper()
	source := filepath.Join("clients", name)
	pinned, err := os.ReadFile(filepath.Join(source, p.lock))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(pinned)
	folder := filepath.Join(nativetest.Cache(), "e2e", name+"-"+hex.EncodeToString(sum[:8]))
	copyFiles(t, source, folder)
	done := filepath.Join(folder, "installed")
	_, err = os.Stat(done)
	if err == nil {
		return folder
	}
	command := exec.Command(p.install[0], p.install[1:]...)
	command.Dir = folder
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("installing what clients/%s needs (with Node 20.11 or later and npm, and Python 3.11 or later and pip): %v\n%s", name, err, out)
	}
	err = os.WriteFile(done, nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	err := os.MkdirAll(to, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(from, file.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, file.Name()), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sdkClient is a running client, spoken to in lines of JSON.
type sdkClient struct {
	in  io.Writer
	out *bufio.Scanner
}

func startSDK(t *testing.T, folder string, run []string) *sdkClient {
	t.Helper()
	// The test's own context ends before the client is told to.
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	command := exec.CommandContext(ctx, run[0], run[1:]...)
	command.Dir = folder
	var complaints strings.Builder
	command.Stderr = &complaints
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = command.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		err := command.Wait()
		if err != nil || t.Failed() {
			t.Errorf("the client ended with %v: %s", err, &complaints)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return &sdkClient{in, lines}
}

func (c *sdkClient) write(t *testing.T, line string) {
	t.Helper()
	_, err := fmt.Fprintln(c.in, line)
	if err != nil {
		t.Fatal(err)
	}
}

func (c *sdkClient) read(t *testing.T, value any) {
	t.Helper()
	if !c.out.Scan() {
		t.Fatalf("the client said nothing: %v", c.out.Err())
	}
	err := json.Unmarshal(c.out.Bytes(), value)
	if err != nil {
		t.Fatalf("the client said %s: %v", c.out.Bytes(), err)
	}
}

// call has the client call a tool, and returns the result's text, and whether it is an error.
func (c *sdkClient) call(t *testing.T, call string) (string, bool) {
	t.Helper()
	c.write(t, call)
	var result struct {
		Content []struct{ Text string }
		IsError bool
	}
	c.read(t, &result)
	if len(result.Content) == 0 {
		return "", result.IsError
	}
	return result.Content[0].Text, result.IsError
}
