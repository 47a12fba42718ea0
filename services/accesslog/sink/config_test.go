package sink

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestConfigIsRefusedInASentence(t *testing.T) {
	for says, c := range map[string]Config{
		"":                            {},
		"have no meaning without":     {Arguments: true},
		"must be http:// or https://": {Endpoint: "collector:4318", Timeout: time.Second},
		"no password and no query":    {Endpoint: "https://ana:hunter2@siem.test", Timeout: time.Second},
		"no query":                    {Endpoint: "https://siem.test?token=hunter2", Timeout: time.Second},
		"20s at most":                 {Endpoint: "https://siem.test", Timeout: time.Minute},
	} {
		err := c.Validate()
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%+v: %v, want one that says %q", c, err, says)
		}
	}
	for endpoint, want := range map[string]string{
		"http://collector:4318": "http://collector:4318/v1/logs", "http://collector:4318/": "http://collector:4318/v1/logs", "https://siem.test/otlp/v1/logs": "https://siem.test/otlp/v1/logs",
	} {
		if got := (Config{Endpoint: endpoint}).url(); got != want {
			t.Errorf("%s is %s, want %s", endpoint, got, want)
		}
	}
}

func TestHeadersAreRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "headers")
	write := func(text string) {
		err := os.WriteFile(file, []byte(text), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	write("# a token\n\nAuthorization:  Bearer a:b\r\nx-scope: one\nX-Scope: two\n")
	got, err := readHeaders(file)
	if err != nil || !maps.EqualFunc(got, map[string][]string{"Authorization": {"Bearer a:b"}, "X-Scope": {"one", "two"}}, slices.Equal) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"secret", "Authorization Bearer: secret", ": secret"} {
		write("a: b\n" + bad + "\n")
		_, err = readHeaders(file)
		if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "30": 30 * time.Second, " 1 ": time.Second, "-1": 0, "soon": 0, "99999999": 24 * time.Hour,
		"Mon, 23 Nov 2026 09:01:00 GMT": time.Minute, "Mon, 23 Nov 2026 08:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
