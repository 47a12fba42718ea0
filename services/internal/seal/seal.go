// Package seal keeps secrets unreadable at rest: AES-256-GCM under keys from a file.
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

const (
	// keyBytes is the size of a key: AES-256.
	keyBytes = 32
	// mark begins a sealed value that says which key sealed it. Values of before there were several keys
	// begin with a random nonce.
	mark = "s1"
	// idBytes is the size of a key's id, which follows the mark.
	idBytes = 4
	// headBytes is the size of both.
	headBytes = len(mark) + idBytes
)

var (
	// ErrOpen means that a sealed value was made for another use, under a key that isn't there, or was changed.
	ErrOpen = errors.New("the sealed value can't be opened")
	// ErrNoKey is ErrOpen where the value says that it was sealed under a key that the file doesn't have.
	ErrNoKey = fmt.Errorf("%w: the key that sealed it isn't in the seal key file; put it back there as another line", ErrOpen)
)

// Box seals under the first of its keys, and opens what was sealed under any of them.
type Box struct{ keys []key }

// key is one key. Its head is what the values begin with that it sealed.
type key struct {
	head string
	aead cipher.AEAD
}

// NewBox reads keys from a file: one a line, 32 bytes in base64 each. The first one seals.
func NewBox(path string) (*Box, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the seal key: %w", err)
	}
	box := &Box{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		k, err := newKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of %s must hold %d random bytes in base64; make them with: openssl rand -base64 %d", number, path, keyBytes, keyBytes)
		}
		for _, other := range box.keys {
			if other.head == k.head {
				return nil, fmt.Errorf("line %d of %s holds a key that is there already: take the line out, or make another key with: openssl rand -base64 %d", number, path, keyBytes)
			}
		}
		box.keys = append(box.keys, k)
	}
	if len(box.keys) == 0 {
		return nil, fmt.Errorf("%s holds no key: it must hold %d random bytes in base64; make them with: openssl rand -base64 %d", path, keyBytes, keyBytes)
	}
	return box, nil
}

func newKey(text string) (key, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(raw) != keyBytes {
		err = errors.New("wrong size")
	}
	if err != nil {
		return key{}, err
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return key{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	// Of a hash of 256 random bits, 32 bits tell nobody anything.
	sum := sha256.Sum256(append([]byte("id of a seal key: "), raw...))
	return key{mark + string(sum[:idBytes]), aead}, err
}

// Seal encrypts plain for one use: the same use must be given to open it, so that a value can't be
// moved to another place and be taken for what it isn't.
func (b *Box) Seal(plain, use string) []byte {
	k := b.keys[0]
	return k.aead.Seal([]byte(k.head), nil, []byte(plain), []byte(k.head+use))
}

// Open decrypts what Seal made for the same use, or returns ErrOpen.
func (b *Box) Open(sealed []byte, use string) (string, error) {
	for _, k := range b.keys {
		if !bytes.HasPrefix(sealed, []byte(k.head)) {
			continue
		}
		plain, err := k.aead.Open(nil, nil, sealed[headBytes:], []byte(k.head+use))
		if err == nil {
			return string(plain), nil
		}
	}
	// A value of before may begin like this by chance, so what decides is whether it opens.
	for _, k := range b.keys {
		plain, err := k.aead.Open(nil, nil, sealed, []byte(use))
		if err == nil {
			return string(plain), nil
		}
	}
	if b.Missing(sealed) {
		return "", ErrNoKey
	}
	return "", ErrOpen
}

// Keys is how many keys there are.
func (b *Box) Keys() int { return len(b.keys) }

// Current says whether a value is sealed under the first key, and says so itself.
func (b *Box) Current(sealed []byte) bool { return bytes.HasPrefix(sealed, []byte(b.keys[0].head)) }

// Missing says whether a value is sealed under a key that isn't there.
func (b *Box) Missing(sealed []byte) bool {
	if len(sealed) < headBytes || !bytes.HasPrefix(sealed, []byte(mark)) {
		return false
	}
	for _, k := range b.keys {
		if bytes.HasPrefix(sealed, []byte(k.head)) {
			return false
		}
	}
	return true
}

// Random returns n random bytes in unpadded base64url, for tokens, codes and ids.
func Random(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // never returns an error, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(raw)
}
