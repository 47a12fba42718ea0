package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"sallyport/services/internal/activity"
)

// waitForRecords returns the records in an index that an Elasticsearch query finds, once there are as
// many as wanted: 10,000 at most.
func waitForRecords(t *testing.T, index string, query map[string]any, want int) []activity.Record {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "size": 10_000, "track_total_hits": true})
	if err != nil {
		t.Fatal(err)
	}
	var records []activity.Record
	eventually(t, time.Minute, func() error {
		records, err = findRecords(index, body)
		if err == nil && len(records) != want {
			err = fmt.Errorf("%d of %d records are in the log", len(records), want)
		}
		return err
	})
	return records
}

func findRecords(index string, query []byte) ([]activity.Record, error) {
	response, err := http.Post(sallyport.ElasticsearchURL+"/"+index+"/_search", "application/json", bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Hits struct {
			Hits []struct {
				Source json.RawMessage `json:"_source"`
			}
		}
		Error json.RawMessage
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if err != nil || len(answer.Error) > 0 {
		return nil, fmt.Errorf("searching the records: %s %w", answer.Error, err)
	}
	records := make([]activity.Record, len(answer.Hits.Hits))
	for i, hit := range answer.Hits.Hits {
		records[i], err = activity.Parse(hit.Source)
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}
