package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// forwarder stands in for an assistant that is signed in: the suite can't send a token, so what it
// sends here goes on to Sallyport with one. Nothing else is changed, and nothing is held back.
type forwarder struct {
	server *http.Server
	// address is where it listens.
	address string
}

// forward starts a forwarder to the MCP server at target.
func forward(target *url.URL, token string, log *slog.Logger) (*forwarder, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	own := listener.Addr().String()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			// Sallyport has the name that the suite knows the forwarder by. Any other is passed on:
			// what becomes of a foreign name is tested.
			if r.In.Host == own {
				r.Out.Host = target.Host
			}
			if r.In.Header.Get("Origin") == "http://"+own {
				r.Out.Header.Set("Origin", target.Scheme+"://"+target.Host)
			}
			r.Out.Header.Set("Authorization", "Bearer "+token)
		},
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100},
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Otherwise the request is closed when its answer begins. The transport may be about to learn
		// that there is no more of it, would take that for a failure, and break the answer off.
		_ = http.NewResponseController(w).EnableFullDuplex()
		proxy.ServeHTTP(w, r)
	})
	f := &forwarder{server: &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: proxy.ErrorLog}, address: own}
	go func() { _ = f.server.Serve(listener) }() // it ends when it is closed
	return f, nil
}

// url is where the suite finds the MCP server.
func (f *forwarder) url(path string) string { return "http://" + f.address + path }

func (f *forwarder) close() { _ = f.server.Close() }
