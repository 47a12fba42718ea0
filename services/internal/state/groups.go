package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sallyport/services/internal/seal"
)

// Group is an Atlassian group. Names change, ids don't.
type Group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Groups are a person's groups as last learned.
type Groups struct {
	// Rev is another one after each change; empty where nothing was ever learned.
	Rev string
	// Known is false where they couldn't be learned.
	Known bool
	List  []Group
	// LearnedAt is when Atlassian was asked.
	LearnedAt time.Time
}

// revision is Rev as the functions compare it: 0 stands for a person without any.
func (g Groups) revision() string {
	if g.Rev == "" {
		return "0"
	}
	return g.Rev
}

func groupsFrom(f map[string]string) Groups {
	g := Groups{Rev: f["rev"]}
	g.LearnedAt, _ = time.Parse(time.RFC3339Nano, f["learned_at"])
	// A list that can't be read leaves the groups unknown, which is the safe side (policy.md 5).
	g.Known = f["known"] == "1" && json.Unmarshal([]byte(f["list"]), &g.List) == nil
	return g
}

// Groups returns a person's groups as last learned; with the zero Rev where they never were.
func (s *Store) Groups(ctx context.Context, accountID string) (Groups, error) {
	fields, err := s.redis.HGetAll(ctx, groupsKey(accountID)).Result()
	if err != nil {
		return Groups{}, fmt.Errorf("reading groups: %w", err)
	}
	return groupsFrom(fields), nil
}

// SaveGroups stores a person's groups; the very next call is decided on them. Where Known is false
// it says that they can't be learned now.
func (s *Store) SaveGroups(ctx context.Context, accountID string, g Groups) error {
	list, err := json.Marshal(g.List)
	if err != nil {
		return fmt.Errorf("saving groups: %w", err)
	}
	known := "0"
	if g.Known {
		known = "1"
	}
	err = s.redis.HSet(ctx, groupsKey(accountID), map[string]any{
		"rev": seal.Random(9), "known": known, "list": list, "learned_at": g.LearnedAt.UTC().Format(time.RFC3339Nano),
	}).Err()
	if err != nil {
		return fmt.Errorf("saving groups: %w", err)
	}
	return nil
}
