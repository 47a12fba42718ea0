package identity

import (
	"net/http/httptest"
	"testing"
	"time"
)

func TestSource(t *testing.T) {
	for _, c := range []struct{ said, remote, want string }{
		{"203.0.113.7", "127.0.0.1:1", "203.0.113.7"},
		{"", "127.0.0.1:1", "127.0.0.1"},
		{"", "[::1]:1", "::/64"},
		{"2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"},
		{"2001:db8:1:2:ffff::1", "", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "", "fe80::/64"},
		{"::ffff:203.0.113.7", "", "203.0.113.7"},
		{"203.0.113.7, 10.0.0.1", "127.0.0.1:1", "unknown"},
		{"", "", "unknown"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header.Set(sourceHeader, c.said)
		if got := source(r); got != c.want {
			t.Errorf("%q from %q is %q, want %q", c.said, c.remote, got, c.want)
		}
	}
}

func TestMinutes(t *testing.T) {
	for wait, want := range map[time.Duration]string{time.Second: "a minute", time.Minute: "a minute", 61 * time.Second: "2 minutes", limitWindow: "10 minutes"} {
		if got := minutes(wait); got != want {
			t.Errorf("%s is %q, want %q", wait, got, want)
		}
	}
}
