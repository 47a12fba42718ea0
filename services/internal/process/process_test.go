package process_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
)

// running is a process with an ops server that can be asked.
type running struct {
	url, address string
	stop         context.CancelFunc
	end          chan error
}

func start(t *testing.T, body func(ctx context.Context, p *process.Process) error) *running {
	t.Helper()
	return startWith(t, process.Common{}, body)
}

func startWith(t *testing.T, cfg process.Common, body func(ctx context.Context, p *process.Process) error) *running {
	t.Helper()
	address := nativetest.FreeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	r := &running{url: "http://" + address, address: address, stop: stop, end: make(chan error, 1)}
	started := make(chan struct{})
	go func() {
		cfg.OpsListen, cfg.DrainTimeout = address, 5*time.Second
		r.end <- process.Run(ctx, slog.New(slog.DiscardHandler), cfg, func(ctx context.Context, p *process.Process) error {
			defer close(started)
			return body(ctx, p)
		})
	}()
	<-started
	return r
}

func (r *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Get(r.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestOps(t *testing.T) {
	away := errors.New("Redis doesn't answer")
	var answer atomic.Value
	say := func(err error) { answer.Store([]error{err}) }
	say(nil)
	r := start(t, func(_ context.Context, p *process.Process) error {
		p.CheckReady("redis", func(context.Context) error { return answer.Load().([]error)[0] })
		p.ShowSetting("retention-days", "400")
		return nil
	})
	if status, _ := r.get(t, "/healthz"); status != 200 {
		t.Errorf("/healthz answered %d", status)
	}
	say(away)
	if status, text := r.get(t, "/readyz"); status != 503 || !strings.Contains(text, "redis: Redis doesn't answer") {
		t.Errorf("/readyz answered %d %s", status, text)
	}
	say(nil)
	if status, _ := r.get(t, "/readyz"); status != 200 {
		t.Errorf("/readyz answered %d", status)
	}
	say(away)
	if err := process.AskReady(r.address); err == nil || err.Error() != "redis: Redis doesn't answer" {
		t.Errorf("--ready says %v", err)
	}
	say(nil)
	_, port, _ := net.SplitHostPort(r.address)
	if err := process.AskReady(":" + port); err != nil {
		t.Errorf("--ready says %v", err)
	}
	if status, text := r.get(t, "/metrics"); status != 200 || !strings.Contains(text, "go_goroutines") {
		t.Errorf("/metrics answered %d", status)
	}
	if status, text := r.get(t, "/settings"); status != 200 || text != `{"retention-days":"400"}`+"\n" {
		t.Errorf("/settings answered %d %s", status, text)
	}
	r.stop()
	if err := <-r.end; err != nil {
		t.Errorf("stopped with %v", err)
	}
	if err := process.AskReady(r.address); err == nil {
		t.Error("--ready says that what was stopped is ready")
	}
}

// TestProfiles looks for what pprof reads, which is there where it is asked for, and for the command line, which
// never is.
func TestProfiles(t *testing.T) {
	idle := func(context.Context, *process.Process) error { return nil }
	for asked, want := range map[bool]int{true: http.StatusOK, false: http.StatusNotFound} {
		r := startWith(t, process.Common{Profiles: asked}, idle)
		for _, page := range []string{"profile?seconds=1", "allocs", "mutex"} {
			if status, text := r.get(t, "/debug/pprof/"+page); status != want {
				t.Errorf("with profiles %t, %s answered %d %.80s", asked, page, status, text)
			}
		}
		if status, _ := r.get(t, "/debug/pprof/cmdline"); status != http.StatusNotFound {
			t.Errorf("with profiles %t, the command line answered %d", asked, status)
		}
		r.stop()
		if err := <-r.end; err != nil {
			t.Errorf("stopped with %v", err)
		}
	}
}

func TestRequestsUnderWayMayEnd(t *testing.T) {
	address := nativetest.FreeAddress(t)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	r := start(t, func(_ context.Context, p *process.Process) error {
		return p.ServeHTTP("slow", address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-goOn
			_, _ = io.WriteString(w, "done")
		}))
	})
	got := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + address)
		if err != nil {
			got <- err.Error()
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		got <- string(text)
	}()
	<-arrived
	r.stop()
	close(goOn)
	if text := <-got; text != "done" {
		t.Errorf("the request under way got %q", text)
	}
	if err := <-r.end; err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestAPartThatFailsEndsTheProcess(t *testing.T) {
	broken := errors.New("broken")
	r := start(t, func(_ context.Context, p *process.Process) error {
		p.Go("task", func(context.Context) error { return broken })
		return nil
	})
	if err := <-r.end; !errors.Is(err, broken) || !strings.Contains(err.Error(), "task") {
		t.Errorf("ended with %v, want which part failed", err)
	}
}

func TestAddressInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := start(t, func(_ context.Context, p *process.Process) error {
		return p.ServeHTTP("oauth", listener.Addr().String(), http.NotFoundHandler())
	})
	if err := <-r.end; err == nil || !strings.Contains(err.Error(), "oauth") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("ended with %v", err)
	}
}
