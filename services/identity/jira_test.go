package identity_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/identity"
	"sallyport/services/internal/state"
)

const (
	scopedToken = "ATSTT-stand-in-scoped-token"
	cloudID     = "6b1f2c84-93d5-4e0a-8c77-5a2e9d04f1b3"

	dueKey     = "{sallyport}:groups-due"
	watchedKey = "{sallyport}:groups-watched"
	pauseKey   = "{sallyport}:groups-pause"
)

// scoped configures a scoped token in the place of the classic one.
func scoped(t *testing.T) func(*identity.Config) {
	return func(cfg *identity.Config) {
		cfg.JiraURL, cfg.JiraUser, cfg.JiraCloudID = "", "", cloudID
		cfg.JiraTokenFile = filepath.Join(t.TempDir(), "scoped.token")
		write(t, cfg.JiraTokenFile, scopedToken)
	}
}

func withoutDirectory(cfg *identity.Config) {
	cfg.JiraURL, cfg.JiraUser, cfg.JiraTokenFile = "", "", ""
}

// jira is the way to the stand-in's Jira. It counts what is asked there, gives pages of two, gets
// stuck, and calls groups by other names.
type jira struct {
	stuck   atomic.Bool
	renamed atomic.Pointer[strings.Replacer]

	mu    sync.Mutex
	calls []string
}

func (j *jira) before(t *testing.T) func(*identity.Config) {
	return func(cfg *identity.Config) {
		target, err := url.Parse(cfg.JiraURL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			query := r.Out.URL.Query()
			if query.Has("maxResults") {
				query.Set("maxResults", "2")
				r.Out.URL.RawQuery = query.Encode()
			}
			call, _ := url.QueryUnescape(r.In.URL.RequestURI())
			j.mu.Lock()
			defer j.mu.Unlock()
			j.calls = append(j.calls, call)
		}, ModifyResponse: j.rename}
		way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if j.stuck.Load() {
				<-r.Context().Done()
				return
			}
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(way.Close)
		cfg.JiraURL = way.URL
	}
}

func (j *jira) rename(r *http.Response) error {
	names := j.renamed.Load()
	if names == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return err
	}
	text := names.Replace(string(body))
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	r.Header.Del("Content-Length")
	return nil
}

func (j *jira) count(about string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	count := 0
	for _, call := range j.calls {
		if strings.Contains(call, about) {
			count++
		}
	}
	return count
}

func (d *deployment) redis() *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: d.cfg.Redis})
	d.t.Cleanup(func() { _ = client.Close() })
	return client
}

func (d *deployment) groups(account string) state.Groups {
	d.t.Helper()
	groups, err := d.store.Groups(d.t.Context(), account)
	if err != nil {
		d.t.Fatal(err)
	}
	return groups
}

// names are a person's groups that bind the next call; "unknown" where they are.
func (d *deployment) names(account string) string {
	d.t.Helper()
	groups := d.groups(account)
	if !groups.Known {
		return "unknown"
	}
	var names []string
	for _, g := range groups.List {
		names = append(names, g.Name)
	}
	return strings.Join(names, " ")
}

// makeDue lets the minutes pass until people's groups are due to be learned again.
func (d *deployment) makeDue(accounts ...string) {
	d.t.Helper()
	for _, account := range accounts {
		changed, err := d.redis().ZAddArgs(d.t.Context(), dueKey, redis.ZAddArgs{XX: true, Ch: true, Members: []redis.Z{{Score: 1, Member: account}}}).Result()
		if err != nil || changed != 1 {
			d.t.Fatalf("%s isn't on the list, error %v", account, err)
		}
	}
}

func (d *deployment) eventually(what string, holds func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			d.t.Fatalf("it doesn't come about that %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
