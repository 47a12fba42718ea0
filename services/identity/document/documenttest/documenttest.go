// Package documenttest is a small internet on loopback for tests of client ID metadata documents: a DNS
// server, and an HTTPS server whose certificates come from an authority of its own.
package documenttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"sallyport/services/identity/document"
)

// Internet is what a fetcher can reach.
type Internet struct {
	t         testing.TB
	caFile    string
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
	server    *httptest.Server
	dns       net.PacketConn
	port      string

	// Connections is how many reached the HTTPS server, Requests how many requests did.
	Connections, Requests atomic.Int64

	mu       sync.Mutex
	answers  map[string][][]netip.Addr
	handlers map[string]http.HandlerFunc
}

// Start starts one, which ends with the test. The HTTPS server listens on 127.0.0.1.
func Start(t testing.TB) *Internet {
	t.Helper()
	i := &Internet{t: t, answers: map[string][][]netip.Addr{}, handlers: map[string]http.HandlerFunc{}}
	i.makeAuthority()
	i.server = httptest.NewUnstartedServer(http.HandlerFunc(i.serve))
	i.server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: i.certificate}
	i.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			i.Connections.Add(1)
		}
	}
	i.server.StartTLS()
	t.Cleanup(i.server.Close)
	_, i.port, _ = net.SplitHostPort(i.server.Listener.Addr().String())
	var err error
	i.dns, err = (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	i.check(err)
	t.Cleanup(func() { _ = i.dns.Close() })
	go i.answer()
	return i
}

// Config lets documents be fetched from these hosts, at the server's port, and from 127.0.0.1 although
// it isn't public.
func (i *Internet) Config(hosts ...string) document.Config {
	cfg := document.Config{CAFile: i.caFile, Resolver: i.dns.LocalAddr().String(), Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	for _, host := range hosts {
		cfg.Domains = append(cfg.Domains, net.JoinHostPort(host, i.port))
	}
	return cfg
}

// URL is the address of a path at a host, with the server's port.
func (i *Internet) URL(host, path string) string {
	return "https://" + net.JoinHostPort(host, i.port) + path
}

// Serve lets the server answer for a URL of its own; the host gets the server's address.
func (i *Internet) Serve(host, path string, handle http.HandlerFunc) (url string) {
	i.Point(host, []string{"127.0.0.1"})
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handlers[host+path] = handle
	return i.URL(host, path)
}

// Point makes the DNS answer for a host: the first time with the first list of addresses, then with the
// next, and with the last for ever.
func (i *Internet) Point(host string, answers ...[]string) {
	var parsed [][]netip.Addr
	for _, answer := range answers {
		var list []netip.Addr
		for _, text := range answer {
			list = append(list, netip.MustParseAddr(text))
		}
		parsed = append(parsed, list)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answers[host] = parsed
}

func (i *Internet) check(err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatal(err)
	}
}

func (i *Internet) serve(w http.ResponseWriter, r *http.Request) {
	i.Requests.Add(1)
	host, _, _ := net.SplitHostPort(r.Host)
	i.mu.Lock()
	handle := i.handlers[host+r.URL.Path]
	i.mu.Unlock()
	if handle == nil {
		http.NotFound(w, r)
		return
	}
	handle(w, r)
}

func (i *Internet) makeAuthority() {
	var err error
	i.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	i.check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Sallyport's tests"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &i.key.PublicKey, i.key)
	i.check(err)
	i.authority, err = x509.ParseCertificate(der)
	i.check(err)
	i.caFile = filepath.Join(i.t.TempDir(), "ca.pem")
	i.check(os.WriteFile(i.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
}

// certificate makes one for whatever name a client asks for.
func (i *Internet) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{hello.ServerName}, NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.authority, &i.key.PublicKey, i.key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.key}, err
}

func (i *Internet) answer() {
	buffer := make([]byte, 1500)
	for {
		n, from, err := i.dns.ReadFrom(buffer)
		if err != nil {
			return
		}
		var query dnsmessage.Message
		if query.Unpack(buffer[:n]) != nil || len(query.Questions) != 1 {
			continue
		}
		reply, err := i.reply(query).Pack()
		if err == nil {
			_, _ = i.dns.WriteTo(reply, from)
		}
	}
}

func (i *Internet) reply(query dnsmessage.Message) *dnsmessage.Message {
	question := query.Questions[0]
	reply := &dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: query.Questions,
	}
	name := question.Name.String()
	addresses, known := i.addresses(name[:len(name)-1], question.Type == dnsmessage.TypeA)
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, address := range addresses {
		header := dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: dnsmessage.ClassINET}
		switch {
		case address.Is4() && question.Type == dnsmessage.TypeA:
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}})
		case address.Is6() && question.Type == dnsmessage.TypeAAAA:
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	return reply
}

// addresses are the next answer for a host; the question for IPv4 moves on to the one after.
func (i *Internet) addresses(host string, moveOn bool) ([]netip.Addr, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	answers, known := i.answers[host]
	if !known {
		return nil, false
	}
	if moveOn && len(answers) > 1 {
		i.answers[host] = answers[1:]
	}
	return answers[0], true
}
