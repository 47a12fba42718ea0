package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/tools/stack/parts"
)

// TestCallsUnderWayEnd drains a real Envoy while a call is under way and one stays on its connection.
func TestCallsUnderWayEnd(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(arrived)
			<-goOn
		}
		_, _ = io.WriteString(w, "done")
	}))
	t.Cleanup(upstream.Close)
	end := sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(end)
	front, admin := startEnvoy(t, strings.TrimPrefix(upstream.URL, "http://"))

	slow := make(chan string, 1)
	go func() { slow <- get(front + "/slow") }()
	<-arrived
	drained := make(chan error, 1)
	go func() { drained <- drain{Admin: admin, Most: time.Minute}.run(context.Background()) }()
	wait(t, "drains", admin, "DRAINING")
	if answer := get(front + "/quick"); answer != "done (closes)" {
		t.Errorf("a call while it drains got %q, want an answer that ends the connection", answer)
	}
	select {
	case err := <-drained:
		t.Fatalf("drained while a call was under way: %v", err)
	case <-time.After(3 * askEvery):
	}
	end()
	if answer := <-slow; answer != "done (closes)" {
		t.Errorf("the call under way got %q", answer)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

// TestCallsThatTakeTooLong says so.
func TestCallsThatTakeTooLong(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-goOn
	}))
	t.Cleanup(upstream.Close)
	t.Cleanup(func() { close(goOn) })
	front, admin := startEnvoy(t, strings.TrimPrefix(upstream.URL, "http://"))
	go get(front + "/")
	<-arrived
	err := drain{Admin: admin, Most: 4 * askEvery}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "still under way after 800ms") {
		t.Errorf("drained with %v", err)
	}
}

// get is the answer's text, and whether the connection ends with it.
func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	if response.Close {
		return string(text) + " (closes)"
	}
	return string(text)
}

// startEnvoy starts one that sends all to an upstream, and returns the URLs of its front and of its admin interface.
func startEnvoy(t *testing.T, upstream string) (front, admin string) {
	t.Helper()
	paths, err := parts.Ensure(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	frontPort, adminPort := freePort(t), freePort(t)
	host, port, _ := net.SplitHostPort(upstream)
	address := func(host string, port any) object {
		return object{"socket_address": object{"address": host, "port_value": port}}
	}
	config, err := json.Marshal(object{
		"admin": object{"address": address("127.0.0.1", adminPort)},
		"static_resources": object{
			"listeners": []object{{"address": address("127.0.0.1", frontPort), "filter_chains": []object{{"filters": []object{{
				"name": "http", "typed_config": object{
					"@type":        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
					"stat_prefix":  "public",
					"route_config": object{"virtual_hosts": []object{{"name": "all", "domains": []string{"*"}, "routes": []object{{"match": object{"prefix": "/"}, "route": object{"cluster": "upstream"}}}}}},
					"http_filters": []object{{"name": "router", "typed_config": object{"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}},
				},
			}}}}}},
			"clusters": []object{{"name": "upstream", "load_assignment": object{
				"cluster_name": "upstream",
				"endpoints":    []object{{"lb_endpoints": []object{{"endpoint": object{"address": address(host, json.Number(port))}}}}},
			}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "envoy.json")
	err = os.WriteFile(file, config, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(paths.Envoy, "-c", file, "--log-level", "error", "--disable-hot-restart", "--concurrency", "1")
	command.Stderr = t.Output()
	err = command.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	front, admin = fmt.Sprintf("http://127.0.0.1:%d", frontPort), fmt.Sprintf("http://127.0.0.1:%d", adminPort)
	wait(t, "starts", admin, "LIVE")
	return front, admin
}

// wait returns when Envoy says that it is in a state.
func wait(t *testing.T, does, admin, state string) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); !strings.HasPrefix(get(admin+"/ready"), state); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("Envoy never %s", does)
		}
	}
}

type object map[string]any

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
