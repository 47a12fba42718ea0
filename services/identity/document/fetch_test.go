package document_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sallyport/services/identity/document"
	"sallyport/services/identity/document/documenttest"
)

// send answers with a document; in its text, ID is the URL that was asked for.
func send(text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		fmt.Fprint(w, strings.ReplaceAll(text, "ID", "https://"+r.Host+r.URL.Path))
	}
}

const good = `{"client_id":"ID","client_name":"Claude Code","redirect_uris":["http://localhost/callback"],"token_endpoint_auth_method":"none","logo_uri":"http://169.254.169.254/"}`

func fetcher(t *testing.T, cfg document.Config) *document.Fetcher {
	t.Helper()
	f, err := document.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func refused(t *testing.T, err error, says string) {
	t.Helper()
	problem, ok := errors.AsType[*document.Problem](err)
	if !ok || !strings.Contains(problem.Reason, says) {
		t.Errorf("got %v, want a problem that says %q", err, says)
	}
}

func TestFetch(t *testing.T) {
	net := documenttest.Start(t)
	f := fetcher(t, net.Config("claude.test"))
	id := net.Serve("claude.test", "/client", send(good, "Cache-Control", "max-age=7200"))
	got, err := f.Fetch(t.Context(), id)
	if err != nil || got.ClientID != id || got.Name != "Claude Code" || got.Fresh != 2*time.Hour || len(got.RedirectURIs) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if n := net.Requests.Load(); n != 1 {
		t.Errorf("%d requests: something that the document links to was fetched", n)
	}
	_, err = f.Fetch(t.Context(), net.Serve("claude.test", "/json", send(good, "Content-Type", "application/client+json; charset=utf-8")))
	if err != nil {
		t.Error(err)
	}
}

func TestAnswersThatAreNoDocument(t *testing.T) {
	net := documenttest.Start(t)
	f := fetcher(t, net.Config("claude.test"))
	large := strings.Repeat(" ", 6<<10)
	for _, c := range []struct {
		name, says string
		answer     http.HandlerFunc
	}{
		{"HTML", "isn't sent as JSON", send(good, "Content-Type", "text/html")},
		{"no type", "isn't sent as JSON", send(good, "Content-Type", "")},
		{"compressed", "compressed", send(good, "Content-Encoding", "gzip")},
		{"too large", "longer than 5120 bytes", send(good + large)},
		{"not JSON", "isn't a JSON object", send("{")},
		{"a list", "isn't a JSON object", send("[" + good + "]")},
		{"a member twice", "isn't a JSON object", send(strings.Replace(good, "{", `{"client_id":"ID",`, 1))},
		{"bytes after the end", "isn't a JSON object", send(good + good)},
		{"redirects as text", "isn't a JSON object", send(`{"client_id":"ID","redirect_uris":"http://localhost/callback"}`)},
		{"another client_id", "another client_id", send(strings.Replace(good, "ID", "ID/", 1))},
		{"a client_id in capitals", "another client_id", send(strings.Replace(good, "ID", "HTTPS://claude.test/client", 1))},
		{"no client_id", "another client_id", send(`{"redirect_uris":["http://localhost/callback"]}`)},
		{"CLIENT_ID", "another client_id", send(strings.Replace(good, "client_id", "CLIENT_ID", 1))},
		{"a shared secret", "shared secret", send(strings.Replace(good, `"none"`, `"client_secret_basic"`, 1))},
		{"a secret as JWT", "shared secret", send(strings.Replace(good, `"none"`, `"client_secret_jwt"`, 1))},
		{"a secret", "shared secret", send(strings.Replace(good, "{", `{"client_secret":"x",`, 1))},
		{"404", "status 404", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }},
		{"500 with a document", "status 500", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			send(good)(w, r)
		}},
		{"a redirect", "redirects aren't followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+"/good", http.StatusFound)
		}},
		{"a redirect inwards", "redirects aren't followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusTemporaryRedirect)
		}},
		{"large headers", "can't read that", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 64<<10))
			send(good)(w, r)
		}},
		{"a broken answer", "can't read that", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			net.Serve("claude.test", "/good", send(good))
			id := net.Serve("claude.test", "/client", c.answer)
			before := net.Requests.Load()
			_, err := f.Fetch(t.Context(), id)
			refused(t, err, c.says)
			if n := net.Requests.Load() - before; n != 1 {
				t.Errorf("%d requests instead of one", n)
			}
		})
	}
}

func TestSlowAnswersAreGivenUp(t *testing.T) {
	net := documenttest.Start(t)
	f := fetcher(t, net.Config("claude.test"))
	id := net.Serve("claude.test", "/client", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	})
	begun := time.Now()
	_, err := f.Fetch(t.Context(), id)
	refused(t, err, "doesn't answer within 5 seconds")
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAttackSSRFByPrivateAddress(t *testing.T) {
	net := documenttest.Start(t)
	cfg := net.Config("evil.test")
	cfg.Networks = nil
	f := fetcher(t, cfg)
	id := net.Serve("evil.test", "/client", send(good))
	for _, address := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "fd00::1"} {
		net.Point("evil.test", []string{address})
		_, err := f.Fetch(t.Context(), id)
		refused(t, err, "isn't an address on the public internet")
	}
	if n := net.Connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// The DNS answers with an address that may be reached when it is asked first, and with a private one
// when it is asked again, or with both at once. Here 127.0.0.2 plays the public one, and nobody listens there.
func TestAttackSSRFByDNSRebinding(t *testing.T) {
	net := documenttest.Start(t)
	cfg := net.Config("rebind.test")
	cfg.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}
	f := fetcher(t, cfg)
	id := net.Serve("rebind.test", "/client", send(good))
	for _, answers := range [][][]string{
		{{"127.0.0.2"}, {"127.0.0.1"}},
		{{"127.0.0.2", "127.0.0.1"}},
		{{"127.0.0.1", "127.0.0.2"}},
	} {
		net.Point("rebind.test", answers...)
		for range 3 {
			_, err := f.Fetch(t.Context(), id)
			if err == nil {
				t.Errorf("%v: the private address was reached", answers)
			}
		}
	}
	if n := net.Connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	// The other way round, what is fetched comes from the address that was looked up first.
	cfg.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	net.Point("rebind.test", []string{"127.0.0.1"}, []string{"127.0.0.2"})
	_, err := fetcher(t, cfg).Fetch(t.Context(), id)
	if err != nil {
		t.Errorf("the address that was looked up first: %v", err)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	net := documenttest.Start(t)
	cfg := net.Config("claude.test")
	cfg.CAFile = ""
	id := net.Serve("claude.test", "/client", send(good))
	_, err := fetcher(t, cfg).Fetch(t.Context(), id)
	refused(t, err, "certificate isn't trusted")
}

func TestDomainsAndPorts(t *testing.T) {
	net := documenttest.Start(t)
	f := fetcher(t, net.Config("claude.test"))
	for id, says := range map[string]string{
		net.Serve("evil.test", "/client", send(good)): "doesn't take descriptions of assistants from evil.test",
		"https://claude.test/client":                  "doesn't take descriptions of assistants from claude.test",
		"https://claude.test:6379/client":             "doesn't take descriptions of assistants from claude.test:6379",
		"http://claude.test/client":                   "isn't an https address",
		"https://127.0.0.1/client":                    "isn't a name",
	} {
		_, err := f.Fetch(t.Context(), id)
		refused(t, err, says)
	}
	if n := net.Connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// A proxy of the environment isn't used; one that is configured is, and looks the name up.
func TestProxy(t *testing.T) {
	internet := documenttest.Start(t)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	asked := make(chan string, 10)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := http.ReadRequest(bufio.NewReader(connection))
			if err == nil {
				asked <- request.Method + " " + request.Host
			}
			_, _ = io.WriteString(connection, "HTTP/1.1 403 Forbidden\r\n\r\n")
			_ = connection.Close()
		}
	}()
	proxy := "http://" + listener.Addr().String()
	t.Setenv("HTTPS_PROXY", proxy)
	cfg := internet.Config("claude.test")
	id := internet.Serve("claude.test", "/client", send(good))
	_, err = fetcher(t, cfg).Fetch(t.Context(), id)
	if err != nil || len(asked) != 0 {
		t.Errorf("without a proxy: %v, the one of the environment was asked %d times", err, len(asked))
	}
	cfg.Proxy = proxy
	_, err = fetcher(t, cfg).Fetch(t.Context(), id)
	refused(t, err, "can't read that")
	if got := <-asked; got != "CONNECT "+strings.TrimSuffix(strings.TrimPrefix(id, "https://"), "/client") {
		t.Errorf("the proxy was asked for %q", got)
	}
	_, err = document.New(document.Config{Domains: []string{document.Any}, Proxy: proxy})
	if err == nil {
		t.Error("a proxy with any domain should be refused")
	}
}
