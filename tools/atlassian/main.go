// Command atlassian is a stand-in for Atlassian: a site with its people, issues and pages, its MCP
// server, authorization server and REST APIs, all in memory. See README.md.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"sallyport/tools/atlassian/server"
)

type flags struct {
	Listen         string `help:"Address for everything of Atlassian's." default:"127.0.0.1:8815" env:"SALLYPORT_ATLASSIAN_LISTEN"`
	PublicURL      string `help:"Origin at which clients, browsers and Sallyport reach --listen; by default http:// and that address." placeholder:"URL" env:"SALLYPORT_ATLASSIAN_PUBLIC_URL"`
	SwitchesListen string `help:"Address for the switches; keep it from others." default:"127.0.0.1:8816" env:"SALLYPORT_ATLASSIAN_SWITCHES_LISTEN"`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("atlassian"), kong.Description("A stand-in for Atlassian, to run and test Sallyport without a real site."))
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f, log); err != nil {
		log.Error("stopped", "error", err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags, log *slog.Logger) error {
	s, err := server.New(server.Config{Listen: f.Listen, SwitchesListen: f.SwitchesListen, PublicURL: f.PublicURL, Log: log})
	if err != nil {
		return err
	}
	log.Info("serving", "atlassian", s.URL, "switches", s.SwitchesURL)
	return s.Serve(ctx)
}
