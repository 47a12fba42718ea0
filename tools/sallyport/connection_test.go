package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// inFolder makes a folder with a state file and goes to one below it.
func inFolder(t *testing.T, state string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(dir, "a", "b")
	for _, folder := range []string{below, filepath.Join(dir, ".run")} {
		err = os.MkdirAll(folder, 0o700)
		if err != nil {
			t.Fatal(err)
		}
	}
	if state != "" {
		err = os.WriteFile(filepath.Join(dir, ".run", "state.json"), []byte(state), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(below)
	return dir
}

const runningState = `{"admin_grpc":"localhost:8801","admin_token_file":".run/token","pids":{"authz":7}}`

func TestLocate(t *testing.T) {
	dir := inFolder(t, runningState)
	token := filepath.Join(dir, ".run", "token")
	for name, test := range map[string]struct {
		given             connection
		server, tokenFile string
	}{
		"the one that runs here": {connection{}, "localhost:8801", token},
		"the same, named":        {connection{Server: "localhost:8801"}, "localhost:8801", token},
		"another token":          {connection{TokenFile: "t"}, "localhost:8801", "t"},
		"both named":             {connection{Server: "https://sallyport.acme.test", TokenFile: "t"}, "https://sallyport.acme.test", "t"},
	} {
		server, tokenFile, err := test.given.locate()
		if err != nil || server != test.server || tokenFile != test.tokenFile {
			t.Errorf("%s: got %s, %s, %v", name, server, tokenFile, err)
		}
	}
}

func TestLocateKeepsTheTokenHere(t *testing.T) {
	inFolder(t, runningState)
	_, tokenFile, err := (&connection{Server: "sallyport.acme.test:443"}).locate()
	if err == nil || tokenFile != "" || !strings.Contains(err.Error(), "--token-file") {
		t.Errorf("got %q, %v, want no token for another server", tokenFile, err)
	}
}

func TestLocateSaysWhatToDo(t *testing.T) {
	for state, want := range map[string]string{"": "make up", "{": "make up", "{}": "make up"} {
		inFolder(t, state)
		_, _, err := (&connection{}).locate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("state %q: got %v, want %q", state, err, want)
		}
	}
}

// TestLoginIsForOneServer looks which server a login is presented to.
func TestLoginIsForOneServer(t *testing.T) {
	inFolder(t, runningState)
	for _, test := range []struct {
		login, server string
		presented     bool
	}{
		{"http://localhost:8801", "", true},
		{"http://localhost:8801", "localhost:8801", true},
		{"http://localhost:8801", "localhost:8802", false},
		{"https://sallyport.acme.test", "https://SALLYPORT.acme.test:443/", true},
		// What was signed in over TLS is never shown without it.
		{"https://sallyport.acme.test", "sallyport.acme.test:443", false},
		{"https://sallyport.acme.test", "http://sallyport.acme.test", false},
		{"https://sallyport.acme.test", "https://sallyport.acme.test:8443", false},
	} {
		t.Setenv("XDG_CONFIG_HOME", t.TempDir())
		path, err := loginPath(test.login)
		if err == nil {
			err = login{Server: test.login, AccessToken: "access", ExpiresAt: time.Now().Add(time.Hour)}.write(path)
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
		server, err := (&connection{Server: test.server}).locateServer()
		if err != nil {
			t.Fatal(err)
		}
		found, ok, err := findLogin(server)
		if err != nil || ok != test.presented || ok && found != path {
			t.Errorf("a login at %s is presented to %q: %v, %v", test.login, test.server, ok, err)
		}
	}
}

// TestRenewingIsDoneOnce has commands at once find a login that is about to end.
func TestRenewingIsDoneOnce(t *testing.T) {
	var renewed atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("refresh_token") != "first" {
			t.Errorf("renewed with %q", r.PostFormValue("refresh_token"))
		}
		n := renewed.Add(1)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"access %d","refresh_token":"next","token_type":"Bearer","expires_in":3600}`, n)
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "login.json")
	err := login{Server: server.URL, TokenEndpoint: server.URL, AccessToken: "old", RefreshToken: "first", ExpiresAt: time.Now().Add(time.Second)}.write(path)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for range 10 {
		running.Go(func() {
			token, err := loginToken(t.Context(), path)
			if err != nil || token != "access 1" {
				t.Errorf("got %q, %v", token, err)
			}
		})
	}
	running.Wait()
	if renewed.Load() != 1 {
		t.Errorf("renewed %d times", renewed.Load())
	}
}

func TestTarget(t *testing.T) {
	for server, want := range map[string]string{
		"localhost:8801": "localhost:8801 insecure", "[::1]:8801": "[::1]:8801 insecure", "http://localhost:8801": "localhost:8801 insecure",
		"https://sallyport.acme.test": "sallyport.acme.test:443 tls", "https://sallyport.acme.test:8443/": "sallyport.acme.test:8443 tls",
	} {
		address, transport, err := target(server)
		if err != nil || address+" "+transport.Info().SecurityProtocol != want {
			t.Errorf("%s: got %s %v, want %s", server, address, err, want)
		}
	}
	for _, server := range []string{"localhost", "localhost:", "ftp://x", "https://", "https://x/admin", "http://%"} {
		_, _, err := target(server)
		if err == nil {
			t.Errorf("%q was taken for an address", server)
		}
	}
}
