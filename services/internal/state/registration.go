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
	// RegistrationLife is how long a registration is kept after tokens were last given for it. It
	// outlives every refresh token, since some assistants don't recover from a lost registration.
	RegistrationLife = 90 * 24 * time.Hour
	// UnusedRegistrationLife is how long a registration is kept for which none were given yet. Anybody
	// can register, and some assistants do each time they start.
	UnusedRegistrationLife = 24 * time.Hour
)

// Registration is an assistant registered at Sallyport (RFC 7591).
type Registration struct {
	// ID is its OAuth client id: random, or the URL of its client ID metadata document.
	ID string `json:"id"`
	// Key, Name and Class are what rules call it (policy.md 4), decided when it registered.
	Key   string `json:"key"`
	Name  string `json:"name"`
	Class string `json:"class"`
	// RegisteredName is the name it gave itself.
	RegisteredName string `json:"registered_name"`
	// RedirectURIs are where codes may be sent, as registered.
	RedirectURIs []string  `json:"redirect_uris"`
	CreatedAt    time.Time `json:"created_at"`
}

// SaveRegistration stores a new registration, for UnusedRegistrationLife unless it is used.
func (s *Store) SaveRegistration(ctx context.Context, r Registration) error {
	document, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("saving a registration: %w", err)
	}
	err = s.redis.Set(ctx, registrationKey(r.ID), document, UnusedRegistrationLife).Err()
	if err != nil {
		return fmt.Errorf("saving a registration: %w", err)
	}
	return nil
}

// Registration returns a registration, or ErrNotFound.
func (s *Store) Registration(ctx context.Context, id string) (Registration, error) {
	var r Registration
	document, err := s.redis.Get(ctx, registrationKey(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("reading a registration: %w", err)
	}
	err = json.Unmarshal(document, &r)
	if err != nil {
		return r, fmt.Errorf("reading a registration: %w", err)
	}
	return r, nil
}

// UsedRegistration notes that tokens were given for a registration, which keeps it for RegistrationLife.
func (s *Store) UsedRegistration(ctx context.Context, id string) error {
	err := s.redis.Expire(ctx, registrationKey(id), RegistrationLife).Err()
	if err != nil {
		return fmt.Errorf("keeping a registration: %w", err)
	}
	return nil
}

// UpstreamClient returns the client id under which this deployment is registered at an Atlassian
// issuer with its callback, or ErrNotFound. Refresh tokens are bound to it, so it is kept for good.
func (s *Store) UpstreamClient(ctx context.Context, issuer, callback string) (string, error) {
	id, err := s.redis.Get(ctx, upstreamClientKey(issuer, callback)).Result()
	if errors.Is(err, redis.Nil) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("reading the registration at Atlassian: %w", err)
	}
	return id, nil
}

// SaveUpstreamClient stores the deployment's client id at an Atlassian issuer.
func (s *Store) SaveUpstreamClient(ctx context.Context, issuer, callback, clientID string) error {
	err := s.redis.Set(ctx, upstreamClientKey(issuer, callback), clientID, 0).Err()
	if err != nil {
		return fmt.Errorf("saving the registration at Atlassian: %w", err)
	}
	return nil
}

// ForgetUpstreamClient removes a client id that Atlassian no longer knows.
func (s *Store) ForgetUpstreamClient(ctx context.Context, issuer, callback string) error {
	err := s.redis.Del(ctx, upstreamClientKey(issuer, callback)).Err()
	if err != nil {
		return fmt.Errorf("forgetting the registration at Atlassian: %w", err)
	}
	return nil
}
