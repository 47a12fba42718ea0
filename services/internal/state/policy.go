package state

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrConflict means that the policy, or the roles, were saved by somebody else since the change began.
var ErrConflict = errors.New("it was changed meanwhile")

// Policy is one version of the policy.
type Policy struct {
	// Version counts saves from 1; 0 means that none was ever saved.
	Version int64
	// Mark is what no other save has, not even one of the same version that Redis has lost; empty for one that was
	// saved before there were marks.
	Mark string
	// Document is the policy in the JSON form of package policy; empty for version 0.
	Document []byte
	Save
}

// Save is who put a version in force, when and why.
type Save struct {
	// At is when it came into force.
	At time.Time `json:"at"`
	// By is whoever saved it: the name of a token, or a person's e-mail address.
	By string `json:"by"`
	// Message is why, in the words of whoever saved it.
	Message string `json:"message,omitempty"`
}

// Revision tells a policy from all others, as the functions compare it.
func (p Policy) Revision() string { return strconv.FormatInt(p.Version, 10) + "/" + p.Mark }

func saveFrom(entry string) Save {
	var s Save
	// An entry that can't be read tells nothing; the document beside it still counts.
	_ = json.Unmarshal([]byte(entry), &s)
	return s
}

func policyFrom(fields map[string]string) Policy {
	version, _ := strconv.ParseInt(fields["version"], 10, 64)
	return Policy{Version: version, Mark: fields["mark"], Document: []byte(fields["document"]), Save: saveFrom(fields["entry"])}
}

// Policy returns the policy in force; one of version 0 where none was ever saved.
func (s *Store) Policy(ctx context.Context) (Policy, error) {
	fields, err := s.redis.HGetAll(ctx, policyKey).Result()
	if err != nil {
		return Policy{}, fmt.Errorf("reading the policy: %w", err)
	}
	return policyFrom(fields), nil
}

// PolicyVersion returns a version of the policy, or ErrNotFound.
func (s *Store) PolicyVersion(ctx context.Context, version int64) (Policy, error) {
	versions, err := s.PolicyVersions(ctx, version, version)
	if err != nil {
		return Policy{}, err
	}
	if len(versions) == 0 {
		return Policy{}, ErrNotFound
	}
	return versions[0], nil
}

// PolicyVersions returns the versions first to last, both included, in order. Those that aren't in
// the history are left out.
func (s *Store) PolicyVersions(ctx context.Context, first, last int64) ([]Policy, error) {
	var fields []string
	for version := max(1, first); version <= last; version++ {
		fields = append(fields, strconv.FormatInt(version, 10))
	}
	if len(fields) == 0 {
		return nil, nil
	}
	var entries, documents *redis.SliceCmd
	_, err := s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		entries = pipe.HMGet(ctx, policyHistoryKey, fields...)
		documents = pipe.HMGet(ctx, policyDocumentsKey, fields...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the history of the policy: %w", err)
	}
	var versions []Policy
	for i, document := range documents.Val() {
		text, ok := document.(string)
		if !ok {
			continue
		}
		entry, _ := entries.Val()[i].(string)
		versions = append(versions, Policy{Version: max(1, first) + int64(i), Document: []byte(text), Save: saveFrom(entry)})
	}
	return versions, nil
}

// SavePolicy puts a policy in force, keeps it in the history, and returns its version. Every
// decision that Redis is asked to write from then on is refused unless it was made with this
// version. base is the version that the change started from, 0 for the first policy of an
// installation; ErrConflict with the version in force where it is another. ErrNotOnDisk comes with the new
// version.
func (s *Store) SavePolicy(ctx context.Context, base int64, document []byte, by Save) (int64, error) {
	entry, err := json.Marshal(by)
	if err != nil {
		return 0, fmt.Errorf("saving the policy: %w", err)
	}
	reply, err := s.change(ctx, "sallyport_save_policy", []string{policyKey, policyHistoryKey, policyDocumentsKey},
		base, document, entry, rand.Text())
	if reply == nil {
		return 0, err
	}
	version, refused := savedVersion(reply)
	return version, cmp.Or(refused, err)
}
