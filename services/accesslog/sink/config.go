package sink

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// maxTimeout is less than another replica waits before it takes the work for left.
const maxTimeout = 20 * time.Second

// Config is where records go.
type Config struct {
	Endpoint    string        `help:"URL of an OpenTelemetry Collector, or of what else takes OTLP logs over HTTP, such as http://collector:4318; without a path it gets /v1/logs. Empty sends nothing (docs/siem.md)." env:"SALLYPORT_OTLP_ENDPOINT"`
	HeadersFile string        `help:"File with headers to send along, such as a token's, NAME: VALUE a line." type:"existingfile" env:"SALLYPORT_OTLP_HEADERS_FILE"`
	Timeout     time.Duration `help:"How long it may take to answer, 20s at most." default:"10s" env:"SALLYPORT_OTLP_TIMEOUT"`
	Arguments   bool          `help:"Send the arguments of calls along. They can hold whatever people wrote in Jira and Confluence, and leave this place then." env:"SALLYPORT_OTLP_ARGUMENTS"`
	Since       time.Time     `help:"Send records from this time on, such as 2026-11-23T00:00:00Z. A first start sends from that start on without it; a later one sends again what was since." env:"SALLYPORT_OTLP_SINCE"`
}

// Validate refuses settings that can't work.
func (c Config) Validate() error {
	if c.Endpoint == "" {
		if c.HeadersFile != "" || c.Arguments || !c.Since.IsZero() {
			return errors.New("--otlp-headers-file, --otlp-arguments and --otlp-since have no meaning without --otlp-endpoint")
		}
		return nil
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("--otlp-endpoint must be http:// or https:// and a host, such as http://collector:4318")
	}
	if u.User != nil || u.RawQuery != "" {
		return errors.New("--otlp-endpoint may have no password and no query, since it is shown: secrets belong into --otlp-headers-file")
	}
	if c.Timeout <= 0 || c.Timeout > maxTimeout {
		return fmt.Errorf("--otlp-timeout is %v: it must be more than 0 and %v at most", c.Timeout, maxTimeout)
	}
	return nil
}

// url is where requests go.
func (c Config) url() string {
	u, err := url.Parse(c.Endpoint)
	if err == nil && strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/logs"
		return u.String()
	}
	return c.Endpoint
}

// readHeaders reads a file of headers. Its errors don't say what is in it.
func readHeaders(path string) (http.Header, error) {
	headers := http.Header{}
	if path == "" {
		return headers, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("headers of the OTLP sink: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" || strings.ContainsAny(strings.TrimSpace(name), " \t") {
			return nil, fmt.Errorf("%s, line %d: it must be NAME: VALUE, such as Authorization: Bearer ...", path, n)
		}
		headers.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	err = lines.Err()
	if err != nil {
		return nil, fmt.Errorf("%s can't be read: %w", path, err)
	}
	return headers, nil
}
