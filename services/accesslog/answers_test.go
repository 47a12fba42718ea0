package accesslog_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/services/internal/activity"
)

// answer is one that Atlassian gives.
type answer func(w http.ResponseWriter)

// whole is an answer of one piece.
func whole(status int, contentType, body string) answer {
	return func(w http.ResponseWriter) {
		w.Header().Set("content-type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func asJSON(body string) answer { return whole(200, "application/json", body) }

// events is a stream of events, sent one by one.
func events(messages ...string) answer {
	return func(w http.ResponseWriter) {
		w.Header().Set("content-type", "text/event-stream")
		for _, m := range messages {
			_, _ = io.WriteString(w, "event: message\ndata: "+m+"\n\n")
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// cut ends the connection where the answer has come to.
func (a answer) cut() answer {
	return func(w http.ResponseWriter) {
		a(w)
		_ = http.NewResponseController(w).Flush()
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			connection.Close()
		}
	}
}

// held keeps the answer open where it has come to.
func (a answer) held(until <-chan struct{}) answer {
	return func(w http.ResponseWriter) {
		a(w)
		_ = http.NewResponseController(w).Flush()
		<-until
	}
}

func compressed(body string) answer {
	return func(w http.ResponseWriter) {
		w.Header().Set("content-type", "application/json")
		w.Header().Set("content-encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, body)
		_ = z.Close()
	}
}

const (
	result       = `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"fine"}]}}`
	notError     = `{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}`
	toolError    = `{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}`
	rpcError     = `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no such tool"}}`
	notification = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"result":{"isError":true}}}`
	fromServer   = `{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}`
)

// sized is a result that is this large.
func sized(bytes int, isError bool) string {
	return `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"` + strings.Repeat("x", bytes) + `"}],"isError":` + strconv.FormatBool(isError) + `}}`
}

// TestOutcomeIsReadFromTheAnswer has the Envoy that is shipped read each kind of answer.
func TestOutcomeIsReadFromTheAnswer(t *testing.T) {
	left := make(chan struct{})
	defer close(left)
	tests := []struct {
		name   string
		answer answer
		// requests is how many the body has, if not one.
		requests string
		// leave is to go away before the answer's end.
		leave bool
		want  string
	}{
		{name: "json result", answer: asJSON(result), want: "ok"},
		{name: "json isError false", answer: asJSON(notError), want: "ok"},
		{name: "json isError true", answer: asJSON(toolError), want: "tool_error"},
		{name: "json with charset", answer: whole(200, "application/json; charset=utf-8", toolError), want: "tool_error"},
		{name: "json error", answer: asJSON(rpcError), want: "tool_error -32602"},
		{name: "json error with another status", answer: whole(400, "application/json", rpcError), want: "http_error -32602"},
		{name: "one event", answer: events(result), want: "ok"},
		{name: "one event isError", answer: events(toolError), want: "tool_error"},
		{name: "one event error", answer: events(rpcError), want: "tool_error -32602"},
		{name: "notifications first", answer: events(notification, notification, result), want: "ok"},
		{name: "notifications and a request first", answer: events(notification, fromServer, toolError), want: "tool_error"},
		{name: "no answer among the events", answer: events(notification, fromServer), want: "unknown no_answer"},
		{name: "events cut off before the answer", answer: events(notification).cut(), want: "unknown cut_off"},
		{name: "events cut off after the answer", answer: events(toolError).cut(), want: "tool_error"},
		{name: "left before the answer", answer: events(notification).held(left), leave: true, want: "unknown cut_off"},
		{name: "json cut off", answer: asJSON(result[:20]).cut(), want: "http_error"},
		{name: "json batch", answer: asJSON("[" + result + "," + toolError + "]"), requests: "2", want: "unknown batch"},
		{name: "event batch", answer: events(result, toolError), requests: "2", want: "unknown batch"},
		{name: "json array to one request", answer: asJSON("[" + toolError + "]"), want: "unknown no_answer"},
		{name: "compressed", answer: compressed(toolError), want: "unknown compressed"},
		{name: "number of more than 64 bits", answer: asJSON(`{"jsonrpc":"2.0","id":1,"result":{"n":18446744073709551616}}`), want: "ok"},
		{name: "not json", answer: asJSON("fine"), want: "unknown no_answer"},
		{name: "another type", answer: whole(200, "text/html", "<p>fine"), want: "unknown no_answer"},
		{name: "large json", answer: asJSON(sized(900<<10, true)), want: "tool_error"},
		{name: "very large json", answer: asJSON(sized(15<<20, true)), want: "tool_error"},
		{name: "too large json", answer: asJSON(sized(17<<20, true)), want: "http_error"},
		{name: "large event", answer: events(sized(900<<10, true)), want: "tool_error"},
		{name: "too large event", answer: events(sized(3<<20, true)), want: "unknown too_large"},
		{name: "accepted notification", answer: func(w http.ResponseWriter) { w.WriteHeader(202) }, requests: "0", want: "ok"},
		{name: "unavailable", answer: whole(503, "text/plain", "no"), want: "http_error"},
	}
	f := openFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("accept-encoding"); got != "identity" {
			t.Errorf("Atlassian is asked for the encoding %q", got)
		}
		place, _ := strconv.Atoi(r.Header.Get("mcp-place"))
		tests[place].answer(w)
	}))
	for i, test := range tests {
		ctx, leave := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, strings.NewReader(`{}`))
		must(t, err)
		for name, value := range map[string]string{"record": test.name, "requests": test.requests, "mcp-place": strconv.Itoa(i), "content-type": "application/json"} {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		if test.leave {
			_, _ = response.Body.Read(make([]byte, 1))
		} else {
			// Of an answer that is cut off there is an error.
			_, _ = io.Copy(io.Discard, response.Body)
		}
		leave()
		response.Body.Close()
		r := f.outcome(test.name)
		got := r.Sallyport.Outcome
		if r.Sallyport.OutcomeReason != "" {
			got += " " + r.Sallyport.OutcomeReason
		}
		if r.Error != nil {
			got += " " + r.Error.Code
		}
		if got != test.want {
			t.Errorf("%s: recorded as %s, want %s", test.name, got, test.want)
		}
	}
}

// outcome is what is recorded of a request, once it is.
func (f *front) outcome(id string) activity.Record {
	f.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		entries, err := f.redis.XRange(f.t.Context(), "{sallyport}:activity", "-", "+").Result()
		must(f.t, err)
		for _, e := range entries {
			if e.Values["id"] == id {
				r, err := activity.Parse([]byte(e.Values["doc"].(string)))
				must(f.t, err)
				return r
			}
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("no outcome of %q came", id)
		}
	}
}
