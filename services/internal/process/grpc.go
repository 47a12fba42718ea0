package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

// maxMessageBytes bounds a gRPC message: a request body of 1 MiB with room for its headers.
const maxMessageBytes = 2 << 20

// streamWorkers are the goroutines that calls find waiting; where there are more calls at once, each has its own.
const streamWorkers = 64

// pingsEvery is how often a client may ask whether the connection is alive, also while it has no calls. Envoy does every
// ten seconds (envoy/envoy.yaml). gRPC's own bound is five minutes, beyond which it ends the connection with all that is
// under way in it, such as outcomes that Envoy has just sent.
const pingsEvery = time.Second

// seconds are the buckets of how long calls take. A decision takes less than a millisecond or two, a simulation seconds.
var seconds = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// GRPC says what a gRPC server serves.
type GRPC struct {
	// Address to listen on.
	Address string
	// Register adds the services.
	Register func(*grpc.Server)
	// Unary runs before every unary call, after recovery and metrics. May be nil.
	Unary grpc.UnaryServerInterceptor
	// Stream does the same for calls with streams. May be nil.
	Stream grpc.StreamServerInterceptor
	// Reflection offers the services' descriptions to clients such as grpcurl.
	Reflection bool
}

// ServeGRPC listens at once and serves with recovery, metrics and grpc.health.v1 until the service
// stops; calls under way then have the drain timeout to end.
func (p *Process) ServeGRPC(g GRPC) error {
	listener, err := net.Listen("tcp", g.Address)
	if err != nil {
		return fmt.Errorf("grpc: %w", err)
	}
	metrics := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram(grpcprom.WithHistogramBuckets(seconds)))
	p.Metrics.MustRegister(metrics)
	recovered := recovery.WithRecoveryHandlerContext(func(_ context.Context, cause any) error {
		p.Log.Error("panic in a call", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
		return status.Error(codes.Internal, "internal error; see the service's log")
	})
	unary := []grpc.UnaryServerInterceptor{metrics.UnaryServerInterceptor(), recovery.UnaryServerInterceptor(recovered)}
	if g.Unary != nil {
		unary = append(unary, g.Unary)
	}
	stream := []grpc.StreamServerInterceptor{metrics.StreamServerInterceptor(), recovery.StreamServerInterceptor(recovered)}
	if g.Stream != nil {
		stream = append(stream, g.Stream)
	}
	server := grpc.NewServer(append(p.serverTraces(),
		grpc.MaxRecvMsgSize(maxMessageBytes),
		// A goroutine that has had a call has the stack that the next one needs.
		grpc.NumStreamWorkers(streamWorkers),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingsEvery, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(unary...),
		grpc.ChainStreamInterceptor(stream...),
	)...)
	g.Register(server)
	healthServer := health.NewServer()
	healthgrpc.RegisterHealthServer(server, healthServer)
	if g.Reflection {
		reflection.Register(server)
	}
	metrics.InitializeMetrics(server)

	p.Log.Info("listening", "server", "grpc", "address", listener.Addr().String())
	p.Go("grpc", func(context.Context) error {
		err := server.Serve(listener)
		// A service that is told to stop while it starts is stopped before it serves.
		if errors.Is(err, grpc.ErrServerStopped) {
			return nil
		}
		return err
	})
	p.Go("grpc", func(ctx context.Context) error {
		<-ctx.Done()
		p.draining.Store(true)
		healthServer.Shutdown()
		force := time.AfterFunc(p.drain, server.Stop)
		defer force.Stop()
		server.GracefulStop()
		return nil
	})
	return nil
}
