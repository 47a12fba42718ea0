package envoyconf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sallyport/tools/envoyconf"
)

// image is a folder as the image of envoyconf has it, with the envoy.yaml that is shipped.
func image(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for from, to := range map[string]string{"envoy.yaml": "envoy.yaml", "admin.binpb": "admin.binpb"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "envoy", from))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, to), string(text))
	}
	write(t, filepath.Join(folder, "console", "index.html"), "<!doctype html>")
	write(t, filepath.Join(folder, "drain"), "a program")
	return folder
}

func write(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestWrite writes the configuration over an older one, with and without a certificate.
func TestWrite(t *testing.T) {
	into := t.TempDir()
	write(t, filepath.Join(into, "console", "assets", "older.js"), "")
	s := envoyconf.Settings{
		From: image(t), Into: into, PublicURL: "https://Sallyport.acme.test/", ConsoleURL: "https://sallyport.acme.test:8443",
		MCPURL: "https://mcp.atlassian.com/v2/mcp?tools=all", CAFile: "/etc/ssl/certs/ca-certificates.crt", ServicePrefix: "gate-",
	}
	for tlsDir, socket := range map[string]string{"": "envoy.transport_sockets.raw_buffer", "/run/tls": "envoy.transport_sockets.tls"} {
		s.TLSDir = tlsDir
		err := s.Write()
		if err != nil {
			t.Fatal(err)
		}
		listener := readListener(t, into)
		if got := listener.FilterChains[0].Socket.Name; got != socket {
			t.Errorf("with the folder %q the listener has %s", tlsDir, got)
		}
	}
	text, err := os.ReadFile(filepath.Join(into, "envoy.yaml"))
	if err != nil || strings.Contains(string(text), "${") || !strings.Contains(string(text), `domains: ["sallyport.acme.test"]`) {
		t.Errorf("the public name isn't there, or names are left: %v", err)
	}
	for _, name := range []string{"gate-authz", "gate-identity", "gate-accesslog", "gate-admin"} {
		if !strings.Contains(string(text), "address: "+name+",") {
			t.Errorf("Envoy isn't told of %s", name)
		}
	}
	drain, err := os.Stat(filepath.Join(into, "drain"))
	if err != nil || drain.Mode().Perm() != 0o700 {
		t.Errorf("the program drain can't be run: %v", err)
	}
	_, err = os.Stat(filepath.Join(into, "console", "assets", "older.js"))
	if err == nil {
		t.Error("an older console's file is still there")
	}
	_, err = os.Stat(filepath.Join(into, "console", "index.html"))
	if err != nil {
		t.Error(err)
	}
}

type listener struct {
	FilterChains []struct {
		Socket struct{ Name string } `yaml:"transport_socket"`
	} `yaml:"filter_chains"`
}

func readListener(t *testing.T, folder string) listener {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Resources struct{ Listeners []listener } `yaml:"static_resources"`
	}
	err = yaml.Unmarshal(text, &config)
	if err != nil || len(config.Resources.Listeners) == 0 {
		t.Fatalf("envoy.yaml has no listener: %v", err)
	}
	return config.Resources.Listeners[0]
}

func TestSettingsThatCantWork(t *testing.T) {
	good := envoyconf.Settings{PublicURL: "https://a.acme.test", ConsoleURL: "https://b.acme.test"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, s := range map[string]envoyconf.Settings{
		`--public-url is "a.acme.test"`:           {PublicURL: "a.acme.test", ConsoleURL: "https://b.acme.test"},
		`--console-url is "https://b.acme.test/x`: {PublicURL: "https://a.acme.test", ConsoleURL: "https://b.acme.test/x"},
		"with a certificate it begins with https": {PublicURL: "https://a.acme.test", ConsoleURL: "http://b.acme.test", TLSDir: "/run/tls"},
		"say http://localhost:8801":               {PublicURL: "http://localhost:8800", ConsoleURL: "http://127.0.0.1:8801"},
		"give origins as browsers write them":     {PublicURL: "https://a.acme.test", ConsoleURL: "https://b.acme.test", AllowedOrigins: []string{"*"}},
	} {
		err := s.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", s, err, want)
		}
	}
	_, err := envoyconf.Upstream("mcp.atlassian.com")
	if err == nil {
		t.Error("a host name is taken for a URL")
	}
}
