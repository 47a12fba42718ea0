package state

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// rejectedKey holds entries that Elasticsearch refuses for what they are, so that they don't hold up the
// rest and aren't lost.
const rejectedKey = prefix + "rejected"

// retryBatch is how many entries are moved back in one step, so that Redis does other things in between.
const retryBatch = 50

// Aside is an entry that Elasticsearch refuses. Its Position is that among those which are kept aside.
type Aside struct {
	Waiting
	// Reason is Elasticsearch's error, "type: words".
	Reason string
}

// SetAside moves an entry that Elasticsearch refuses for what it is out of the stream, and keeps it with
// its reason. Done again, it changes nothing.
func (s *Store) SetAside(ctx context.Context, e Waiting, reason string) error {
	_, err := s.call(ctx, "sallyport_set_aside", []string{streamKey, rejectedKey}, indexers, e.Position, e.Kind, e.ID, e.Index, e.Document, reason)
	return err
}

// Aside returns entries that are kept aside, those that have been for longest first, count at most, behind
// a position; an empty one begins with the first.
func (s *Store) Aside(ctx context.Context, after string, count int64) ([]Aside, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	messages, err := s.redis.XRangeN(ctx, rejectedKey, from, "+", count).Result()
	if err != nil {
		return nil, fmt.Errorf("reading what is kept aside: %w", err)
	}
	entries := make([]Aside, len(messages))
	for i, e := range waitingFrom(messages) {
		reason, _ := messages[i].Values["reason"].(string)
		entries[i] = Aside{e, reason}
	}
	return entries, nil
}

// Retry says which entries are sent again; the zero Retry all that are kept aside now.
type Retry struct {
	// Position is of one entry.
	Position string
	// Reason is what the reason begins with.
	Reason string
}

// RetryAside moves entries that are kept aside to the end of the activity stream, each in one step, and says
// how many. What was moved before isn't there any more, and isn't moved twice. limit is the greatest length
// of the stream; with ErrStreamFull the others stay aside.
func (s *Store) RetryAside(ctx context.Context, limit int64, which Retry) (moved int64, err error) {
	from, to := which.Position, which.Position
	if to == "" {
		// What Elasticsearch refuses again comes behind the last, and isn't sent twice.
		last, err := s.redis.XRevRangeN(ctx, rejectedKey, "+", "-", 1).Result()
		if err != nil {
			return 0, fmt.Errorf("reading what is kept aside: %w", err)
		}
		if len(last) == 0 {
			return 0, nil
		}
		from, to = "-", last[0].ID
	}
	for {
		reply, err := s.call(ctx, "sallyport_retry_aside", []string{streamKey, processKey, rejectedKey}, limit, from, to, retryBatch, which.Reason)
		if err != nil {
			return moved, err
		}
		n, _ := reply[1].(int64)
		moved += n
		last, _ := reply[2].(string)
		switch {
		case reply[0] == "full":
			return moved, ErrStreamFull
		case last == "" || last == to:
			return moved, nil
		}
		from = "(" + last
	}
}

// ReplaceAside keeps an entry aside as it is given, in the place of the one at its position, which it moves
// behind all others. One that was sent again meanwhile isn't there any more, and nothing is done.
func (s *Store) ReplaceAside(ctx context.Context, e Aside) error {
	_, err := s.call(ctx, "sallyport_replace_aside", []string{rejectedKey}, e.Position, e.Kind, e.ID, e.Index, e.Document, e.Reason)
	return err
}

// ForgetAside deletes entries that are kept aside, by their positions.
func (s *Store) ForgetAside(ctx context.Context, positions []string) error {
	err := s.redis.XDel(ctx, rejectedKey, positions...).Err()
	if err != nil {
		return fmt.Errorf("deleting what was kept aside: %w", err)
	}
	return nil
}

// IsPosition says whether a text can be a position in a stream.
func IsPosition(text string) bool {
	milliseconds, number, _ := strings.Cut(text, "-")
	for _, part := range []string{milliseconds, number} {
		_, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return false
		}
	}
	return true
}

// Backlog is how many entries wait to be indexed, and how many are kept aside.
func (s *Store) Backlog(ctx context.Context) (waiting, aside int64, err error) {
	var lengths [2]*redis.IntCmd
	_, err = s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		lengths[0], lengths[1] = pipe.XLen(ctx, streamKey), pipe.XLen(ctx, rejectedKey)
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("reading the lengths of the streams: %w", err)
	}
	return lengths[0].Val(), lengths[1].Val(), nil
}
