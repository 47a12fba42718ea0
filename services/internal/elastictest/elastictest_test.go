package elastictest

import (
	"os"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/elastic"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func TestEmptyForgetsWhatWasThere(t *testing.T) {
	transport, err := elastic.Open(Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	const index = "sallyport-activity-2026.01.02"
	do(t, transport, esapi.IndexRequest{
		Index: index, DocumentID: "a", Refresh: "true",
		Body: strings.NewReader(`{"event":{"id":"a"},"sallyport":{"decision":"allowed"}}`),
	})
	if got := indices(t, transport, "sallyport-*"); len(got) != 1 || got[0] != index {
		t.Fatalf("got indices %v, want %s", got, index)
	}
	Empty(t)
	if got := indices(t, transport, "sallyport-*"); len(got) != 0 {
		t.Errorf("got indices %v, want none", got)
	}
}
