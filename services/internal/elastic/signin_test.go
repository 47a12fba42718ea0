package elastic_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/elastic"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	err := os.WriteFile(path, []byte(text), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSignIn asks a server with a certificate that the system doesn't know, and a password.
func TestSignIn(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "sallyport-admin" || password != "kept in a file" {
			http.Error(w, `{"error":{"type":"security_exception","reason":"unable to authenticate"}}`, http.StatusUnauthorized)
			return
		}
		w.Header().Set("content-type", "application/json")
		_, _ = w.Write([]byte(`{"status":"green"}`))
	}))
	defer server.Close()
	authority := file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	password := file(t, "password", "kept in a file\n")
	for name, c := range map[string]struct {
		signIn elastic.SignIn
		want   string
	}{
		"signed in":           {elastic.SignIn{User: "sallyport-admin", PasswordFile: password, CAFile: authority}, ""},
		"another password":    {elastic.SignIn{User: "sallyport-admin", PasswordFile: file(t, "other", "guessed"), CAFile: authority}, "401: security_exception"},
		"without a user":      {elastic.SignIn{CAFile: authority}, "401: security_exception"},
		"unknown certificate": {elastic.SignIn{User: "sallyport-admin", PasswordFile: password}, "certificate signed by unknown authority"},
	} {
		transport, err := c.signIn.Open(server.URL)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err = elastic.Ask(t.Context(), transport, esapi.ClusterHealthRequest{}, nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestSignInThatCantWork(t *testing.T) {
	empty := file(t, "empty", "\n")
	for want, s := range map[string]elastic.SignIn{
		"give both, or neither":                {User: "sallyport-admin"},
		"need each other":                      {PasswordFile: empty},
		"must have the password of ana on one": {User: "ana", PasswordFile: empty},
		"no such file":                         {User: "ana", PasswordFile: filepath.Join(t.TempDir(), "none")},
		"has no certificate in PEM":            {CAFile: empty},
	} {
		err := s.Validate()
		if err == nil {
			_, err = s.Open("http://localhost:9200")
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
}
