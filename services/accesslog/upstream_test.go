package accesslog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// post sends something that is allowed, as a page at this origin would where there is one.
func (f *front) post(origin string) *http.Response {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.url, strings.NewReader(`{}`))
	must(f.t, err)
	request.Header.Set("record", "sent")
	request.Header.Set("content-type", "application/json")
	if origin != "" {
		request.Header.Set("origin", origin)
	}
	response, err := http.DefaultClient.Do(request)
	must(f.t, err)
	f.t.Cleanup(func() { response.Body.Close() })
	return response
}

// TestAnswersDecideNothingInBrowsers has Atlassian set a cookie, and let any page read its answer.
func TestAnswersDecideNothingInBrowsers(t *testing.T) {
	f := openFront(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("set-cookie", "__Host-sallyport_session=theirs; Secure; Path=/")
		w.Header().Set("access-control-allow-origin", "https://evil.example")
		w.Header().Set("access-control-allow-credentials", "true")
		w.Header().Set("access-control-expose-headers", "*")
		asJSON(result)(w)
	}))
	for origin, allowed := range map[string]string{"": "", "https://evil.example": "", "http://localhost": "http://localhost"} {
		response := f.post(origin)
		if got := response.Header.Get("access-control-allow-origin"); got != allowed {
			t.Errorf("a page at %q may read it as %q, want %q", origin, got, allowed)
		}
		if response.Header.Get("set-cookie") != "" || response.Header.Get("access-control-allow-credentials") != "" || response.Header.Get("access-control-expose-headers") == "*" {
			t.Errorf("a page at %q gets %v", origin, response.Header)
		}
	}
}

// TestAtlassianHasToShowItsCertificate puts others in Atlassian's place.
func TestAtlassianHasToShowItsCertificate(t *testing.T) {
	for what, c := range map[string]struct {
		name    string
		trusted bool
		newest  uint16
		want    int
	}{
		"Atlassian itself":           {"localhost", true, tls.VersionTLS13, http.StatusOK},
		"a certificate of nobody":    {"localhost", false, tls.VersionTLS13, http.StatusServiceUnavailable},
		"another name's certificate": {"evil.example", true, tls.VersionTLS13, http.StatusServiceUnavailable},
		"an older revision of TLS":   {"localhost", true, tls.VersionTLS11, http.StatusServiceUnavailable},
	} {
		t.Run(what, func(t *testing.T) {
			shown, authority := issue(t, c.name)
			if !c.trusted {
				_, authority = issue(t, c.name)
			}
			var reached atomic.Bool
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				reached.Store(true)
				asJSON(result)(w)
			}))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{shown}, MinVersion: tls.VersionTLS10, MaxVersion: c.newest}
			server.StartTLS()
			t.Cleanup(server.Close)
			file := filepath.Join(t.TempDir(), "authorities.pem")
			must(t, os.WriteFile(file, authority, 0o600))
			_, port, err := net.SplitHostPort(server.Listener.Addr().String())
			must(t, err)
			f := openFrontTo(t, upstream{address: "localhost:" + port, tls: "true", authorities: file}, "http://127.0.0.1:1")
			response := f.post("")
			if response.StatusCode != c.want || reached.Load() != (c.want == http.StatusOK) {
				t.Errorf("answered with %d, reached: %v, want %d", response.StatusCode, reached.Load(), c.want)
			}
		})
	}
}

// issue makes a certificate for a name, which is its own authority, and that as a file has it.
func issue(t *testing.T, name string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
