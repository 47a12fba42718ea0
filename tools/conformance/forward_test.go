package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// forwarded is a forwarder to a server, which goes with the test.
func forwarded(t *testing.T, target string) *forwarder {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	f, err := forward(u, "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f
}

// TestForwarderIsNotSeen shows that a server gets what the suite sent, but for the token and the
// names that are the forwarder's own.
func TestForwarderIsNotSeen(t *testing.T) {
	var got *http.Request
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	defer target.Close()
	host := target.Listener.Addr().String()
	f := forwarded(t, target.URL)
	own := "http://" + f.address
	for _, test := range []struct{ host, origin, wantHost, wantOrigin string }{
		{f.address, own, host, target.URL},
		{f.address, "http://evil.example.com", host, "http://evil.example.com"},
		{"evil.example.com", "http://evil.example.com", "evil.example.com", "http://evil.example.com"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, f.url("/mcp"), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = test.host
		request.Header.Set("Origin", test.origin)
		request.Header.Set("Authorization", "Bearer none")
		request.Header.Set("Mcp-Session-Id", "1")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got.Method != http.MethodDelete || got.URL.Path != "/mcp" || got.Host != test.wantHost || got.Header.Get("Origin") != test.wantOrigin {
			t.Errorf("%s, %s: the server got %s %s for %s from %s", test.host, test.origin, got.Method, got.URL, got.Host, got.Header.Get("Origin"))
		}
		if got.Header.Get("Authorization") != "Bearer secret" || got.Header.Get("Mcp-Session-Id") != "1" || got.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("the server got the headers %v", got.Header)
		}
	}
}

// TestAnswerBeforeTheRequestHasEnded shows that an answer which begins early is passed on whole.
func TestAnswerBeforeTheRequestHasEnded(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		err := control.EnableFullDuplex()
		if err == nil {
			_, err = io.WriteString(w, "first ")
		}
		if err == nil {
			err = control.Flush()
		}
		if err == nil {
			_, err = io.Copy(w, r.Body)
		}
		if err != nil {
			t.Error(err)
		}
	}))
	defer target.Close()
	body, rest := io.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, forwarded(t, target.URL).url("/mcp"), body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, err = io.WriteString(rest, "then the rest")
	if err == nil {
		err = rest.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(response.Body)
	if err != nil || string(got) != "first then the rest" {
		t.Errorf("got %q, %v", got, err)
	}
}

// relay passes a request on to the server at upstream, and its answer back: at once, or when it is whole.
func relay(ctx context.Context, w http.ResponseWriter, r *http.Request, upstream string, atOnce bool) {
	request, err := http.NewRequestWithContext(ctx, r.Method, "http://"+upstream, r.Body)
	if err != nil {
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if !atOnce {
		whole, _ := io.ReadAll(response.Body)
		_, _ = w.Write(whole)
		return
	}
	part := make([]byte, 1024)
	for err == nil {
		var n int
		n, err = response.Body.Read(part)
		_, _ = w.Write(part[:n]) // its client may be gone
		_ = http.NewResponseController(w).Flush()
	}
}

// TestStream watches a stream through the forwarder, and through others that do what Sallyport must not.
func TestStream(t *testing.T) {
	for name, test := range map[string]struct {
		// between handles what comes from the client, or is nil for the forwarder.
		between func(w http.ResponseWriter, r *http.Request, upstream string)
		want    []string
	}{
		"nothing is held back": {nil, []string{success, success}},
		"everything is held back": {func(w http.ResponseWriter, r *http.Request, upstream string) {
			relay(r.Context(), w, r, upstream, false)
		}, []string{failure, success}},
		"the call goes on without its client": {func(w http.ResponseWriter, r *http.Request, upstream string) {
			relay(context.WithoutCancel(r.Context()), w, r, upstream, true)
		}, []string{success, failure}},
		"it is answered in the server's place": {func(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(http.StatusNotFound) }, []string{failure, failure}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			upstream := listener.Addr().String()
			call := streamCall{token: "secret", patience: 2 * time.Second}
			if test.between == nil {
				call.mcpURL = forwarded(t, "http://"+upstream).url("/mcp")
			} else {
				between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { test.between(w, r, upstream) }))
				defer between.Close()
				call.mcpURL = between.URL
			}
			for i, c := range call.watch(t.Context(), listener) {
				if c.Status != test.want[i] || (c.Message == "") != (c.Status == success) {
					t.Errorf("%s: %s %q, want %s", c.ID, c.Status, c.Message, test.want[i])
				}
			}
		})
	}
}
