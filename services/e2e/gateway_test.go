package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/services/internal/nativetest"
)

// startGateway starts a second gateway beside the stack's, as behind a load balancer: another authz
// with the same Redis and identity, and another Envoy that asks it. It goes by the same public name,
// and returns the address that it listens at.
func startGateway(t *testing.T) string {
	t.Helper()
	authz, authzOps := nativetest.FreeAddress(t), nativetest.FreeAddress(t)
	public, console, envoyAdmin, envoyOps := nativetest.FreeAddress(t), nativetest.FreeAddress(t), nativetest.FreeAddress(t), nativetest.FreeAddress(t)
	startPart(t, "authz-2", filepath.Join(bin, "authz"), "--listen", authz, "--ops-listen", authzOps, "--redis", sallyport.RedisAddr,
		"--identity", stackAddress(t, identityGRPC), "--seal-key-file", filepath.Join(runDir, "secrets", "seal.key"),
		"--public-url", strings.TrimSuffix(sallyport.MCPURL, "/mcp"))

	text, err := os.ReadFile(filepath.Join(runDir, "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	for theirs, ours := range map[string]string{
		hostPort(t, sallyport.MCPURL): public, hostPort(t, sallyport.AdminHTTP): console,
		hostPort(t, sallyport.EnvoyAdminURL): envoyAdmin, stackAddress(t, authzGRPC): authz, stackAddress(t, envoyOpsPlace): envoyOps,
	} {
		was, is := "port_value: "+port(t, theirs)+" ", "port_value: "+port(t, ours)+" "
		if !strings.Contains(config, was) {
			t.Fatalf("envoy.yaml has no %q", was)
		}
		config = strings.ReplaceAll(config, was, is)
	}
	file := filepath.Join(t.TempDir(), "envoy.yaml")
	err = os.WriteFile(file, []byte(config), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	startPart(t, "envoy-2", nativetest.Find().Envoy, "-c", file, "--concurrency", "2", "--log-level", "warn", "--disable-hot-restart")
	for _, ready := range []string{"http://" + authzOps + "/readyz", "http://" + envoyAdmin + "/ready"} {
		eventually(t, 20*time.Second, func() error {
			response, err := http.Get(ready)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusOK {
				return fmt.Errorf("%s answered %d", ready, response.StatusCode)
			}
			return nil
		})
	}
	return public
}

// The places of parts in the stack's ports that state.json doesn't tell.
const (
	authzGRPC     = 3
	identityGRPC  = 6
	envoyOpsPlace = 17
)

// stackAddress is the address of a part of the stack, by its place in the ports.
func stackAddress(t *testing.T, place int) string {
	t.Helper()
	var base int
	_, err := fmt.Sscan(portBase, &base)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", base+place)
}

// hostPort is the address in a URL.
func hostPort(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// startPart runs a program until the test ends, with its log beside those of the stack.
func startPart(t *testing.T, name, path string, arguments ...string) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(sallyport.LogDir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	command := exec.Command(path, arguments...)
	command.Stdout, command.Stderr = log, log
	err = command.Start()
	if err != nil {
		t.Fatalf("starting %s: %v (run `make parts`)", name, err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
}
