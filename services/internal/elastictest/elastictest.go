// Package elastictest gives tests a real Elasticsearch: the slim one that `make parts` fetched,
// started once for the tests of a package.
package elastictest

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
)

// addressVariable names an Elasticsearch that already runs, whose Sallyport indices tests may
// delete. With it, packages take turns at one server rather than starting one each.
const addressVariable = "SALLYPORT_TEST_ELASTICSEARCH"

// shared is the Elasticsearch of this package's tests.
var shared struct {
	sync.Mutex
	server *Server
	lock   *os.File
}

// Run runs a package's tests and then stops the Elasticsearch that Empty started for them. It is
// for TestMain: os.Exit(elastictest.Run(m)).
func Run(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.Stop()
	}
	if shared.lock != nil {
		shared.lock.Close()
	}
	return code
}

// Empty returns the URL of an Elasticsearch with Sallyport's index template and without any of its
// indices. The first call of a package starts it, which takes 10 to 30 seconds. Tests that use it
// can't run in parallel.
func Empty(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	address := os.Getenv(addressVariable)
	switch {
	case address != "" && shared.lock == nil:
		shared.lock = takeTurn(t)
	case address == "" && shared.server == nil:
		shared.server = Start(t)
	}
	if address == "" {
		address = shared.server.URL
	}
	wipe(t, address)
	return address
}

// takeTurn waits until no other package's tests use the named Elasticsearch. The turn ends with
// the process.
func takeTurn(t testing.TB) *os.File {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(os.TempDir(), "sallyport-elastictest.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	if err != nil {
		t.Fatalf("waiting for the Elasticsearch of %s: %v", addressVariable, err)
	}
	return file
}

func wipe(t testing.TB, address string) {
	t.Helper()
	transport, err := elastic.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	// What a test before had sent and not waited for would come after.
	for strings.Contains(do(t, transport, esapi.TasksListRequest{Actions: []string{"indices:data/write/*"}}), `"action"`) {
		time.Sleep(10 * time.Millisecond)
	}
	for _, pattern := range []string{activity.Actions, activity.Protocol} {
		for _, index := range indices(t, transport, pattern) {
			do(t, transport, esapi.IndicesDeleteRequest{Index: []string{index}})
		}
	}
	Prepare(t, address)
}

// Prepare puts Sallyport's index template into an Elasticsearch.
func Prepare(t testing.TB, address string) {
	t.Helper()
	transport, err := elastic.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	do(t, transport, esapi.IndicesPutIndexTemplateRequest{Name: activity.TemplateName, Body: bytes.NewReader(activity.Template)})
}

// indices lists the indices of a pattern: deleting by pattern is off by default.
func indices(t testing.TB, transport esapi.Transport, pattern string) []string {
	t.Helper()
	return strings.Fields(do(t, transport, esapi.CatIndicesRequest{Index: []string{pattern}, H: []string{"index"}}))
}

func do(t testing.TB, transport esapi.Transport, request esapi.Request) string {
	t.Helper()
	response, err := request.Do(t.Context(), transport)
	if err != nil {
		t.Fatalf("Elasticsearch: %v", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return ""
	}
	err = elastic.Failure(response)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body.String()
}
