package native

import (
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"sallyport/tools/envoyconf"
)

func TestParsePorts(t *testing.T) {
	for text, want := range map[string]Ports{"": 8800, "9800": 9800, "65517": 65517} {
		got, err := ParsePorts(text)
		if err != nil || got != want {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"80", "65518", "x", "-1", "8800 "} {
		_, err := ParsePorts(text)
		wantError(t, err, fmt.Sprintf("PORT_BASE is %q: set it to a number from 1024 to 65517", text))
	}
}

func TestPortInUse(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", ":0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		port := listener.Addr().(*net.TCPAddr).Port
		err = Ports(port).Check(true)
		listener.Close()
		wantError(t, err, fmt.Sprintf("port %d, for the MCP endpoint, is in use", port), fmt.Sprintf("(process %d)", os.Getpid()), "PORT_BASE=")
	}
}

func TestParseAtlassian(t *testing.T) {
	_, err := ParseAtlassian("cloud", Base)
	wantError(t, err, `ATLASSIAN is "cloud"`, "rovo")
	for setting, tls := range map[string]string{"": "false", "rovo": "true"} {
		a, err := ParseAtlassian(setting, Base)
		if err != nil {
			t.Fatal(err)
		}
		values, err := envoyconf.Upstream(a.callsURL())
		if err != nil || values["ATLASSIAN_TLS"] != tls || values["ATLASSIAN_PATH"] != "/v2/mcp" {
			t.Errorf("%q: got %v", setting, values)
		}
	}
}

// TestUpstreamApartFromSignIn shows that calls go to another server while people still sign in at
// Atlassian.
func TestUpstreamApartFromSignIn(t *testing.T) {
	for url, want := range map[string]map[string]string{
		"http://127.0.0.1:9000/mcp":     {"ATLASSIAN_HOST": "127.0.0.1", "ATLASSIAN_PORT": "9000", "ATLASSIAN_AUTHORITY": "127.0.0.1:9000", "ATLASSIAN_PATH": "/mcp", "ATLASSIAN_TLS": "false"},
		"https://mcp.example.com/a%20b": {"ATLASSIAN_HOST": "mcp.example.com", "ATLASSIAN_PORT": "443", "ATLASSIAN_AUTHORITY": "mcp.example.com", "ATLASSIAN_PATH": "/a%20b", "ATLASSIAN_TLS": "true"},
		"http://mcp.example.com/":       {"ATLASSIAN_HOST": "mcp.example.com", "ATLASSIAN_PORT": "80", "ATLASSIAN_AUTHORITY": "mcp.example.com", "ATLASSIAN_PATH": "/", "ATLASSIAN_TLS": "false"},
		"http://[::1]:9000/mcp":         {"ATLASSIAN_HOST": "::1", "ATLASSIAN_PORT": "9000", "ATLASSIAN_AUTHORITY": "[::1]:9000", "ATLASSIAN_PATH": "/mcp", "ATLASSIAN_TLS": "false"},
	} {
		other, err := StandIn(Base).WithUpstream(url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := envoyconf.Upstream(other.callsURL())
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: Envoy is told %v, want %v (%v)", url, got, want, err)
		}
		s := newStack(t, other)
		identity := s.processes()["identity"].Command
		if !strings.Contains(identity, StandIn(Base).mcpURL) || strings.Contains(identity, url) {
			t.Errorf("%s: people don't sign in at Atlassian: %s", url, identity)
		}
		err = s.renderEnvoy(0)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(s.path("envoy.yaml"))
		if err == nil {
			err = yaml.Unmarshal(text, new(map[string]any))
		}
		if err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{"rovo", "ftp://mcp.example.com/mcp", "http:///mcp", "http://mcp.example.com", "http://mcp.example.com/mcp?tools=all", "http://ana@mcp.example.com/mcp", "http://mcp.example.com/mcp#a"} {
		_, err := StandIn(Base).WithUpstream(url)
		wantError(t, err, fmt.Sprintf("MCP_UPSTREAM is %q: set it to the URL of an MCP server", url))
	}
}

// TestEnvoyIsFilledIn renders the envoy.yaml that is shipped, for both other sides.
func TestEnvoyIsFilledIn(t *testing.T) {
	for _, other := range []Atlassian{StandIn(Base), Rovo()} {
		s := newStack(t, other)
		err := s.renderEnvoy(0)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(s.path("envoy.yaml"))
		if err != nil || strings.Contains(string(text), "${") {
			t.Errorf("not filled in: %v", err)
		}
	}
	s := newStack(t, Rovo())
	s.Root = t.TempDir()
	write(t, filepath.Join(s.Root, "envoy", "envoy.yaml"), "a: ${PUBLIC_PORT}\nb: ${NOBODY_KNOWS}\n")
	wantError(t, s.renderEnvoy(0), "${NOBODY_KNOWS}")
}

func TestSecretsAreKept(t *testing.T) {
	s := newStack(t, StandIn(Base))
	var first string
	for range 2 {
		err := os.MkdirAll(s.path("secrets"), 0o755)
		if err == nil {
			err = s.makeSecrets()
		}
		if err != nil {
			t.Fatal(err)
		}
		key, err := os.ReadFile(s.secret(sealKey))
		if err != nil || first != "" && first != string(key) {
			t.Fatalf("the key is another one now, or gone: %v", err)
		}
		first = string(key)
	}
	info, err := os.Stat(s.secret(adminToken))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the admin token can be read by others: %v, %v", info, err)
	}
}

func TestProgramIsMissing(t *testing.T) {
	s := newStack(t, StandIn(Base))
	s.Root = t.TempDir()
	wantError(t, s.Preflight(), "the program "+filepath.Join(s.Root, "bin", "process-compose")+" is missing: run `make build`")
}

func TestOrphansAreStopped(t *testing.T) {
	s := newStack(t, StandIn(Base))
	command := exec.Command("sleep", "60")
	command.Env = []string{StackVariable + "=" + s.RunDir}
	err := command.Start()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	// Linux shows the environment of a process a moment after it has started.
	for deadline := time.Now().Add(5 * time.Second); len(s.orphans()) == 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	err = s.endOrphans()
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = command.Process.Kill()
		t.Error("it still runs")
	}
}

// newStack is a stack of the test's own whose other processes may enter its folder, with the work
// tree's envoy.yaml.
func newStack(t *testing.T, other Atlassian) Stack {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	err = os.Chmod(filepath.Dir(folder), 0o755)
	if err != nil {
		t.Fatal(err)
	}
	return Stack{Root: root, RunDir: folder, Ports: Base, Atlassian: other, Out: io.Discard}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wantError fails unless the error is one sentence on one line with all of the texts.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %s", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %q, want it to say %q", err, text)
		}
	}
}
