package alert

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Config is which alerts there are, and where they go.
type Config struct {
	FirstBlock bool    `help:"Alert when a rule blocks a person for the first time in 90 days." default:"true" negatable:"" env:"SALLYPORT_ALERT_FIRST_BLOCK"`
	NewClient  bool    `help:"Alert when an assistant makes its first call in 90 days." default:"true" negatable:"" env:"SALLYPORT_ALERT_NEW_CLIENT"`
	BlockRate  float64 `help:"Alert when more than this share of the calls of ten minutes is blocked, such as 0.5; 0 for never." default:"0.5" env:"SALLYPORT_ALERT_BLOCK_RATE"`
	// BlockRateCalls keeps the first blocked call of a quiet day from being 100 per cent.
	BlockRateCalls int    `help:"Of how many calls in ten minutes at least a share is taken." default:"20" env:"SALLYPORT_ALERT_BLOCK_RATE_CALLS"`
	WebhookFile    string `help:"File with the URL that alerts are posted to as JSON with a text, such as an incoming webhook of Slack or Teams. The URL is a secret." type:"existingfile" env:"SALLYPORT_ALERT_WEBHOOK_FILE"`
}

// Validate refuses settings that can't work.
func (c Config) Validate() error {
	if c.BlockRate < 0 || c.BlockRate >= 1 {
		return fmt.Errorf("--alert-block-rate is %v: it must be a share of 0 (never) to less than 1", c.BlockRate)
	}
	if c.BlockRate > 0 && c.BlockRateCalls < 1 {
		return fmt.Errorf("--alert-block-rate-calls is %d: it must be 1 at least", c.BlockRateCalls)
	}
	return nil
}

// Any says whether there are alerts at all.
func (c Config) Any() bool { return c.FirstBlock || c.NewClient || c.BlockRate > 0 }

// webhook reads the URL that alerts are posted to. Its errors don't say it.
func (c Config) webhook() (*url.URL, error) {
	text, err := os.ReadFile(c.WebhookFile)
	if err != nil {
		return nil, fmt.Errorf("alerts' webhook: %w", err)
	}
	u, err := url.Parse(strings.TrimSpace(string(text)))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New(c.WebhookFile + " must hold one URL, https:// or http://, that alerts are posted to")
	}
	return u, nil
}
