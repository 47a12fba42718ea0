// Package journal writes down every MCP request that reaches the stand-in, so that a test can prove
// that something never did.
package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Limits of the journal: calls kept, bytes of a body kept, and bytes of a body read at all.
const (
	maxCalls  = 10000
	keptBody  = 4 << 10
	maxBody   = 4 << 20
	truncated = "\n[cut off]"
)

// Call is one HTTP request to an MCP endpoint.
type Call struct {
	Number int       `json:"number"`
	At     time.Time `json:"time"`
	// HTTP method, and path with query.
	HTTPMethod string `json:"http_method"`
	Path       string `json:"path"`
	// Method, Tool and Inner are the JSON-RPC method, the tool of a tools/call, and the operation inside
	// an execute tool; empty when the body has none, is a batch or can't be read.
	Method string `json:"method,omitempty"`
	Tool   string `json:"tool,omitempty"`
	Inner  string `json:"inner,omitempty"`
	// Person is the e-mail address behind the access token, if it is valid.
	Person string `json:"person,omitempty"`
	// Authorization is the SHA-256 of the header's value in hexadecimal.
	Authorization string `json:"authorization_sha256,omitempty"`
	// Headers are all but Authorization and Cookie.
	Headers map[string][]string `json:"headers"`
	Bytes   int                 `json:"body_bytes"`
	Body    string              `json:"body"`
	// Status is what was answered; 0 while the answer is under way.
	Status int `json:"status"`
}

// Journal keeps the newest calls. Its zero value is ready.
type Journal struct {
	mu    sync.Mutex
	last  int
	calls []*Call
}

// Since returns the calls with a number above n, oldest first, and the highest number given so far.
func (j *Journal) Since(n int) ([]Call, int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	found := []Call{}
	for _, c := range j.calls {
		if c.Number > n {
			found = append(found, *c)
		}
	}
	return found, j.last
}

// Clear forgets all calls; numbers go on rising.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = nil
}

func (j *Journal) add(c *Call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	c.Number = j.last
	j.calls = append(j.calls, c)
	if len(j.calls) > maxCalls {
		j.calls = j.calls[1:]
	}
}

// Record wraps an MCP endpoint; person names who holds the request's token, or "".
func (j *Journal) Record(person func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		call := describe(r, body)
		call.Person = person(r)
		j.add(call)
		if err != nil {
			http.Error(w, "request body exceeds 4 MiB or could not be read", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		noted := &statusWriter{ResponseWriter: w, note: func(status int) {
			j.mu.Lock()
			defer j.mu.Unlock()
			call.Status = status
		}}
		next.ServeHTTP(noted, r)
	})
}

func describe(r *http.Request, body []byte) *Call {
	c := &Call{
		At: time.Now().UTC(), HTTPMethod: r.Method, Path: r.URL.RequestURI(),
		Headers: map[string][]string{"Host": {r.Host}}, Bytes: len(body),
	}
	for name, values := range r.Header {
		if name != "Authorization" && name != "Cookie" {
			c.Headers[name] = values
		}
	}
	if value := r.Header.Get("Authorization"); value != "" {
		sum := sha256.Sum256([]byte(value))
		c.Authorization = hex.EncodeToString(sum[:])
	}
	c.Body = string(body[:min(len(body), keptBody)])
	if len(body) > keptBody {
		c.Body += truncated
	}
	c.Method, c.Tool, c.Inner = names(body)
	return c
}

// names reads maps only: unlike structs, encoding/json keeps their keys as they are written.
func names(body []byte) (method, tool, inner string) {
	message := object(body)
	params := object(message["params"])
	method = text(message["method"])
	if method != "tools/call" {
		return method, "", ""
	}
	tool = text(params["name"])
	if strings.HasPrefix(tool, "execute") {
		inner = text(object(params["arguments"])["name"])
	}
	return method, tool, inner
}

func object(raw json.RawMessage) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// statusWriter notes the status of the answer. It can be unwrapped, for flushing.
type statusWriter struct {
	http.ResponseWriter
	note  func(int)
	noted bool
}

func (w *statusWriter) WriteHeader(status int) {
	if !w.noted {
		w.noted = true
		w.note(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if !w.noted {
		w.noted = true
		w.note(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
