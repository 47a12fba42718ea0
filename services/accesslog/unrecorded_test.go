package accesslog_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWhatHasNoRecordIsCounted has the Envoy that is shipped turn away what nobody is known for, or what says
// nothing.
func TestWhatHasNoRecordIsCounted(t *testing.T) {
	f := openFront(t, http.NotFoundHandler())
	host := strings.TrimSuffix(strings.TrimPrefix(f.url, "http://"), "/mcp")
	const post = "POST /mcp HTTP/1.1\r\nHost: %[1]s\r\nContent-Type: application/json\r\n"
	for _, sent := range []string{
		"PUT /mcp HTTP/1.1\r\nHost: %[1]s\r\n\r\n",
		"GET /elsewhere HTTP/1.1\r\nHost: %[1]s\r\n\r\n",
		post + "Content-Length: 2\r\n\r\n{}",
		post + "Content-Length: 2\r\nx_y: z\r\n\r\n{}",
		"no HTTP\r\n\r\n",
		post + "record: left\r\nContent-Length: 200\r\n\r\n{}",
	} {
		connection, err := net.Dial("tcp", host)
		must(t, err)
		_, err = fmt.Fprintf(connection, sent, host)
		must(t, err)
		// An answer comes, or, to what isn't whole, none.
		must(t, connection.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
		_, _ = io.ReadAll(connection)
		connection.Close()
	}
	f.closeDoor()
	response, err := http.Post(f.url, "application/json", strings.NewReader(`{}`))
	must(t, err)
	response.Body.Close()

	want := "incomplete 1, malformed 2, not_mcp 1, unauthenticated 1, undecided 1"
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := f.unrecorded()
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("counted are %s, want %s", got, want)
		}
	}
}

// unrecorded are the counters of requests without a record, by their reasons.
func (f *front) unrecorded() string {
	f.t.Helper()
	families, err := f.metrics.Gather()
	must(f.t, err)
	var counts []string
	for _, family := range families {
		if family.GetName() != "sallyport_accesslog_unrecorded_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			counts = append(counts, fmt.Sprintf("%s %.0f", m.GetLabel()[0].GetValue(), m.GetCounter().GetValue()))
		}
	}
	return strings.Join(counts, ", ")
}
