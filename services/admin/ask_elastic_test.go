package admin_test

import (
	"testing"

	"sallyport/services/admin"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
)

// TestWatermarksThatAreNotMinded fails where the status of an Elasticsearch that minds none, as that of tests is, goes by them.
func TestWatermarksThatAreNotMinded(t *testing.T) {
	transport, err := elastic.Open(elastictest.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	if !admin.Unwatched(t.Context(), transport) {
		t.Error("the setting isn't seen")
	}
}
