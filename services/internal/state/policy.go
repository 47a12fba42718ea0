package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrConflict means that the policy was saved by somebody else since the change began.
var ErrConflict = errors.New("the policy was changed meanwhile")

// Policy is the policy in force.
type Policy struct {
	// Version counts saves from 1; 0 means that none was ever saved.
	Version int64
	// Document is the policy in the JSON form of package policy; empty for version 0.
	Document []byte
	// SavedAt is when it came into force.
	SavedAt time.Time
}

func policyFrom(fields map[string]string) Policy {
	version, _ := strconv.ParseInt(fields["version"], 10, 64)
	savedAt, _ := time.Parse(time.RFC3339Nano, fields["saved_at"])
	return Policy{Version: version, Document: []byte(fields["document"]), SavedAt: savedAt}
}

// Policy returns the policy in force; one of version 0 where none was ever saved.
func (s *Store) Policy(ctx context.Context) (Policy, error) {
	fields, err := s.redis.HGetAll(ctx, policyKey).Result()
	if err != nil {
		return Policy{}, fmt.Errorf("reading the policy: %w", err)
	}
	return policyFrom(fields), nil
}

// SavePolicy puts a policy in force and returns its version. Every decision that Redis is asked to
// write from then on is refused unless it was made with this version. base is the version that the
// change started from, 0 for any; ErrConflict with the version in force where it is another.
func (s *Store) SavePolicy(ctx context.Context, document []byte, base int64) (int64, error) {
	reply, err := s.call(ctx, "sallyport_save_policy", []string{policyKey},
		base, document, time.Now().UTC().Format(time.RFC3339Nano))
	if err != nil {
		return 0, err
	}
	version, err := strconv.ParseInt(fmt.Sprint(reply[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("saving the policy: %w", err)
	}
	if reply[0] == "conflict" {
		return version, ErrConflict
	}
	return version, nil
}

// SeedPolicy saves the first policy of a new installation; where there is one, it changes nothing.
func (s *Store) SeedPolicy(ctx context.Context, document []byte) error {
	_, err := s.call(ctx, "sallyport_seed_policy", []string{policyKey},
		document, time.Now().UTC().Format(time.RFC3339Nano))
	return err
}
