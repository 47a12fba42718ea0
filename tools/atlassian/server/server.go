// Package server puts the stand-in together: all of Atlassian's hosts on one listener, its switches on
// a second.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"sallyport/tools/atlassian/journal"
	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/rest"
	"sallyport/tools/atlassian/rovo"
	"sallyport/tools/atlassian/site"
	"sallyport/tools/atlassian/switches"
)

// drainTime is how long requests under way may take to end.
const drainTime = 3 * time.Second

// Config says where the stand-in listens. With port 0 any free port is taken.
type Config struct {
	Listen         string
	SwitchesListen string
	// PublicURL is the origin at which Listen is reached; empty means http:// and its address.
	PublicURL string
	Log       *slog.Logger
}

// Server is the stand-in, listening but not yet serving.
type Server struct {
	// URL and SwitchesURL are the two origins.
	URL, SwitchesURL string

	log       *slog.Logger
	listeners [2]net.Listener
	handlers  [2]http.Handler
}

// New builds the stand-in and listens on both addresses.
func New(c Config) (*Server, error) {
	s := &Server{log: c.Log}
	for i, address := range []string{c.Listen, c.SwitchesListen} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("%w; free the port or choose another with --listen and --switches-listen", err)
		}
		s.listeners[i] = listener
	}
	s.URL = strings.TrimSuffix(c.PublicURL, "/")
	if s.URL == "" {
		s.URL = "http://" + s.listeners[0].Addr().String()
	}
	s.SwitchesURL = "http://" + s.listeners[1].Addr().String()
	if err := s.build(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *Server) close() {
	for _, l := range s.listeners {
		if l != nil {
			// Nothing was served yet, so nothing can be lost.
			_ = l.Close()
		}
	}
}

func (s *Server) build() error {
	acme, err := site.New(time.Now)
	if err != nil {
		return err
	}
	set, calls := switches.New(), &journal.Journal{}
	authorization, err := oauth.New(oauth.Config{Public: s.URL, Site: acme, Switches: set, Now: time.Now})
	if err != nil {
		return err
	}
	tools, err := rovo.New(rovo.Config{Site: acme, OAuth: authorization, Switches: set, Journal: calls, Log: s.log})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	authorization.Register(mux)
	tools.Register(mux)
	rest.Register(mux, rest.Config{Site: acme, OAuth: authorization, Switches: set})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	s.handlers = [2]http.Handler{s.logged(mux), switches.Handler(switches.Config{
		Switches: set, Site: acme, Journal: calls, Tools: tools.Tools(),
		ExpireTokens: authorization.ExpireTokens, RevokeRefresh: authorization.RevokeRefresh,
		Issued: authorization.Issued, Refreshes: authorization.Refreshes,
	})}
	return nil
}

// logged writes one line for each request. Queries and headers carry secrets and stay out.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		next.ServeHTTP(w, r)
		s.log.Info("request", "method", r.Method, "path", r.URL.Path, "ms", time.Since(began).Milliseconds())
	})
}

// Serve answers until ctx ends, and then lets requests under way end. Streams that last are cut.
func (s *Server) Serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, handler := range s.handlers {
		server := &http.Server{
			Handler: handler, ReadHeaderTimeout: 10 * time.Second,
			ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		}
		group.Go(func() error {
			if err := server.Serve(s.listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
			defer cancel()
			if err := server.Shutdown(drain); err != nil {
				return server.Close()
			}
			return nil
		})
	}
	return group.Wait()
}
