package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// apiTokenKept is how long a token is remembered after its end, so that whoever still presents it
	// is told why it is refused.
	apiTokenKept = 30 * 24 * time.Hour
	// maxAPITokens is how many names of tokens there may be.
	maxAPITokens = 1000
)

var (
	// ErrTaken means that a live token has the name.
	ErrTaken = errors.New("a live token has this name")
	// ErrTooMany means that there are as many as there may be.
	ErrTooMany = errors.New("there are too many")
	// ErrExpired means that a token's time is over.
	ErrExpired = errors.New("the token has expired")
)

// APIToken is a token of the admin API, for programs. Redis knows it by its hash alone.
type APIToken struct {
	// Name is its own among live tokens.
	Name string
	// Role is admin, auditor or viewer.
	Role string
	// CreatedBy and RevokedBy are who made and who revoked it.
	CreatedBy, RevokedBy string
	// LastUsedAt is known to the minute. It and RevokedAt are zero where that wasn't yet.
	CreatedAt, LastUsedAt, ExpiresAt, RevokedAt time.Time
}

func apiTokenFrom(f map[string]string) APIToken {
	at := func(field string) time.Time {
		milliseconds, err := strconv.ParseInt(f[field], 10, 64)
		if err != nil {
			return time.Time{}
		}
		return time.UnixMilli(milliseconds)
	}
	return APIToken{
		Name: f["name"], Role: f["role"], CreatedBy: f["created_by"], RevokedBy: f["revoked_by"],
		CreatedAt: at("created_at"), LastUsedAt: at("last_used_at"), ExpiresAt: at("expires_at"), RevokedAt: at("revoked_at"),
	}
}

// CreateAPIToken stores a token, or returns ErrTaken or ErrTooMany; ErrNotOnDisk.
func (s *Store) CreateAPIToken(ctx context.Context, tokenHash string, t APIToken) error {
	reply, err := s.change(ctx, "sallyport_create_api_token", []string{apiTokenPrefix + tokenHash, apiTokenNamesKey},
		t.Name, tokenHash, apiTokenPrefix, maxAPITokens, t.ExpiresAt.UnixMilli(), t.ExpiresAt.Add(apiTokenKept).UnixMilli(),
		"name", t.Name, "role", t.Role, "created_by", t.CreatedBy, "created_at", t.CreatedAt.UnixMilli())
	if reply == nil {
		return err
	}
	switch reply[0] {
	case "taken":
		return ErrTaken
	case "full":
		return ErrTooMany
	}
	return err
}

// UseAPIToken returns the token of a hash, and notes that it was used. ErrExpired and ErrRevoked come with
// the token; ErrNotFound where there is none, or its end is long ago.
func (s *Store) UseAPIToken(ctx context.Context, tokenHash string) (APIToken, error) {
	reply, err := s.call(ctx, "sallyport_use_api_token", []string{apiTokenPrefix + tokenHash})
	if err != nil {
		return APIToken{}, err
	}
	if reply[0] == "unknown" {
		return APIToken{}, ErrNotFound
	}
	token := apiTokenFrom(pairs(reply[1]))
	switch reply[0] {
	case "live":
		return token, nil
	case "revoked":
		return token, ErrRevoked
	}
	return token, ErrExpired
}

// APITokens returns the last token of each name, by name, and Redis's time, which says which are live.
func (s *Store) APITokens(ctx context.Context) ([]APIToken, time.Time, error) {
	names, err := s.redis.HGetAll(ctx, apiTokenNamesKey).Result()
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("listing tokens: %w", err)
	}
	var now *redis.TimeCmd
	var fields []*redis.MapStringStringCmd
	_, err = s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		now = pipe.Time(ctx)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			fields = append(fields, pipe.HGetAll(ctx, apiTokenPrefix+names[name]))
		}
		return nil
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("listing tokens: %w", err)
	}
	var tokens []APIToken
	for _, f := range fields {
		if len(f.Val()) > 0 {
			tokens = append(tokens, apiTokenFrom(f.Val()))
		}
	}
	return tokens, now.Val(), nil
}

// RevokeAPIToken ends the live token of a name, or returns ErrNotFound; ErrNotOnDisk.
func (s *Store) RevokeAPIToken(ctx context.Context, name, by string) error {
	reply, err := s.change(ctx, "sallyport_revoke_api_token", []string{apiTokenNamesKey}, name, apiTokenPrefix, by)
	if reply == nil {
		return err
	}
	if reply[0] == "unknown" {
		return ErrNotFound
	}
	return err
}
