package atlassian

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// answering opens a directory on a Jira that gives everybody the same answer.
func answering(t *testing.T, status int, retryAfter string) *Directory {
	t.Helper()
	jira := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(jira.Close)
	file := filepath.Join(t.TempDir(), "token")
	err := os.WriteFile(file, []byte("token\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	d, err := OpenDirectory(DirectoryConfig{URL: jira.URL + "/", TokenFile: file})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestJiraSaysNo(t *testing.T) {
	for status, want := range map[int]error{
		http.StatusUnauthorized: ErrCredential, http.StatusForbidden: ErrPermission, http.StatusNotFound: ErrNotFound,
	} {
		d := answering(t, status, "")
		_, err := d.Groups(t.Context(), "ana")
		_, listErr := d.AllGroups(t.Context(), "")
		if !errors.Is(err, want) || !errors.Is(listErr, want) {
			t.Errorf("%d: %v, and for the list %v", status, err, listErr)
		}
	}
}

func TestJiraWantsAPause(t *testing.T) {
	for _, c := range []struct {
		status     int
		retryAfter string
		// least and most are what the pause is between; none where both are 0.
		least, most time.Duration
	}{
		{429, "7", 7 * time.Second, 7 * time.Second},
		{503, "7", 7 * time.Second, 7 * time.Second},
		{429, "0", minWait, minWait},
		{429, "-5", minWait, minWait},
		{429, "99999999999", maxWait, maxWait},
		{429, "", usualWait, usualWait},
		{429, "soon", usualWait, usualWait},
		{429, time.Now().Add(2 * time.Minute).UTC().Format(http.TimeFormat), time.Minute, 2 * time.Minute},
		{429, "Mon, 01 Jan 2024 00:00:00 GMT", minWait, minWait},
		{503, "", 0, 0},
		{500, "7", 0, 0},
	} {
		_, err := answering(t, c.status, c.retryAfter).Groups(t.Context(), "ana")
		var throttled *Throttled
		switch {
		case !errors.As(err, &throttled):
			if c.most > 0 || err == nil {
				t.Errorf("%d %q: %v", c.status, c.retryAfter, err)
			}
		case throttled.Wait < c.least || throttled.Wait > c.most:
			t.Errorf("%d %q: a pause of %s", c.status, c.retryAfter, throttled.Wait)
		}
	}
}
