// Package seal keeps secrets unreadable at rest: AES-256-GCM under a key from a file.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// keyBytes is the size of the key: AES-256.
const keyBytes = 32

// ErrOpen means that a sealed value was made under another key or for another use, or was changed.
var ErrOpen = errors.New("the sealed value can't be opened with this key")

// Box seals and opens values under one key.
type Box struct{ aead cipher.AEAD }

// NewBox reads the key from a file that holds 32 bytes in base64.
func NewBox(path string) (*Box, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the seal key: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("%s must hold %d random bytes in base64; make one with: openssl rand -base64 %d", path, keyBytes, keyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Box{aead}, nil
}

// Seal encrypts plain for one use: the same use must be given to open it, so that a value can't be
// moved to another place and be taken for what it isn't.
func (b *Box) Seal(plain, use string) []byte {
	return b.aead.Seal(nil, nil, []byte(plain), []byte(use))
}

// Open decrypts what Seal made for the same use, or returns ErrOpen.
func (b *Box) Open(sealed []byte, use string) (string, error) {
	plain, err := b.aead.Open(nil, nil, sealed, []byte(use))
	if err != nil {
		return "", ErrOpen
	}
	return string(plain), nil
}

// Random returns n random bytes in unpadded base64url, for tokens, codes and ids.
func Random(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // never returns an error, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(raw)
}
