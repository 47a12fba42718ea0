package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tlsSettings are those of a public host; its name is this machine's own here.
const tlsSettings = `SALLYPORT_PUBLIC_URL=https://localhost
SALLYPORT_CONSOLE_URL=https://localhost:8443
PUBLIC_BIND=127.0.0.1
`

// withTLS brings Envoy up with a certificate, and has it take a renewed one without a restart.
func (t *trial) withTLS(ctx context.Context) error {
	folder := filepath.Join(t.source, "tls")
	first, err := certify(folder)
	if err != nil {
		return err
	}
	err = os.WriteFile(filepath.Join(t.source, "deploy", "tls.env"), []byte(tlsSettings+"TLS_DIR="+folder+"\n"), 0o600)
	if err != nil {
		return err
	}
	err = t.do(ctx, "--env-file", "tls.env", "--file", "compose.yaml", "--file", "compose.tls.yaml", "up", "--detach", "--wait", "--pull", "never", "--no-build", "envoy")
	if err != nil {
		return err
	}
	for address, want := range map[string]int{
		"https://localhost/mcp": http.StatusUnauthorized, "https://localhost/.well-known/oauth-protected-resource/mcp": http.StatusOK, "https://localhost:8443/": http.StatusOK,
	} {
		err = answers(ctx, first, address, want)
		if err != nil {
			return err
		}
	}
	second, err := certify(folder)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		err = answers(ctx, second, "https://localhost/mcp", http.StatusUnauthorized)
		if err == nil {
			t.say("  a renewed certificate is served without a restart")
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the renewed certificate isn't served: %w", err)
		}
	}
}

// certify makes a key and a certificate for localhost in a folder, in place of those there, and returns what trusts it.
func certify(folder string) (*x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	err = errors.Join(os.MkdirAll(folder, 0o755),
		renew(filepath.Join(folder, "privkey.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		renew(filepath.Join(folder, "fullchain.pem"), chain))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return pool, nil
}

// renew moves a file into place, readable for Envoy's user.
func renew(path string, text []byte) error {
	err := os.WriteFile(path+".new", text, 0o644)
	if err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// answers asks for a page over a new connection.
func answers(ctx context.Context, trusted *x509.CertPool, address string, want int) error {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12},
		DialContext: (&net.Dialer{}).DialContext,
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("{}"))
	if want == http.StatusOK {
		request, err = http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	}
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != want || response.ProtoMajor != 2 {
		return fmt.Errorf("%s is answered with %s over %s", address, response.Status, response.Proto)
	}
	return nil
}
