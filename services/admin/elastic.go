package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/internal/elastic"
)

// object is a JSON object of Elasticsearch's query language.
type object map[string]any

// find sends a search, and has read read its answer. Its errors are statuses.
func find(ctx context.Context, transport esapi.Transport, request esapi.SearchRequest, body object, read func(io.Reader) error) error {
	text, err := json.Marshal(body)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	request.Body = bytes.NewReader(text)
	// Half of an answer would look like all of it.
	no := false
	request.AllowPartialSearchResults = &no
	response, err := request.Do(ctx, transport)
	if err != nil {
		return elasticAway(err)
	}
	defer response.Body.Close()
	err = elastic.Failure(response)
	if err != nil {
		return elasticRefused(response.StatusCode, err)
	}
	err = read(response.Body)
	if err != nil {
		return elasticAway(fmt.Errorf("reading its answer: %w", err))
	}
	return nil
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
