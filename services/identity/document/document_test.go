package document

import (
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func readCases(t *testing.T, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	err = yaml.Unmarshal(text, v)
	if err != nil {
		t.Fatal(err)
	}
}

func TestClientIDs(t *testing.T) {
	var cases struct {
		Accepted, Refused, Misnamed []string
		Domains                     []struct {
			Domains []string
			Host    string
			Allowed bool
		}
	}
	readCases(t, "testdata/client_ids.yaml", &cases)
	for _, id := range cases.Accepted {
		_, err := Check(id)
		if err != nil {
			t.Errorf("%q should be accepted: %v", id, err)
		}
	}
	for _, id := range cases.Refused {
		u, err := Check(id)
		if err == nil {
			t.Errorf("%q should be refused, is read as %v", id, u)
		}
	}
	for _, c := range cases.Domains {
		if got := allows(c.Domains, &url.URL{Host: c.Host}); got != c.Allowed {
			t.Errorf("domains %q, host %s: allowed is %t", c.Domains, c.Host, got)
		}
	}
	for _, domain := range cases.Misnamed {
		_, err := New(Config{Domains: []string{domain}})
		if err == nil {
			t.Errorf("the domain %q should be refused", domain)
		}
	}
}

func TestAddressesThatMayBeReached(t *testing.T) {
	var cases struct{ Refused, Allowed map[string][]string }
	readCases(t, "testdata/addresses.yaml", &cases)
	control := guarded(Config{}).Control
	dial := func(text string) error {
		address := netip.AddrPortFrom(netip.MustParseAddr(text), 443)
		network := "tcp4"
		if address.Addr().Is6() {
			network = "tcp6"
		}
		return control(network, address.String(), nil)
	}
	for kind, list := range cases.Refused {
		for _, text := range list {
			if dial(text) == nil {
				t.Errorf("%s (%s) should be refused", text, kind)
			}
		}
	}
	for kind, list := range cases.Allowed {
		for _, text := range list {
			err := dial(text)
			if err != nil {
				t.Errorf("%s (%s): %v", text, kind, err)
			}
		}
	}
	control = guarded(Config{Networks: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd20::/16")}}).Control
	for text, allowed := range map[string]bool{"10.20.3.4": true, "10.21.3.4": false, "fd20::1": true, "fd21::1": false, "127.0.0.1": false} {
		if got := dial(text) == nil; got != allowed {
			t.Errorf("with networks of its own, %s: allowed is %t", text, got)
		}
	}
}

func TestFreshness(t *testing.T) {
	var cases []struct {
		Headers map[string]string
		Fresh   string
	}
	readCases(t, "testdata/freshness.yaml", &cases)
	for _, c := range cases {
		h := http.Header{}
		for name, value := range c.Headers {
			h.Set(name, value)
		}
		want, err := time.ParseDuration(c.Fresh)
		if err != nil {
			t.Fatal(err)
		}
		if got := freshness(h); got != want {
			t.Errorf("%v: fresh for %s, want %s", c.Headers, got, want)
		}
	}
}

// Whatever is taken as a client_id is read by a second, plainer reader in the same way.
func FuzzClientID(f *testing.F) {
	var cases struct{ Accepted, Refused []string }
	text, err := os.ReadFile("testdata/client_ids.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &cases)
	}
	if err != nil {
		f.Fatal(err)
	}
	for _, id := range append(cases.Accepted, cases.Refused...) {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		u, err := Check(id)
		if err != nil {
			return
		}
		rest, isHTTPS := strings.CutPrefix(id, "https://")
		host, path, hasPath := strings.Cut(rest, "/")
		if !isHTTPS || !hasPath || path == "" || host != u.Host || "/"+path != u.Path {
			t.Errorf("%q is read as host %q, path %q", id, u.Host, u.Path)
		}
		if strings.ContainsAny(id, "%?#@\\ \t\r\n") || strings.Contains(id, "/../") || strings.Contains(id, "/./") || strings.ToLower(host) != host {
			t.Errorf("%q could be read in another way", id)
		}
		if _, err := netip.ParseAddr(u.Hostname()); err == nil {
			t.Errorf("%q names an address", id)
		}
	})
}
