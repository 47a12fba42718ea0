package accesslog

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/elastic"
)

// yes is for the options of requests.
var yes = true

// ask sends a request and reads the answer as JSON; into is nil where it doesn't matter.
func ask(ctx context.Context, transport esapi.Transport, request esapi.Request, into any) error {
	response, err := request.Do(ctx, transport)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	err = elastic.Failure(response)
	if err != nil {
		return err
	}
	if into != nil {
		err = json.NewDecoder(response.Body).Decode(into)
		if err != nil {
			return fmt.Errorf("reading Elasticsearch's answer: %w", err)
		}
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return nil
}
