package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
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

func TestWhichToken(t *testing.T) {
	dir := inFolder(t, runningState)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for file, token := range map[string]string{filepath.Join(dir, ".run", "token"): "of-here", "t": "of-the-file"} {
		err := os.WriteFile(file, []byte(token+"\n"), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	const elsewhere = "https://sallyport.acme.test"
	err := saveLogin(elsewhere, &login{Token: &oauth2.Token{AccessToken: "of-the-sign-in", Expiry: time.Now().Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		given         connection
		server, token string
	}{
		"the one that runs here":       {connection{}, "localhost:8801", "of-here"},
		"the same, named":              {connection{Server: "localhost:8801"}, "localhost:8801", "of-here"},
		"another token":                {connection{TokenFile: "t"}, "localhost:8801", "of-the-file"},
		"both named":                   {connection{Server: elsewhere, TokenFile: "t"}, elsewhere, "of-the-file"},
		"a sign-in":                    {connection{Server: elsewhere}, elsewhere, "of-the-sign-in"},
		"a file goes before a sign-in": {connection{Server: elsewhere, TokenFile: "t"}, elsewhere, "of-the-file"},
	} {
		server, err := test.given.server()
		if err != nil || server != test.server {
			t.Errorf("%s: the server is %s, %v", name, server, err)
		}
		token, err := test.given.token(server)
		if err != nil || token != test.token {
			t.Errorf("%s: the token is %s, %v", name, token, err)
		}
	}
	// What is kept can be read by its owner only, and is gone when it is forgotten.
	path, err := loginsFile()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
	}
	err = saveLogin(elsewhere, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&connection{Server: elsewhere}).token(elsewhere)
	if err == nil || !strings.Contains(err.Error(), "sallyport login") {
		t.Errorf("after it is forgotten: %v", err)
	}
}

func TestTheTokenHereStaysHere(t *testing.T) {
	inFolder(t, runningState)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	token, err := (&connection{}).token("sallyport.acme.test:443")
	if err == nil || token != "" || !strings.Contains(err.Error(), "--token-file") {
		t.Errorf("got %q, %v, want no token for another server", token, err)
	}
}

func TestNoServerSaysWhatToDo(t *testing.T) {
	for state, want := range map[string]string{"": "make up", "{": "make up", "{}": "make up"} {
		inFolder(t, state)
		_, err := (&connection{}).server()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("state %q: got %v, want %q", state, err, want)
		}
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
