package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// namesLife is how long an answer may be remembered, in seconds. Kubernetes' name server says 5 by default.
const namesLife = 5

// names is the name server of a stack with replicas: it knows the addresses of those of each service that take calls, as
// Kubernetes' does for a headless Service.
type names struct {
	conn net.PacketConn

	mu    sync.Mutex
	known map[string][]netip.Addr
}

// serveNames answers at an address until it is closed.
func serveNames(ctx context.Context, address string) (*names, error) {
	var listener net.ListenConfig
	conn, err := listener.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, fmt.Errorf("the name server: %w", err)
	}
	n := &names{conn: conn, known: map[string][]netip.Addr{}}
	go n.serve()
	return n, nil
}

func (n *names) close() error { return n.conn.Close() }

// set says which addresses a name has from now on.
func (n *names) set(name string, addresses []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[name] = addresses
}

func (n *names) serve() {
	buffer := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		answer, err := n.answer(buffer[:size])
		if err == nil {
			_, _ = n.conn.WriteTo(answer, from) // who isn't answered asks again
		}
	}
}

// answer answers a question for IPv4 addresses; to others about a known name it says that there is nothing (RFC 1035, RFC 2308).
func (n *names) answer(question []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(question)
	if err != nil {
		return nil, err
	}
	asked, err := parser.Question()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	addresses, known := n.known[strings.ToLower(strings.TrimSuffix(asked.Name.String(), "."))]
	n.mu.Unlock()
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true},
		Questions: []dnsmessage.Question{asked},
	}
	if !known {
		message.RCode = dnsmessage.RCodeNameError
	}
	for _, address := range addresses {
		if asked.Type == dnsmessage.TypeA {
			message.Answers = append(message.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: asked.Name, Type: asked.Type, Class: asked.Class, TTL: namesLife},
				Body:   &dnsmessage.AResource{A: address.As4()},
			})
		}
	}
	return message.Pack()
}
