// Package elastic opens the connection to Elasticsearch and reads its errors.
package elastic

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Open returns a connection to the Elasticsearch at address, a URL. It doesn't connect. Requests
// aren't retried here: callers know what may be sent twice.
func Open(address string) (esapi.Transport, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q isn't the URL of an Elasticsearch, such as http://localhost:9200", address)
	}
	client, err := elastictransport.NewClient(
		elastictransport.WithURLs(u),
		elastictransport.WithDisableRetry(),
		elastictransport.WithTransport(&http.Transport{ResponseHeaderTimeout: 30 * time.Second, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}),
	)
	if err != nil {
		return nil, fmt.Errorf("Elasticsearch client: %w", err)
	}
	return client, nil
}

// Failure returns Elasticsearch's error as one, or nil where the response has none. It reads the
// body of a response that has one.
func Failure(response *esapi.Response) error {
	if !response.IsError() {
		return nil
	}
	var body struct {
		Error struct{ Type, Reason string }
	}
	if json.NewDecoder(response.Body).Decode(&body) != nil || body.Error.Type == "" {
		return fmt.Errorf("Elasticsearch answered %s", response.Status())
	}
	return fmt.Errorf("Elasticsearch answered %d: %s: %s", response.StatusCode, body.Error.Type, body.Error.Reason)
}
