package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// FirstLinkLife is how long a first link works, unless it is used.
const FirstLinkLife = 24 * time.Hour

// SaveFirstLink makes a link valid that makes whoever uses it admin, given as the hash of its token.
func (s *Store) SaveFirstLink(ctx context.Context, hash string) error {
	err := s.redis.Set(ctx, firstLinkKey(hash), "unused", FirstLinkLife).Err()
	if err != nil {
		return fmt.Errorf("saving a first link: %w", err)
	}
	return nil
}

// FirstLink says whether a first link is valid. It doesn't use it up.
func (s *Store) FirstLink(ctx context.Context, hash string) (bool, error) {
	n, err := s.redis.Exists(ctx, firstLinkKey(hash)).Result()
	if err != nil {
		return false, fmt.Errorf("reading a first link: %w", err)
	}
	return n == 1, nil
}

// UseFirstLink uses a first link up and saves the roles that follow from it, both or neither. base is the
// version of the roles that the change started from: ErrConflict where it is another, and ErrNotFound for a
// link that was used, or is too old. ErrNotOnDisk.
func (s *Store) UseFirstLink(ctx context.Context, hash string, base int64, bindings []RoleBinding, by Save) error {
	text, err := json.Marshal(bindings)
	if err != nil {
		return fmt.Errorf("using a first link: %w", err)
	}
	entry, err := json.Marshal(by)
	if err != nil {
		return fmt.Errorf("using a first link: %w", err)
	}
	reply, err := s.change(ctx, "sallyport_use_first_link", []string{firstLinkKey(hash), rolesKey}, base, text, entry)
	if reply == nil {
		return err
	}
	switch reply[0] {
	case "saved":
		return err
	case "conflict":
		return ErrConflict
	}
	return ErrNotFound
}
