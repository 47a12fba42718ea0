package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sallyport/services/internal/processtest"
	"sallyport/services/internal/seal"
)

func keyFile(t testing.TB, text string) string {
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

// keys returns the texts of n new keys.
func keys(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		raw := make([]byte, 32)
		rand.Read(raw)
		texts[i] = base64.StdEncoding.EncodeToString(raw)
	}
	return texts
}

func boxOf(t testing.TB, keys ...string) *seal.Box {
	t.Helper()
	box, err := seal.NewBox(keyFile(t, strings.Join(keys, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// sealedBefore is what was sealed when there was one key only, and values didn't say which.
func sealedBefore(t testing.TB, key, plain, use string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead.Seal(nil, nil, []byte(plain), []byte(use))
}

func TestRotation(t *testing.T) {
	all := keys(3)
	first, second, third := all[0], all[1], all[2]
	before := sealedBefore(t, first, "secret", "use")
	old := boxOf(t, first).Seal("secret", "use")
	both := boxOf(t, second, "", first)
	fresh := both.Seal("secret", "use")
	for name, test := range map[string]struct {
		box      *seal.Box
		sealed   []byte
		opens    bool
		current  bool
		missing  bool
		whatElse error
	}{
		"of before, under its key":        {box: boxOf(t, first), sealed: before, opens: true},
		"of before, under the second key": {box: both, sealed: before, opens: true},
		"of before, under another":        {box: boxOf(t, second), sealed: before, whatElse: seal.ErrOpen},
		"old, under its key":              {box: boxOf(t, first), sealed: old, opens: true, current: true},
		"old, under the second key":       {box: both, sealed: old, opens: true},
		"old, before the keys change":     {box: boxOf(t, first, second), sealed: old, opens: true, current: true},
		"old, once its key is gone":       {box: boxOf(t, second), sealed: old, missing: true, whatElse: seal.ErrNoKey},
		"new":                             {box: both, sealed: fresh, opens: true, current: true},
		"new, where it only opens":        {box: boxOf(t, first, second), sealed: fresh, opens: true},
		"new, once the old key is gone":   {box: boxOf(t, second), sealed: fresh, opens: true, current: true},
		"new, under a third":              {box: boxOf(t, third), sealed: fresh, missing: true, whatElse: seal.ErrNoKey},
	} {
		plain, err := test.box.Open(test.sealed, "use")
		if test.opens && (err != nil || plain != "secret") || !test.opens && (!errors.Is(err, test.whatElse) || !errors.Is(err, seal.ErrOpen) || plain != "") {
			t.Errorf("%s: opened as %q, %v", name, plain, err)
		}
		if test.box.Current(test.sealed) != test.current || test.box.Missing(test.sealed) != test.missing {
			t.Errorf("%s: current %t, missing %t", name, test.box.Current(test.sealed), test.box.Missing(test.sealed))
		}
	}
}

// TestNoPartMayChange changes each bit of a sealed value, takes its head off, and gives it another key's.
func TestNoPartMayChange(t *testing.T) {
	all := keys(2)
	box, other := boxOf(t, all...), boxOf(t, all[1], all[0])
	sealed, others := box.Seal("secret", "use"), other.Seal("secret", "use")
	const head = 6
	changes := [][]byte{sealed[head:], append(slices.Clone(others[:head]), sealed[head:]...), append(slices.Clone(sealed), 0), nil}
	for i := range sealed {
		for bit := range 8 {
			changed := slices.Clone(sealed)
			changed[i] ^= 1 << bit
			changes = append(changes, changed)
		}
		changes = append(changes, sealed[:i])
	}
	for _, changed := range changes {
		plain, err := box.Open(changed, "use")
		if !errors.Is(err, seal.ErrOpen) || plain != "" {
			t.Errorf("%x opened as %q, %v; it was %x", changed, plain, err, sealed)
		}
	}
}

func FuzzOpen(f *testing.F) {
	all := keys(2)
	box := boxOf(f, all...)
	sealed, before := box.Seal("secret", "use"), sealedBefore(f, all[1], "secret", "use")
	f.Add(sealed)
	f.Add(before)
	f.Add([]byte("s1"))
	f.Fuzz(func(t *testing.T, value []byte) {
		plain, err := box.Open(value, "use")
		switch {
		case bytes.Equal(value, sealed), bytes.Equal(value, before):
			if err != nil || plain != "secret" {
				t.Errorf("opened as %q, %v", plain, err)
			}
		case !errors.Is(err, seal.ErrOpen) || plain != "":
			t.Errorf("%x opened as %q, %v", value, plain, err)
		}
		if box.Current(value) && box.Missing(value) {
			t.Errorf("%x is sealed under a key that is there and isn't", value)
		}
	})
}

func TestKeyFileIsChecked(t *testing.T) {
	short := base64.StdEncoding.EncodeToString(make([]byte, 16))
	key := keys(1)[0]
	for text, says := range map[string]string{
		"": "holds no key", " \n\n": "holds no key", "not base64!": "line 1 of", short: "line 1 of",
		key + "\n\n" + short: "line 3 of", key + "\n" + key: "line 2 of",
	} {
		_, err := seal.NewBox(keyFile(t, text))
		if err == nil || !strings.Contains(err.Error(), "openssl rand -base64 32") || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), key) {
			t.Errorf("a key file with %q gave %v, want what to do about it", text, err)
		}
	}
}
