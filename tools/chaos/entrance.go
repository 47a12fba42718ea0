package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// entrance passes connections on to the Envoys that take them, in turn, as a Kubernetes Service does. Connections that
// there are stay where they are.
type entrance struct {
	listener net.Listener
	port     string

	mu     sync.Mutex
	behind []string
	next   int
}

// openEntrance listens at an address, host:port, until it is closed. Nothing is behind it yet.
func openEntrance(ctx context.Context, address string) (*entrance, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("what passes connections on to Envoy: %w", err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	e := &entrance{listener: listener, port: port}
	go e.serve(ctx)
	return e, nil
}

func (e *entrance) close() error { return e.listener.Close() }

// set says which hosts new connections go to from now on.
func (e *entrance) set(hosts []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.behind = hosts
}

func (e *entrance) serve(ctx context.Context) {
	for {
		from, err := e.listener.Accept()
		if err != nil {
			return
		}
		go e.pass(ctx, from)
	}
}

// pass hands on what both sides send until both have ended.
func (e *entrance) pass(ctx context.Context, from net.Conn) {
	defer func() { _ = from.Close() }()
	var dialer net.Dialer
	to, err := dialer.DialContext(ctx, "tcp", e.pick())
	if err != nil {
		return // the connection is closed, as it is where nothing listens
	}
	defer func() { _ = to.Close() }()
	var both sync.WaitGroup
	both.Go(func() { oneWay(to, from) })
	both.Go(func() { oneWay(from, to) })
	both.Wait()
}

// oneWay hands on what one side sends, and its end.
func oneWay(to, from net.Conn) {
	_, _ = io.Copy(to, from) // an error is as good as its end
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}

// pick is the next address in turn.
func (e *entrance) pick() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.behind) == 0 {
		return ""
	}
	e.next++
	return net.JoinHostPort(e.behind[e.next%len(e.behind)], e.port)
}
