package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/services/internal/nativetest"
)

// breaks break a set-up of testdata/doctor.yaml each, until the test ends.
var breaks = map[string]func(*testing.T) patient{
	"The name has no DNS record": func(*testing.T) patient {
		return patient{arguments: []string{"--mcp-url", "https://sallyport.acme.invalid/mcp"}, names: []string{"acme.invalid", "acme.test"}}
	},
	"Nothing listens at the port": func(t *testing.T) patient {
		t.Helper()
		p := at(t, "https", nativetest.FreeAddress(t))
		p.varying = map[string]string{`at sallyport\.acme\.test\.`: "at sallyport.acme.test:443."}
		return p
	},
	"The certificate has ended":         certified(certificate{name: "localhost", left: -3*24*time.Hour - time.Hour}),
	"The certificate ends soon":         certified(certificate{name: "localhost", left: 5*24*time.Hour + time.Hour}),
	"The certificate is another name's": certified(certificate{name: "old.acme.test", left: 60 * 24 * time.Hour}),
	"The certificate is self-signed":    certified(certificate{name: "localhost", left: 60 * 24 * time.Hour, selfSigned: true}),
	"The certificate comes alone":       certified(certificate{name: "localhost", left: 60 * 24 * time.Hour, alone: true}),
	"The port doesn't speak TLS":        served("https", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }),
	"Another server has the name":       served("http", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Welcome!") }),
	"The path is missing": func(t *testing.T) patient {
		t.Helper()
		return patient{arguments: []string{"--mcp-url", origin(t)}, names: []string{"http://localhost:19800", "https://sallyport.acme.test"}}
	},
	"The proxy doesn't reach Envoy":      served("http", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }),
	"The proxy has a sign-in of its own": served("http", http.RedirectHandler("https://sso.acme.test/", http.StatusFound).ServeHTTP),
	"The proxy changes the Host header": func(t *testing.T) patient {
		t.Helper()
		return proxied(t, "sallyport.internal")
	},
	"Sallyport has another public URL": func(t *testing.T) patient {
		t.Helper()
		return proxied(t, strings.TrimPrefix(origin(t), "http://"))
	},
	"The metadata is of another URL": func(t *testing.T) patient {
		t.Helper()
		return assistantsGate(t, "http://old.acme.test/mcp", 0)
	},
	"A clock is off": func(t *testing.T) patient {
		t.Helper()
		return assistantsGate(t, "", -5*time.Minute)
	},
	"The console has another URL": func(*testing.T) patient {
		return patient{
			arguments: []string{"--console-url", strings.Replace(sallyport.AdminHTTP, "localhost", "127.0.0.1", 1)},
			names:     []string{"127.0.0.1:19801", "console.acme.test", "localhost:19801", "old.acme.test"},
		}
	},
	"The admin API isn't there": func(t *testing.T) patient {
		t.Helper()
		address := nativetest.FreeAddress(t)
		return patient{
			arguments:   []string{"--mcp-url", sallyport.MCPURL},
			environment: []string{"SALLYPORT_SERVER=" + address}, names: []string{address, "sallyport-admin.acme.test:443"},
		}
	},
	"The token is refused": func(t *testing.T) patient {
		t.Helper()
		file := filepath.Join(t.TempDir(), "token")
		err := os.WriteFile(file, []byte(strings.Repeat("0", 64)), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return patient{environment: []string{"SALLYPORT_TOKEN_FILE=" + file}, arguments: []string{"--mcp-url", sallyport.MCPURL}}
	},
	"authz is down": stopped("authz"),
	"identity is down": func(t *testing.T) patient {
		t.Helper()
		p := stopped("identity")(t)
		p.names = []string{"http://localhost:19800", "https://sallyport.acme.test"}
		return p
	},
	"Redis has no append-only file": configured("appendonly", "no", "yes"),
	"Redis drops what it holds":     configured("maxmemory-policy", "allkeys-lru", "noeviction"),
	"Elasticsearch hangs":           held,
	"Elasticsearch's disk is full":  flooded,
	"Atlassian isn't reached": func(t *testing.T) patient {
		t.Helper()
		p := stopped("atlassian")(t)
		p.names = []string{"http://127.0.0.1:19815", "https://mcp.atlassian.com", "127.0.0.1:19815", "192.0.2.7:443"}
		return p
	},
	"The group credential has expired":    switched(`{"lose_groups": 401}`),
	"Rovo doesn't allow the domain":       refusedDomain,
	"Atlassian doesn't allow the address": refusedAddress,
}

// origin is where assistants reach the stack.
func origin(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(sallyport.MCPURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Scheme + "://" + u.Host
}

// at is a patient at an address of this machine, which the documentation calls sallyport.acme.test.
func at(t *testing.T, scheme, address string) patient {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return patient{
		arguments: []string{"--mcp-url", scheme + "://localhost:" + port + "/mcp"},
		names:     []string{"localhost:19800", "old.acme.test", "localhost:" + port, "sallyport.acme.test", "localhost", "sallyport.acme.test", "port " + port, "port 443"},
	}
}

// served has a server answer at the MCP URL, which speaks HTTP whatever the scheme.
func served(scheme string, handler http.HandlerFunc) func(*testing.T) patient {
	return func(t *testing.T) patient {
		t.Helper()
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return at(t, scheme, server.Listener.Addr().String())
	}
}

// proxied has a proxy stand before Envoy that sends requests on with a Host header.
func proxied(t *testing.T, host string) patient {
	t.Helper()
	to, err := url.Parse(origin(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = host
	}}
	return served("http", proxy.ServeHTTP)(t)
}

// assistantsGate has a server answer that is like Sallyport to an assistant that begins: it describes itself as a
// resource, its own URL where that is empty, and its clock is so far ahead.
func assistantsGate(t *testing.T, resource string, ahead time.Duration) patient {
	t.Helper()
	return served("http", gate(resource, ahead))(t)
}

func gate(resource string, ahead time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		self := "http://" + r.Host
		if r.TLS != nil {
			self = "https://" + r.Host
		}
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		switch r.URL.Path {
		case "/mcp":
			w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+self+`/.well-known/oauth-protected-resource/mcp"`)
			w.WriteHeader(http.StatusUnauthorized)
		case "/.well-known/oauth-protected-resource/mcp":
			if resource == "" {
				resource = self + "/mcp"
			}
			fmt.Fprintf(w, `{"resource":%q,"authorization_servers":[%q]}`, resource, self)
		default:
			fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":"x","token_endpoint":"x","code_challenge_methods_supported":["S256"]}`, self)
		}
	}
}

// held has Elasticsearch hang. Ending it says "nothing listens there" rather than "no answer", and takes a minute and a
// half to put right.
func held(t *testing.T) patient {
	t.Helper()
	process := pid(t, "elasticsearch")
	signal := func(s syscall.Signal) {
		err := syscall.Kill(process, s)
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		signal(syscall.SIGCONT)
		well(t)
	})
	signal(syscall.SIGSTOP)
	return patient{}
}

// flooded has Elasticsearch take no more records, in the way that it does itself above its flood stage.
func flooded(t *testing.T) patient {
	t.Helper()
	block := func(value string) {
		t.Helper()
		address := sallyport.ElasticsearchURL + "/sallyport-*/_settings"
		request, err := http.NewRequest(http.MethodPut, address, strings.NewReader(`{"index.blocks.read_only_allow_delete":`+value+`}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("blocking the indices: %v %v", response, err)
		}
		response.Body.Close()
	}
	t.Cleanup(func() { block("null") })
	block("true")
	return patient{varying: map[string]string{
		`[0-9.]+ [KMG]iB free of [0-9.]+ [KMG]iB`: "9.8 GiB free of 200.0 GiB",
		`(1 index takes|[0-9]+ indices take) no`:  "2 indices take no",
	}}
}

// refusedDomain has a sign-in come back with what Rovo says where a domain isn't allowed, until the next one.
func refusedDomain(t *testing.T) patient {
	t.Helper()
	p := switched(`{"domains": [], "domain_error": "return"}`)(t)
	authorize(t, "bo@acme.test", "Codex", "http://127.0.0.1:3119/callback")
	p.names = []string{time.Now().UTC().Format("2 January 15:04 UTC"), "25 November 09:10 UTC", "http://localhost:19800", "https://sallyport.acme.test"}
	return p
}

// refusedAddress has a call come back with what Atlassian says where an address isn't allowed, until the next one.
func refusedAddress(t *testing.T) patient {
	t.Helper()
	p := switched(`{"address": "tool"}`)(t)
	signIn(t, "bo@acme.test", "Codex", "http://127.0.0.1:3119/callback")
	p.names = []string{time.Now().UTC().Format("2 January 15:04 UTC"), "25 November 09:10 UTC"}
	return p
}
