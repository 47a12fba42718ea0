package state

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// RoleBinding gives a role to one group or one person.
type RoleBinding struct {
	// Role is admin, auditor or viewer.
	Role string `json:"role"`
	// GroupID is an Atlassian group, and GroupName its name when the binding was saved.
	GroupID   string `json:"group_id,omitempty"`
	GroupName string `json:"group_name,omitempty"`
	// AccountID or Email is a person.
	AccountID string `json:"account_id,omitempty"`
	Email     string `json:"email,omitempty"`
}

// Roles is who has which role in the admin API.
type Roles struct {
	// Version counts saves from 1; 0 means that none were ever saved.
	Version  int64
	Bindings []RoleBinding
	Save
}

// Roles returns who has which role; version 0 where none were ever saved.
func (s *Store) Roles(ctx context.Context) (Roles, error) {
	fields, err := s.redis.HGetAll(ctx, rolesKey).Result()
	if err != nil {
		return Roles{}, fmt.Errorf("reading the roles: %w", err)
	}
	if len(fields) == 0 {
		return Roles{}, nil
	}
	r := Roles{Save: saveFrom(fields["entry"])}
	r.Version, err = strconv.ParseInt(fields["version"], 10, 64)
	if err != nil {
		return Roles{}, fmt.Errorf("reading the roles: %w", err)
	}
	err = json.Unmarshal([]byte(fields["bindings"]), &r.Bindings)
	if err != nil {
		return Roles{}, fmt.Errorf("reading the roles: %w", err)
	}
	return r, nil
}

// SaveRoles replaces who has which role, and returns the new version. base is the version that the
// change started from, 0 for the first; ErrConflict with the version there is where it is another. ErrNotOnDisk
// comes with the new version.
func (s *Store) SaveRoles(ctx context.Context, base int64, bindings []RoleBinding, by Save) (int64, error) {
	text, err := json.Marshal(bindings)
	if err != nil {
		return 0, fmt.Errorf("saving the roles: %w", err)
	}
	entry, err := json.Marshal(by)
	if err != nil {
		return 0, fmt.Errorf("saving the roles: %w", err)
	}
	reply, err := s.change(ctx, "sallyport_save_roles", []string{rolesKey}, base, text, entry)
	if reply == nil {
		return 0, err
	}
	version, refused := savedVersion(reply)
	return version, cmp.Or(refused, err)
}

// savedVersion reads the answer of a function that saves a version.
func savedVersion(reply []any) (int64, error) {
	version, err := strconv.ParseInt(fmt.Sprint(reply[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the version that was saved: %w", err)
	}
	if reply[0] == "conflict" {
		return version, ErrConflict
	}
	return version, nil
}
