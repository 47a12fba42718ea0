package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout bounds one readiness check, below the second or so that probes wait.
const checkTimeout = 800 * time.Millisecond

func (p *Process) opsHandler(profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		err := p.ready(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /settings", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		w.Header().Set("content-type", "application/json")
		err := json.NewEncoder(w).Encode(p.settings)
		if err != nil {
			p.Log.Debug("settings weren't taken", "error", err)
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.Metrics, promhttp.HandlerOpts{}))
	if profiles {
		addProfiles(mux)
	}
	return mux
}

// oneLockIn is of how many waits for a lock one is measured.
const oneLockIn = 10

// addProfiles serves what pprof reads, but for the command line, which may tell secrets.
func addProfiles(mux *http.ServeMux) {
	runtime.SetMutexProfileFraction(oneLockIn)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	for _, name := range []string{"allocs", "goroutine", "heap", "mutex"} {
		mux.Handle("GET /debug/pprof/"+name, pprof.Handler(name))
	}
}

func (p *Process) ready(ctx context.Context) error {
	if p.draining.Load() {
		return fmt.Errorf("stopping")
	}
	p.mu.Lock()
	checks := p.checks
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for _, c := range checks {
		err := c.ask(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// askReady asks the service that has the ops address whether it is ready; the error is its reason. One that
// listens on all addresses is asked on loopback.
func askReady(opsListen string) error {
	host, port, err := net.SplitHostPort(opsListen)
	if err != nil {
		return fmt.Errorf("--ops-listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*checkTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{}} // a proxy of the environment knows nothing of it
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	reason, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(reason)))
	}
	return err
}
