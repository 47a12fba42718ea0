// Package process is the one bootstrap of every service: configuration, logs, metrics, health,
// servers and drain. Nothing outside it exits, reads the environment or handles signals.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"
)

// Common is the configuration that every service has; each embeds it in its own.
type Common struct {
	OpsListen    string        `help:"Address for /healthz, /readyz, /settings and /metrics. Keep it private." default:"127.0.0.1:9090" env:"SALLYPORT_OPS_LISTEN"`
	LogLevel     slog.Level    `help:"Least severe level that is logged: debug, info, warn or error." default:"info" env:"SALLYPORT_LOG_LEVEL"`
	Traces       string        `help:"Address (host:port) of an OpenTelemetry collector that takes traces as OTLP over gRPC, without TLS. Without it nothing is traced." env:"SALLYPORT_TRACES" placeholder:"otel-collector:4317"`
	Profiles     bool          `help:"Serve what Go measures of the service itself at /debug/pprof/ of --ops-listen: what takes CPU and memory, and waits for locks." env:"SALLYPORT_PROFILES"`
	DrainTimeout time.Duration `help:"How long calls under way may take to end once the service is told to stop." default:"10s" env:"SALLYPORT_DRAIN_TIMEOUT"`
	Ready        bool          `help:"Start nothing: ask the one that runs with the same --ops-listen whether it is ready, and exit with 0 if it is. For health checks of containers, which have no other program."`
}

func (c *Common) common() *Common { return c }

// config is a service's configuration: a struct of kong fields that embeds Common.
type config interface{ common() *Common }

// Process is a running service. Start functions add servers, tasks and checks to it; they all end
// together.
type Process struct {
	// Log is the service's logger: JSON lines on standard error.
	Log *slog.Logger
	// Metrics is the registry behind /metrics.
	Metrics *prometheus.Registry
	// Traced says that what belongs to a trace is to be told to the collector.
	Traced bool

	drain    time.Duration
	group    *errgroup.Group
	ctx      context.Context
	draining atomic.Bool

	// mu guards checks and settings, which start functions add to while the ops server may already read them.
	mu       sync.Mutex
	checks   []check
	settings map[string]string
}

type check struct {
	name string
	ask  func(context.Context) error
}

// Main reads the configuration from flags and environment, starts the service and runs it until
// SIGTERM or SIGINT, or until one of its parts ends with an error. It exits with 1 then, and with
// 80 (kong's usage error) where the configuration can't be read.
func Main(name, about string, cfg config, start func(ctx context.Context, p *Process) error) {
	kong.Parse(cfg, kong.Name(name), kong.Description(about), kong.UsageOnError())
	if cfg.common().Ready {
		err := askReady(cfg.common().OpsListen)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.common().LogLevel})).
		With("service", name)
	slog.SetDefault(log)
	_, err := memlimit.Set()
	if err != nil {
		log.Warn("how much memory the container has can't be read: it may be killed for taking too much", "error", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err = run(ctx, log, name, *cfg.common(), start)
	if err != nil {
		log.Error("stopped", "error", err)
		os.Exit(1)
	}
	log.Info("stopped")
}

// run is Run, with traces where they are asked for.
func run(ctx context.Context, log *slog.Logger, name string, cfg Common, start func(ctx context.Context, p *Process) error) error {
	if cfg.Traces != "" {
		end, err := openTraces(ctx, log, name, cfg.Traces)
		if err != nil {
			return err
		}
		defer end()
	}
	return Run(ctx, log, cfg, start)
}

// Run starts a service and runs it until ctx ends or a part of it fails.
func Run(ctx context.Context, log *slog.Logger, cfg Common, start func(ctx context.Context, p *Process) error) error {
	group, groupCtx := errgroup.WithContext(ctx)
	p := &Process{Log: log, Metrics: prometheus.NewRegistry(), Traced: cfg.Traces != "", drain: cfg.DrainTimeout, group: group, ctx: groupCtx}
	p.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	err := p.ServeHTTP("ops", cfg.OpsListen, p.opsHandler(cfg.Profiles))
	if err == nil {
		err = start(groupCtx, p)
	}
	if err == nil {
		p.Go("readiness", p.tellReadiness)
	}
	if err != nil {
		// The servers that already listen must not outlive a start that failed.
		group.Go(func() error { return err })
	}
	return group.Wait()
}

// Go runs a task of the service until ctx ends. A task that returns an error ends the service.
func (p *Process) Go(name string, task func(ctx context.Context) error) {
	p.group.Go(func() error {
		err := task(p.ctx)
		stopped := errors.Is(err, context.Canceled) && p.ctx.Err() != nil
		if err != nil && !stopped {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// Stopping is closed when the service begins to stop.
func (p *Process) Stopping() <-chan struct{} { return p.ctx.Done() }

// CheckReady adds a condition of readiness: /readyz answers 503 with its error while it has one.
func (p *Process) CheckReady(name string, ask func(context.Context) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks = append(p.checks, check{name, ask})
}

// ShowSetting has /settings tell a setting that admins should know of, by the name of its flag. No secrets:
// whoever reaches the ops address reads it.
func (p *Process) ShowSetting(flag, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.settings == nil {
		p.settings = map[string]string{}
	}
	p.settings[flag] = value
}

// ServeHTTP listens at once, so that an address in use is known at start, and serves until the
// service stops; requests under way then have the drain timeout to end.
func (p *Process) ServeHTTP(name, address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	p.Log.Info("listening", "server", name, "address", listener.Addr().String())
	p.Go(name, func(context.Context) error {
		err := server.Serve(listener)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
	p.Go(name, func(ctx context.Context) error {
		<-ctx.Done()
		p.draining.Store(true)
		drainCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.drain)
		defer cancel()
		if server.Shutdown(drainCtx) != nil {
			return server.Close()
		}
		return nil
	})
	return nil
}
