package identity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/services/identity"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/secrettest"
	"sallyport/services/internal/state"
)

// The service credential of the stand-in for Atlassian.
const (
	jiraUser  = "sallyport-service@acme.test"
	jiraToken = "ATATT-stand-in-classic-token"
)

// consoleURL is where the console would be.
const consoleURL = "http://localhost:51801"

// deployment is a running identity service with a Redis and an Atlassian of its own.
type deployment struct {
	t *testing.T
	// url is the public URL.
	url, grpc          string
	atlassian, control string
	stopAtlassian      func()
	store              *state.Store
	box                *seal.Box
	log                *processtest.Log
	cfg                identity.Config
	// end ends the replica that was served last.
	end func()
}

// deploy starts a deployment whose configuration was changed by tweak.
func deploy(t *testing.T, tweak ...func(*identity.Config)) *deployment {
	t.Helper()
	return deploySwitched(t, nil, tweak...)
}

// deploySwitched is deploy with an Atlassian that was switched before the service met it.
func deploySwitched(t *testing.T, switches map[string]string, tweak ...func(*identity.Config)) *deployment {
	t.Helper()
	d := &deployment{t: t, log: &processtest.Log{}, atlassian: "http://" + nativetest.FreeAddress(t), control: "http://" + nativetest.FreeAddress(t)}
	d.startAtlassian()
	for name, value := range switches {
		d.change(name, value)
	}
	keyFile, tokenFile := processtest.SealKey(t), filepath.Join(t.TempDir(), "jira.token")
	write(t, tokenFile, jiraToken)
	redis := redistest.Start(t)
	t.Cleanup(func() { d.searchForSecrets(redis) })
	listen := nativetest.FreeAddress(t)
	d.url = "http://" + listen
	d.cfg = identity.Config{
		Listen: listen, Redis: redis, SealKeyFile: keyFile, PublicURL: d.url, Contact: "it@acme.test", StreamLimit: 1000, ConsoleURL: consoleURL,
		RegistrationsPerAddress: 1000, RegistrationsInAll: 1000,
		AtlassianMCPURL: d.atlassian + "/v2/mcp?tools=all", AtlassianAPIURL: d.atlassian,
		JiraURL: d.atlassian, JiraUser: jiraUser, JiraTokenFile: tokenFile,
	}
	for _, change := range tweak {
		change(&d.cfg)
	}
	d.grpc = d.serve(listen)
	d.store = state.Open(redis)
	t.Cleanup(func() { _ = d.store.Close() })
	var err error
	d.box, err = seal.NewBox(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// serve runs a replica of the service and returns its gRPC address.
func (d *deployment) serve(listen string) string {
	d.t.Helper()
	cfg := d.cfg
	cfg.Listen, cfg.GRPCListen = listen, nativetest.FreeAddress(d.t)
	d.end = processtest.Run(d.t, d.log, func(_ context.Context, p *process.Process) error { return identity.Start(p, cfg) })
	waitFor(d.t, "http://"+listen+"/.well-known/oauth-authorization-server")
	return cfg.GRPCListen
}

// witness sees the tokens, codes and cookies of all tests.
var witness = secrettest.Watch()

// searchForSecrets looks for them in the log, which is at debug level, and in Redis, at the end of a test.
func (d *deployment) searchForSecrets(redis string) {
	response, err := http.Get(d.control + "/issued")
	if err == nil { // Else the test has stopped the stand-in.
		var issued []string
		err = json.NewDecoder(response.Body).Decode(&issued)
		_ = response.Body.Close()
		if err != nil {
			d.t.Error(err)
		}
		witness.Add("Atlassian's code or token", issued...)
	}
	witness.Add("Jira's credential", jiraToken)
	kept, _, dumpErr := redistest.Dump(context.Background(), redis)
	if dumpErr != nil {
		d.t.Error(dumpErr)
	}
	for place, text := range map[string][]byte{"the log": []byte(d.log.String()), "Redis": kept} {
		for _, secret := range witness.Find(text) {
			d.t.Errorf("%s has in clear: %s", place, secret)
		}
	}
}

// standIn is the stand-in for Atlassian, a program of the tools module.
var standIn string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sallyport-identity-test-")
	if err == nil {
		standIn = filepath.Join(dir, "atlassian")
		build := exec.Command("go", "build", "-o", standIn, "./atlassian")
		build.Dir = "../../tools"
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "building the stand-in for Atlassian:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func (d *deployment) startAtlassian() {
	d.t.Helper()
	command := exec.Command(standIn, "--listen", strings.TrimPrefix(d.atlassian, "http://"), "--public-url", d.atlassian,
		"--switches-listen", strings.TrimPrefix(d.control, "http://"))
	command.Stderr = d.log
	err := command.Start()
	if err != nil {
		d.t.Fatal(err)
	}
	d.stopAtlassian = sync.OnceFunc(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	d.t.Cleanup(d.stopAtlassian)
	waitFor(d.t, d.control+"/healthz")
}

// change sets a switch of the stand-in.
func (d *deployment) change(name, value string) {
	d.t.Helper()
	r, err := http.NewRequest(http.MethodPut, d.control+"/"+name, strings.NewReader(value))
	if err != nil {
		d.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		d.t.Fatalf("setting the switch %s: %s", name, response.Status)
	}
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		response, err := http.Get(address)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s doesn't answer: %v", address, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	err := os.WriteFile(path, []byte(text), 0o600)
	if err != nil {
		t.Fatal(err)
	}
}
