package e2e_test

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
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate is what a server shows that ends TLS.
type certificate struct {
	name string
	// left is how long it is good for.
	left time.Duration
	// selfSigned says that no authority stands behind it, alone that the server doesn't show who does.
	selfSigned, alone bool
}

// certified has a server answer over TLS that is like Sallyport to an assistant that begins. doctor trusts its authority.
func certified(c certificate) func(*testing.T) patient {
	return func(t *testing.T) patient {
		t.Helper()
		root := authority(t, "Acme Root", nil)
		between := authority(t, "Acme Issuing", root)
		issuer := between
		if c.selfSigned {
			issuer = nil
		}
		leaf := issue(t, &x509.Certificate{
			Subject: pkix.Name{CommonName: c.name}, DNSNames: []string{c.name}, NotAfter: time.Now().Add(c.left),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}, issuer)
		chain := [][]byte{leaf.Certificate[0], between.Certificate[0]}
		if c.selfSigned || c.alone {
			chain = chain[:1]
		}
		server := httptest.NewUnstartedServer(gate("", 0))
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: leaf.PrivateKey}}, MinVersion: tls.VersionTLS12}
		server.StartTLS()
		t.Cleanup(server.Close)
		trusted := filepath.Join(t.TempDir(), "authorities.pem")
		err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate[0]}), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		p := at(t, "https", server.Listener.Addr().String())
		p.environment = []string{"SSL_CERT_FILE=" + trusted}
		return p
	}
}

// authority makes one, below another or, where that is nil, by itself.
func authority(t *testing.T, name string, above *tls.Certificate) *tls.Certificate {
	t.Helper()
	return issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, above)
}

// issue signs a certificate, by its own key where the issuer is nil.
func issue(t *testing.T, what *x509.Certificate, issuer *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	what.SerialNumber = big.NewInt(time.Now().UnixNano())
	what.NotBefore = time.Now().Add(-400 * 24 * time.Hour)
	parent, signs := what, any(key)
	if issuer != nil {
		parent, signs = issuer.Leaf, issuer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, what, parent, key.Public(), signs)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
