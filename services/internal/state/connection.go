package state

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// connectionChunk is how many grants are read from Redis at a time.
const connectionChunk = 500

// Connection is a grant that lives, as an admin sees it.
type Connection struct {
	Grant
	// ExpiresAt is when it ends unless its refresh token is used before.
	ExpiresAt time.Time
}

// Place is where a page of connections begins: after the connection of this id, which was created at
// that time. The zero place is before all of them.
type Place struct {
	CreatedAt int64  `json:"created_at"`
	ID        string `json:"id"`
}

// ConnectionQuery says which connections are listed; an empty field doesn't narrow.
type ConnectionQuery struct {
	// AccountID is the person.
	AccountID string
	// Client is the assistant's key or name, in any case.
	Client string
	// After is where the page before ended.
	After Place
	// Limit is how many at most.
	Limit int
}

// Connections returns grants that live, those created last first, and where the next page begins;
// the zero place on the last one. It reads every grant only where it is asked for an assistant.
func (s *Store) Connections(ctx context.Context, q ConnectionQuery) ([]Connection, Place, error) {
	next := s.allConnections
	if q.AccountID != "" {
		next = s.connectionsOf(q.AccountID)
	}
	found, after := []Connection{}, q.After
	for {
		places, err := next(ctx, after)
		if err != nil {
			return nil, Place{}, fmt.Errorf("listing connections: %w", err)
		}
		if len(places) == 0 {
			return found, Place{}, nil
		}
		connections, err := s.readConnections(ctx, places)
		if err != nil {
			return nil, Place{}, fmt.Errorf("listing connections: %w", err)
		}
		for i, c := range connections {
			if c == nil || q.Client != "" && !strings.EqualFold(c.ClientKey, q.Client) && !strings.EqualFold(c.ClientName, q.Client) {
				continue
			}
			if len(found) == q.Limit {
				return found, after, nil
			}
			found, after = append(found, *c), places[i]
		}
		after = places[len(places)-1]
	}
}

// before orders places as they are listed: by age, and those of one moment by id, last first.
func before(a, b Place) int {
	return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), strings.Compare(b.ID, a.ID))
}

// allConnections returns the places after one, a chunk of them.
func (s *Store) allConnections(ctx context.Context, after Place) ([]Place, error) {
	youngest := "+inf"
	if after != (Place{}) {
		youngest = fmt.Sprint(after.CreatedAt)
	}
	for offset := int64(0); ; offset += connectionChunk {
		members, err := s.redis.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{
			Key: connectionsKey, ByScore: true, Rev: true, Start: youngest, Stop: "-inf", Offset: offset, Count: connectionChunk,
		}).Result()
		if err != nil {
			return nil, err
		}
		var places []Place
		for _, m := range members {
			id, _ := m.Member.(string)
			place := Place{int64(m.Score), id}
			if after == (Place{}) || before(place, after) > 0 {
				places = append(places, place)
			}
		}
		// All of a chunk may be of the same moment as after, and before it.
		if len(places) > 0 || len(members) < connectionChunk {
			return places, nil
		}
	}
}

// connectionsOf is allConnections for one person, who has few.
func (s *Store) connectionsOf(account string) func(context.Context, Place) ([]Place, error) {
	return func(ctx context.Context, after Place) ([]Place, error) {
		ids, err := s.redis.SMembers(ctx, grantsKey(account)).Result()
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		scores, err := s.redis.ZMScore(ctx, connectionsKey, ids...).Result()
		if err != nil {
			return nil, err
		}
		var places []Place
		for i, id := range ids {
			place := Place{int64(scores[i]), id}
			if after == (Place{}) || before(place, after) > 0 {
				places = append(places, place)
			}
		}
		slices.SortFunc(places, before)
		return places, nil
	}
}

// readConnections reads grants, nil for those that have ended, and takes these off the list. An id is
// never used twice, so none is taken off that comes back.
func (s *Store) readConnections(ctx context.Context, places []Place) ([]*Connection, error) {
	grants, lives := make([]*redis.MapStringStringCmd, len(places)), make([]*redis.DurationCmd, len(places))
	_, err := s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, place := range places {
			grants[i], lives[i] = pipe.HGetAll(ctx, grantKey(place.ID)), pipe.PTTL(ctx, grantKey(place.ID))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	now := time.Now()
	connections := make([]*Connection, len(places))
	var over []any
	for i, place := range places {
		if len(grants[i].Val()) == 0 || lives[i].Val() <= 0 {
			over = append(over, place.ID)
			continue
		}
		connections[i] = &Connection{grantFrom(grants[i].Val()), now.Add(lives[i].Val())}
	}
	if len(over) > 0 {
		err = s.redis.ZRem(ctx, connectionsKey, over...).Err()
	}
	return connections, err
}
