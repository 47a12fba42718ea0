package accesslog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/elastic"
)

// bulkAnswer is what is asked for of the bulk API's answer (filter_path): what bulkResult and refusal read.
var bulkAnswer = []string{"items.*.status", "items.*.error.type", "items.*.error.reason", "error.type", "error.reason", "status"}

// bulkResult is what the bulk API says of one operation.
type bulkResult struct {
	Status int
	Error  struct{ Type, Reason string }
}

func (r bulkResult) err() error {
	return fmt.Errorf("Elasticsearch answered %d: %s: %s", r.Status, r.Error.Type, r.Error.Reason)
}

// passing are the types of errors with status 400 that are about the index or the cluster, and pass.
var passing = []string{"index_closed_exception", "validation_exception"}

// final says that the entry is refused for what it is: it would be for ever. Where Elasticsearch may not
// be written to, such as 403 for a read-only index, it isn't the entry's fault.
func (r bulkResult) final() bool {
	return (r.Status == http.StatusBadRequest || r.Status == http.StatusRequestEntityTooLarge) && !slices.Contains(passing, r.Error.Type)
}

// refusedError is a bulk request that Elasticsearch refuses as a whole, because of what is in it.
type refusedError struct{ result bulkResult }

func (e *refusedError) Error() string { return e.result.err().Error() }

// refusal is Elasticsearch's error as one, a *refusedError where the request's content is the reason.
func refusal(response *esapi.Response) error {
	refused := bulkResult{Status: response.StatusCode}
	if !refused.final() {
		return elastic.Failure(response)
	}
	err := json.NewDecoder(response.Body).Decode(&refused)
	// A 400 that doesn't say of what kind isn't Elasticsearch's.
	if err == nil && refused.Error.Type != "" && refused.final() || response.StatusCode == http.StatusRequestEntityTooLarge {
		return &refusedError{refused}
	}
	return fmt.Errorf("Elasticsearch answered %s", response.Status())
}

// resultsIn reads the bulk API's answer for a number of operations. Where a shard fails after it has turned an
// update into what it writes, the operation's result is named index rather than update.
func resultsIn(body io.Reader, operations int) ([]bulkResult, error) {
	var answer struct {
		Items []map[string]bulkResult
	}
	err := json.NewDecoder(body).Decode(&answer)
	if err != nil {
		return nil, fmt.Errorf("reading Elasticsearch's answer: %w", err)
	}
	_, _ = io.Copy(io.Discard, body)
	if len(answer.Items) != operations {
		return nil, fmt.Errorf("Elasticsearch answered for %d of %d operations", len(answer.Items), operations)
	}
	results := make([]bulkResult, 0, operations)
	for _, item := range answer.Items {
		for _, result := range item {
			results = append(results, result)
		}
	}
	if len(results) != operations || slices.ContainsFunc(results, func(r bulkResult) bool { return r.Status < 200 }) {
		return nil, errors.New("Elasticsearch's answer doesn't say what came of each operation")
	}
	return results, nil
}
