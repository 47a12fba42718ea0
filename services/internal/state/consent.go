package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// BrowserLife is how long a browser is known after a sign-in.
	BrowserLife = 30 * 24 * time.Hour
	// consentLife is how long a consent is remembered after it was last relied on; as long as the client
	// may be unused.
	consentLife = RegistrationLife
)

// Consent is what a person has allowed a client.
type Consent struct {
	// Redirect is where codes may go; without the port, where that changes from time to time.
	Redirect string `json:"redirect"`
	Scope    string `json:"scope"`
	// At is when it was last given or relied on.
	At time.Time `json:"at"`
}

// SaveConsent remembers that a person has allowed this client this, in the place of what they had
// allowed it before, and drops consents that nobody relied on for long.
func (s *Store) SaveConsent(ctx context.Context, accountID, clientID string, c Consent) error {
	key := consentKey(accountID)
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("saving a consent: %w", err)
	}
	all, err := s.redis.HGetAll(ctx, key).Result()
	if err != nil {
		return fmt.Errorf("saving a consent: %w", err)
	}
	_, err = s.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		for id, known := range all {
			if _, ok := consentFrom(known); !ok {
				pipe.HDel(ctx, key, id)
			}
		}
		pipe.HSet(ctx, key, clientID, text)
		pipe.Expire(ctx, key, consentLife)
		return nil
	})
	if err != nil {
		return fmt.Errorf("saving a consent: %w", err)
	}
	return nil
}

// consentFrom reads a consent, if it still counts.
func consentFrom(text string) (Consent, bool) {
	var c Consent
	err := json.Unmarshal([]byte(text), &c)
	return c, err == nil && time.Since(c.At) < consentLife
}

// Consent returns what a person has allowed a client, or ErrNotFound.
func (s *Store) Consent(ctx context.Context, accountID, clientID string) (Consent, error) {
	text, err := s.redis.HGet(ctx, consentKey(accountID), clientID).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return Consent{}, fmt.Errorf("reading a consent: %w", err)
	}
	c, ok := consentFrom(text)
	if !ok {
		return Consent{}, ErrNotFound
	}
	return c, nil
}

// WithdrawConsent forgets what a person has allowed a client, so that they are asked again.
func (s *Store) WithdrawConsent(ctx context.Context, accountID, clientID string) error {
	err := s.redis.HDel(ctx, consentKey(accountID), clientID).Err()
	if err != nil {
		return fmt.Errorf("withdrawing a consent: %w", err)
	}
	return nil
}

// KnowBrowser remembers, by the hash of its cookie, who signed in in a browser.
func (s *Store) KnowBrowser(ctx context.Context, cookieHash, accountID string) error {
	err := s.redis.Set(ctx, browserKey(cookieHash), accountID, BrowserLife).Err()
	if err != nil {
		return fmt.Errorf("remembering a browser: %w", err)
	}
	return nil
}

// BrowserAccount returns who signed in last in a browser, or ErrNotFound.
func (s *Store) BrowserAccount(ctx context.Context, cookieHash string) (string, error) {
	account, err := s.redis.Get(ctx, browserKey(cookieHash)).Result()
	if errors.Is(err, redis.Nil) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("reading whose browser it is: %w", err)
	}
	return account, nil
}

// ForgetBrowser forgets who signed in in a browser.
func (s *Store) ForgetBrowser(ctx context.Context, cookieHash string) error {
	err := s.redis.Del(ctx, browserKey(cookieHash)).Err()
	if err != nil {
		return fmt.Errorf("forgetting a browser: %w", err)
	}
	return nil
}
