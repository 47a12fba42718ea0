package accesslog_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collogspb "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// collector speaks OTLP as a collector does, and keeps what it was sent.
type collector struct {
	t   *testing.T
	url string

	mu sync.Mutex
	// answer answers a request before it is taken; false takes it.
	answer func(w http.ResponseWriter, records []*logspb.LogRecord) bool
	taken  []*logspb.LogRecord
	// from is the header by which tests tell replicas apart, of each request that was taken.
	from     []string
	requests int
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{t: t}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// answers sets how requests are answered from now on; nil takes them.
func (c *collector) answers(how func(w http.ResponseWriter, records []*logspb.LogRecord) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = how
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	zip, err := gzip.NewReader(r.Body)
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "not OTLP", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(zip)
	var message collogspb.ExportLogsServiceRequest
	if err != nil || proto.Unmarshal(body, &message) != nil {
		http.Error(w, "not OTLP", http.StatusBadRequest)
		return
	}
	var records []*logspb.LogRecord
	for _, resource := range message.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			records = append(records, scope.GetLogRecords()...)
		}
	}
	c.mu.Lock()
	answer := c.answer
	c.requests++
	c.mu.Unlock()
	if answer != nil && answer(w, records) {
		return
	}
	c.take(records, r.Header.Get("replica"))
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *collector) take(records []*logspb.LogRecord, from string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = append(c.taken, records...)
	c.from = append(c.from, from)
}

// partly answers that so many of the records weren't taken.
func partly(w http.ResponseWriter, rejected int64, why string) {
	body, _ := proto.Marshal(&collogspb.ExportLogsServiceResponse{
		PartialSuccess: &collogspb.ExportLogsPartialSuccess{RejectedLogRecords: rejected, ErrorMessage: why},
	})
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(body)
}

// attribute is a record's attribute, empty where it has none.
func attribute(r *logspb.LogRecord, name string) string {
	for _, a := range r.GetAttributes() {
		if a.GetKey() == name {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// got is what was taken, by the records' ids.
func (c *collector) got() map[string][]*logspb.LogRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	byID := map[string][]*logspb.LogRecord{}
	for _, r := range c.taken {
		id := attribute(r, "event.id")
		byID[id] = append(byID[id], r)
	}
	return byID
}

// waits waits until so many records were taken, and returns them by id.
func (c *collector) waits(records int) map[string][]*logspb.LogRecord {
	c.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := c.got()
		if len(got) >= records {
			return got
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%d of %d records were sent", len(got), records)
		}
	}
}

// asked is how many requests there were.
func (c *collector) asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}
