package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"sallyport/services/internal/secrettest"
)

// portBase keeps the tests' stack apart from one that `make up` has started.
const portBase = "19800"

// stack is the running system, as .run/state.json describes it to scripts.
type stack struct {
	MCPURL               string            `json:"mcp_url"`
	CallbackURL          string            `json:"callback_url"`
	AdminGRPC            string            `json:"admin_grpc"`
	AdminHTTP            string            `json:"admin_http"`
	ElasticsearchURL     string            `json:"elasticsearch_url"`
	RedisAddr            string            `json:"redis_addr"`
	EnvoyAdminURL        string            `json:"envoy_admin_url"`
	MetricsURLs          map[string]string `json:"metrics_urls"`
	AtlassianURL         string            `json:"atlassian_url"`
	AtlassianSwitchesURL string            `json:"atlassian_switches_url"`
	AdminTokenFile       string            `json:"admin_token_file"`
	LogDir               string            `json:"log_dir"`
	PIDs                 map[string]int    `json:"pids"`
	People               []struct {
		Email  string   `json:"email"`
		Groups []string `json:"groups"`
	} `json:"people"`
}

var (
	sallyport stack
	// root is the top of the work tree; bin has the programs that `make build` made.
	root = func() string { path, _ := filepath.Abs("../.."); return path }()
	bin  = filepath.Join(root, "bin")
	// runDir is where the tests' stack lives: short, for the sake of its sockets.
	runDir string
	// traces are those of the stack.
	traces *collector
	// witness sees the secrets that tests use.
	witness = secrettest.Watch()
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	runDir, err = os.MkdirTemp("", "sallyport-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Elasticsearch runs as another user where the tests run as root.
	_ = os.Chmod(runDir, 0o755)
	defer os.RemoveAll(runDir)
	traces, err = startCollector()
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting a collector of traces:", err)
		return 1
	}
	err = stackCommand("up")
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the stack:", err, "(run `make test`, which builds what this needs)")
		return 1
	}
	defer func() { _ = stackCommand("down") }()
	text, err := os.ReadFile(filepath.Join(runDir, "state.json"))
	if err == nil {
		err = json.Unmarshal(text, &sallyport)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reading the stack's state:", err)
		return 1
	}
	code := m.Run()
	if code != 0 {
		printLogs()
	}
	err = searchForSecrets(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "searching for secrets:", err)
		return 1
	}
	return code
}

func stackCommand(verb string) error {
	command := exec.Command(filepath.Join(bin, "stack"), verb, "--run-dir", runDir)
	command.Dir = root
	command.Env = append(os.Environ(), "PORT_BASE="+portBase, "ATLASSIAN=", "MCP_UPSTREAM=", "SALLYPORT_LOG_LEVEL=debug", "SALLYPORT_TRACES="+traces.address)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	return command.Run()
}

// printLogs shows the end of each program's log when a test has failed.
func printLogs() {
	files, _ := filepath.Glob(filepath.Join(sallyport.LogDir, "*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		lines = lines[max(0, len(lines)-25):]
		fmt.Fprintf(os.Stderr, "--- end of %s\n%s\n", filepath.Base(file), bytes.Join(lines, []byte("\n")))
	}
}

// cli runs the sallyport command as an admin would, and returns what it prints.
func cli(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := cliCommand(arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("sallyport %v: %v\n%s", arguments, err, out)
	}
	return string(out)
}

func cliCommand(arguments ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(bin, "sallyport"), arguments...)
	command.Env = append(os.Environ(), "SALLYPORT_SERVER="+sallyport.AdminGRPC, "SALLYPORT_TOKEN_FILE="+sallyport.AdminTokenFile, "NO_COLOR=1")
	return command
}

// applyPolicy puts a policy in force, given as YAML.
func applyPolicy(t *testing.T, yaml string) {
	t.Helper()
	cli(t, "policy", "apply", policyFile(t, yaml))
}

// pid is the process that a part runs as now; it is another one after a restart.
func pid(t *testing.T, part string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(runDir, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	var now stack
	err = json.Unmarshal(text, &now)
	if err != nil || now.PIDs[part] == 0 {
		t.Fatalf("no process id of %s in state.json: %v", part, err)
	}
	return now.PIDs[part]
}

// kill ends a part without a warning, as a crash would.
func kill(t *testing.T, part string) {
	t.Helper()
	err := syscall.Kill(pid(t, part), syscall.SIGKILL)
	if err != nil {
		t.Fatalf("killing %s: %v", part, err)
	}
}

// eventually waits for something to become true, and fails with its last answer if it doesn't.
func eventually(t *testing.T, within time.Duration, what func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := what()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %v", within, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
