package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
)

// TestNames asks the name server as Go's resolver does.
func TestNames(t *testing.T) {
	server, err := serveNames(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.close() })
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.conn.LocalAddr().String())
	}}
	both := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}
	for _, addresses := range [][]netip.Addr{both, both[1:]} {
		server.set("authz.sallyport.test", addresses)
		got, err := resolver.LookupNetIP(t.Context(), "ip", "Authz.sallyport.test.")
		slices.SortFunc(got, netip.Addr.Compare)
		if err != nil || !slices.Equal(got, addresses) {
			t.Errorf("the name leads to %v, %v, want %v", got, err, addresses)
		}
	}
	_, err = resolver.LookupNetIP(t.Context(), "ip", "identity.sallyport.test.")
	if missing, ok := errors.AsType[*net.DNSError](err); !ok || !missing.IsNotFound {
		t.Errorf("a name that isn't known leads to %v", err)
	}
}

// TestEntrance takes one of two servers out: new connections go to the other, and those that there are stay.
func TestEntrance(t *testing.T) {
	front, err := openEntrance(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.close() })
	first := httptest.NewServer(saying("first"))
	t.Cleanup(first.Close)
	_, front.port, _ = net.SplitHostPort(first.Listener.Addr().String())
	listener, err := net.Listen("tcp", "127.0.0.2:"+front.port)
	if err != nil {
		t.Fatal(err)
	}
	second := &http.Server{Handler: saying("second")}
	go func() { _ = second.Serve(listener) }()
	t.Cleanup(func() { _ = second.Close() })

	front.set([]string{"127.0.0.1"})
	kept := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(kept.CloseIdleConnections)
	address := "http://" + front.listener.Addr().String()
	if got := text(t, kept, address); got != "first" {
		t.Fatalf("answered by %q", got)
	}
	front.set([]string{"127.0.0.2"})
	if got := text(t, kept, address); got != "first" {
		t.Errorf("a connection that there was is answered by %q", got)
	}
	if got := text(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, address); got != "second" {
		t.Errorf("a new connection is answered by %q", got)
	}
	front.set(nil)
	if got := text(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, address); got != "" {
		t.Errorf("with nothing behind, a connection is answered by %q", got)
	}
}

type saying string

func (s saying) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, string(s))
}

// text is an answer, empty for none.
func text(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(all)
}
