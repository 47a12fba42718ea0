package state_test

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// TestSignIn signs in to a Redis that has users, by its own port and over TLS.
func TestSignIn(t *testing.T) {
	address := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = client.Close() })
	for _, command := range [][]any{
		{"acl", "setuser", "sallyport", "on", ">right", "~*", "&*", "+@all"},
		{"acl", "setuser", "default", "off"},
	} {
		if err := client.Do(t.Context(), command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	encrypted, authority := behindTLS(t, address)
	right, wrong := file(t, "right\n"), file(t, "wrong\n")
	for name, c := range map[string]struct {
		address string
		signIn  state.SignIn
		err     string
	}{
		"signed in":                       {address, state.SignIn{User: "sallyport", PasswordFile: right}, ""},
		"signed in over TLS":              {encrypted, state.SignIn{User: "sallyport", PasswordFile: right, TLS: true, CAFile: authority}, ""},
		"nobody":                          {address, state.SignIn{}, "NOAUTH"},
		"with another password":           {address, state.SignIn{User: "sallyport", PasswordFile: wrong}, "WRONGPASS"},
		"by an authority that is unknown": {encrypted, state.SignIn{User: "sallyport", PasswordFile: right, TLS: true}, "certificate"},
	} {
		store, err := c.signIn.Open(c.address)
		if err != nil {
			t.Fatal(err)
		}
		err = store.Ready(t.Context())
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: got %v, want %q", name, err, c.err)
		}
		_ = store.Close()
	}
}

func TestSignInsThatCantWork(t *testing.T) {
	for want, s := range map[string]state.SignIn{
		"--redis-user needs --redis-password-file": {User: "sallyport"},
		"--redis-ca-file needs --redis-tls":        {CAFile: "ca.pem"},
	} {
		err := s.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for want, s := range map[string]state.SignIn{
		"must have the password on one line": {PasswordFile: file(t, "\n")},
		"has no certificate in PEM":          {TLS: true, CAFile: file(t, "no certificate")},
	} {
		_, err := s.Open("127.0.0.1:6379")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// behindTLS ends TLS before a Redis, and returns the address and a file with the authority of the certificate.
func behindTLS(t *testing.T, address string) (encrypted, authority string) {
	t.Helper()
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			front, err := listener.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("tcp", address)
			if err != nil {
				_ = front.Close()
				continue
			}
			go func() { _, _ = io.Copy(back, front); _ = back.Close() }()
			go func() { _, _ = io.Copy(front, back); _ = front.Close() }()
		}
	}()
	return listener.Addr().String(), file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})))
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	err := os.WriteFile(path, []byte(text), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
