package seal_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/services/internal/processtest"
	"sallyport/services/internal/seal"
)

func keyFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seal.key")
	err := os.WriteFile(path, []byte(text), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func newBox(t *testing.T) *seal.Box {
	t.Helper()
	box, err := seal.NewBox(processtest.SealKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestOnlyTheSameUseAndKeyOpen(t *testing.T) {
	box := newBox(t)
	sealed := box.Seal("secret", "ana's token")
	if strings.Contains(string(sealed), "secret") {
		t.Error("the sealed value shows the secret")
	}
	plain, err := box.Open(sealed, "ana's token")
	if err != nil || plain != "secret" {
		t.Errorf("opened as %q, %v", plain, err)
	}
	changed := append([]byte(nil), sealed...)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() (string, error){
		"for another use":   func() (string, error) { return box.Open(sealed, "bo's token") },
		"under another key": func() (string, error) { return newBox(t).Open(sealed, "ana's token") },
		"changed":           func() (string, error) { return box.Open(changed, "ana's token") },
		"cut":               func() (string, error) { return box.Open(sealed[:5], "ana's token") },
	} {
		plain, err := open()
		if !errors.Is(err, seal.ErrOpen) || plain != "" {
			t.Errorf("%s it opened as %q, %v", name, plain, err)
		}
	}
}

func TestKeyFileIsChecked(t *testing.T) {
	for _, text := range []string{"", "not base64!", base64.StdEncoding.EncodeToString(make([]byte, 16))} {
		_, err := seal.NewBox(keyFile(t, text))
		if err == nil || !strings.Contains(err.Error(), "openssl rand -base64 32") {
			t.Errorf("a key file with %q gave %v, want what to do about it", text, err)
		}
	}
}
