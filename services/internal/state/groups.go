package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	// LearnedAt is when Atlassian was asked, to the millisecond.
	LearnedAt time.Time
}

const (
	// GroupsLife is how long groups are used while they can't be learned again (design section 5).
	GroupsLife = time.Hour
	// GroupsAhead is how old groups get before they are learned again: a minute ahead of the five
	// that they are fresh for.
	GroupsAhead = 4 * time.Minute
	// GroupsRetry is how long a person belongs to the replica that learns their groups, and so when
	// another attempt is made where that failed.
	GroupsRetry = 30 * time.Second
)

// revision is Rev as the functions compare it: 0 stands for a person without any.
func (g Groups) revision() string {
	if g.Rev == "" {
		return "0"
	}
	return g.Rev
}

func groupsFrom(f map[string]string) Groups {
	g := Groups{Rev: f["rev"]}
	asked, err := strconv.ParseInt(f["asked_at"], 10, 64)
	if err == nil {
		g.LearnedAt = time.UnixMilli(asked)
	}
	// A list that can't be read leaves the groups unknown, which is the safe side (policy.md 5).
	g.Known = f["known"] == "1" && json.Unmarshal([]byte(f["list"]), &g.List) == nil
	return g
}

// Groups returns a person's groups as last learned; with the zero Rev where they never were, or
// were too long ago.
func (s *Store) Groups(ctx context.Context, accountID string) (Groups, error) {
	fields, err := s.redis.HGetAll(ctx, groupsKey(accountID)).Result()
	if err != nil {
		return Groups{}, fmt.Errorf("reading groups: %w", err)
	}
	return groupsFrom(fields), nil
}

// Now is Redis's time, which LearnedAt is compared by: replicas' own clocks may differ.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	node, err := s.node(ctx)
	if err == nil {
		now, err = node.Time(ctx).Result()
	}
	if err != nil {
		return now, fmt.Errorf("reading Redis's clock: %w", err)
	}
	return now, nil
}

// SaveGroups stores a person's groups and says whether they changed; the very next call is decided
// on them. Where Known is false it says that they can't be learned now. Groups that were learned
// later than these stay, and nothing is stored of who isn't signed in. It makes Rev. They are forgotten GroupsLife after LearnedAt, whatever
// happens to the services.
func (s *Store) SaveGroups(ctx context.Context, accountID string, g Groups) (changed bool, err error) {
	// Jira's order says nothing, so another one is no change.
	ordered := slices.SortedFunc(slices.Values(g.List), func(a, b Group) int { return strings.Compare(a.ID, b.ID) })
	list, err := json.Marshal(ordered)
	if err != nil {
		return false, fmt.Errorf("saving groups: %w", err)
	}
	known, due := 0, g.LearnedAt.Add(GroupsRetry)
	if g.Known {
		known, due = 1, g.LearnedAt.Add(GroupsAhead)
	}
	reply, err := s.call(ctx, "sallyport_save_groups", []string{groupsKey(accountID), groupsDueKey, upstreamKey(accountID), grantsKey(accountID)},
		accountID, known, list, g.LearnedAt.UnixMilli(), g.LearnedAt.Add(GroupsLife).UnixMilli(), due.UnixMilli(), seal.Random(9), grantKey(""))
	if err != nil {
		return false, err
	}
	return reply[0] == "changed", nil
}
