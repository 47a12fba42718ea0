// Package elastic opens the connection to Elasticsearch and reads its errors.
package elastic

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Open returns a connection to the Elasticsearch at address, a URL, that asks for no sign-in. It doesn't connect.
// Requests aren't retried here: callers know what may be sent twice.
func Open(address string) (esapi.Transport, error) { return SignIn{}.Open(address) }

// Open returns a connection like that of the function Open, signed in. The files are read now: a changed
// password needs a restart.
func (s SignIn) Open(address string) (esapi.Transport, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q isn't the URL of an Elasticsearch, such as http://localhost:9200", address)
	}
	// Elasticsearch is near, and compressing would cost it more than sending.
	transport := &http.Transport{ResponseHeaderTimeout: 30 * time.Second, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, DisableCompression: true}
	options := []elastictransport.Option{elastictransport.WithURLs(u), elastictransport.WithDisableRetry(), elastictransport.WithTransport(transport)}
	if s.User != "" {
		password, err := s.password()
		if err != nil {
			return nil, err
		}
		options = append(options, elastictransport.WithBasicAuth(s.User, password))
	}
	if s.CAFile != "" {
		authorities, err := s.authorities()
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
	}
	client, err := elastictransport.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("Elasticsearch client: %w", err)
	}
	return client, nil
}

// Error is an error that Elasticsearch answered.
type Error struct {
	// Status is HTTP's, such as 400.
	Status int
	// Type and Reason are Elasticsearch's, such as "illegal_argument_exception"; empty where it says none.
	Type, Reason string
}

// Error says what Elasticsearch answered.
func (e *Error) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("Elasticsearch answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("Elasticsearch answered %d: %s: %s", e.Status, e.Type, e.Reason)
}

// Failure returns Elasticsearch's error as one, an *Error, or nil where the response has none. It reads the
// body of a response that has one.
func Failure(response *esapi.Response) error {
	if !response.IsError() {
		return nil
	}
	var body struct {
		Error struct{ Type, Reason string }
	}
	// Not every error has a body of that form.
	_ = json.NewDecoder(response.Body).Decode(&body)
	return &Error{response.StatusCode, body.Error.Type, body.Error.Reason}
}

// Ask sends a request and reads the answer as JSON; into is nil where it doesn't matter. The error is an *Error
// where Elasticsearch answered one.
func Ask(ctx context.Context, transport esapi.Transport, request esapi.Request, into any) error {
	response, err := request.Do(ctx, transport)
	if err != nil {
		return fmt.Errorf("Elasticsearch doesn't answer: %w", err)
	}
	defer response.Body.Close()
	err = Failure(response)
	if err != nil {
		return err
	}
	if into != nil {
		err = json.NewDecoder(response.Body).Decode(into)
		if err != nil {
			return fmt.Errorf("reading Elasticsearch's answer: %w", err)
		}
	}
	_, _ = io.Copy(io.Discard, response.Body) // so that the connection can be used again
	return nil
}
