package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/internal/elastic"
)

// object is a JSON object of Elasticsearch's query language.
type object map[string]any

// startsWithin is how long a search waits for an index that was made a moment ago, as at the first call of a
// day: until it has started Elasticsearch refuses whatever is searched in all of them.
const startsWithin, startLook = 3 * time.Second, 100 * time.Millisecond

// find sends a search, and has read read its answer. Its errors are statuses.
func find(ctx context.Context, transport esapi.Transport, request esapi.SearchRequest, body object, read func(io.Reader) error) error {
	text, err := json.Marshal(body)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	// Half of an answer would look like all of it.
	no := false
	request.AllowPartialSearchResults = &no
	return patiently(func() error {
		request.Body = bytes.NewReader(text)
		return findOnce(ctx, transport, request, read)
	})
}

// findTogether sends searches of the same indices in one request, which Elasticsearch does side by side, and has read
// read the answer of each, by its place. Its errors are statuses.
func findTogether(ctx context.Context, transport esapi.Transport, indices []string, bodies []object, read func(int, json.RawMessage) error) error {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, body := range bodies {
		header := object{"index": indices, "allow_no_indices": true, "ignore_unavailable": true, "allow_partial_search_results": false}
		err := errors.Join(encoder.Encode(header), encoder.Encode(body))
		if err != nil {
			return status.Error(codes.Internal, err.Error())
		}
	}
	return patiently(func() error {
		var answer struct{ Responses []json.RawMessage }
		err := elastic.Ask(ctx, transport, esapi.MsearchRequest{Body: bytes.NewReader(lines.Bytes())}, &answer)
		if err != nil {
			return err
		}
		if len(answer.Responses) != len(bodies) {
			return fmt.Errorf("it answered %d of %d searches", len(answer.Responses), len(bodies))
		}
		for i, one := range answer.Responses {
			err = errors.Join(refusedIn(one), read(i, one))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// refusedIn is the error of one of several searches, nil where it has none.
func refusedIn(answer json.RawMessage) error {
	var refused struct {
		Status int
		Error  *struct{ Type, Reason string }
	}
	err := json.Unmarshal(answer, &refused)
	if err == nil && refused.Error != nil {
		return &elastic.Error{Status: refused.Status, Type: refused.Error.Type, Reason: refused.Error.Reason}
	}
	return err
}

// patiently asks Elasticsearch, again while an index is starting. Its errors are statuses.
func patiently(ask func() error) error {
	var err error
	for began := time.Now(); ; time.Sleep(startLook) {
		err = ask()
		if !starting(err) || time.Since(began) > startsWithin {
			break
		}
	}
	refused, ok := errors.AsType[*elastic.Error](err)
	switch {
	case err == nil:
		return nil
	case ok:
		return elasticRefused(refused.Status, err)
	}
	return elasticAway(err)
}

// findOnce is find without patience. The error is an *elastic.Error where Elasticsearch answered one.
func findOnce(ctx context.Context, transport esapi.Transport, request esapi.SearchRequest, read func(io.Reader) error) error {
	response, err := request.Do(ctx, transport)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	err = elastic.Failure(response)
	if err != nil {
		return err
	}
	err = read(response.Body)
	if err != nil {
		return fmt.Errorf("reading its answer: %w", err)
	}
	return nil
}

// starting tells whether a search was refused since a part of an index has no place yet.
func starting(err error) bool {
	refused, ok := errors.AsType[*elastic.Error](err)
	return ok && refused.Status == http.StatusServiceUnavailable && refused.Type == "search_phase_execution_exception"
}

// elasticRefused tells what Elasticsearch can't do now from what it never will.
func elasticRefused(code int, err error) error {
	if code >= http.StatusInternalServerError || code == http.StatusTooManyRequests {
		return elasticAway(err)
	}
	return status.Errorf(codes.Internal, "Elasticsearch refused the search: %v.", err)
}

// elasticAway is the error of a search that Elasticsearch didn't answer.
func elasticAway(err error) error {
	if errors.Is(err, context.Canceled) {
		return status.FromContextError(err).Err()
	}
	return status.Errorf(codes.Unavailable, "Elasticsearch can't be searched right now; nothing is lost, records wait in Redis until it is back. Start it again if it is down. (%v)", err)
}
