package state

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// rejectedKey holds entries that Elasticsearch refuses for what they are, so that they don't hold up the
// rest and aren't lost.
const rejectedKey = prefix + "rejected"

// acknowledgedKey has by an entry's position who has acknowledged it, and when.
const acknowledgedKey = prefix + "rejected-acknowledged"

// retryBatch is how many entries are moved back in one step, so that Redis does other things in between.
const retryBatch = 50

// Aside is an entry that Elasticsearch refuses. Its Position is that among those which are kept aside.
type Aside struct {
	Waiting
	// Reason is Elasticsearch's error, "type: words".
	Reason string
	// Acknowledged is who has seen it; zero where nobody has.
	Acknowledged Acknowledgement
}

// Acknowledgement is that somebody has seen an entry which is kept aside, and when.
type Acknowledgement struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
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
	if len(messages) == 0 {
		return nil, nil
	}
	positions := make([]string, len(messages))
	for i, m := range messages {
		positions[i] = m.ID
	}
	acknowledged, err := s.redis.HMGet(ctx, acknowledgedKey, positions...).Result()
	if err != nil {
		return nil, fmt.Errorf("reading who has seen what is kept aside: %w", err)
	}
	entries := make([]Aside, len(messages))
	for i, e := range waitingFrom(messages) {
		reason, _ := messages[i].Values["reason"].(string)
		entries[i] = Aside{Waiting: e, Reason: reason}
		by, noted := acknowledged[i].(string)
		if !noted {
			continue
		}
		err = json.Unmarshal([]byte(by), &entries[i].Acknowledged)
		if err != nil {
			return nil, fmt.Errorf("reading who has seen what is kept aside: %w", err)
		}
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
		// What Elasticsearch refuses again isn't sent twice.
		from, to, err = s.allAside(ctx)
		if err != nil || to == "" {
			return 0, err
		}
	}
	for {
		reply, err := s.call(ctx, "sallyport_retry_aside", []string{streamKey, processKey, rejectedKey, acknowledgedKey}, limit, from, to, retryBatch, which.Reason)
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
	acknowledged := ""
	if e.Acknowledged != (Acknowledgement{}) {
		text, err := json.Marshal(e.Acknowledged)
		if err != nil {
			return fmt.Errorf("replacing what is kept aside: %w", err)
		}
		acknowledged = string(text)
	}
	_, err := s.call(ctx, "sallyport_replace_aside", []string{rejectedKey, acknowledgedKey}, e.Position, e.Kind, e.ID, e.Index, e.Document, e.Reason, acknowledged)
	return err
}

// AcknowledgeAside notes of an entry that is kept aside, by its position, that somebody has seen it; of all
// that are kept aside now, where the position is empty. It says how many there were, and of how many that wasn't
// noted before.
func (s *Store) AcknowledgeAside(ctx context.Context, position string, by Acknowledgement) (found, noted int64, err error) {
	text, err := json.Marshal(by)
	if err != nil {
		return 0, 0, fmt.Errorf("acknowledging what is kept aside: %w", err)
	}
	from, to := position, position
	if position == "" {
		from, to, err = s.allAside(ctx)
		if err != nil || to == "" {
			return 0, 0, err
		}
	}
	for {
		reply, err := s.call(ctx, "sallyport_acknowledge_aside", []string{rejectedKey, acknowledgedKey}, from, to, retryBatch, text)
		if err != nil {
			return found, noted, err
		}
		seen, _ := reply[1].(int64)
		fresh, _ := reply[2].(int64)
		found, noted = found+seen, noted+fresh
		last, _ := reply[3].(string)
		if last == "" || last == to {
			return found, noted, nil
		}
		from = "(" + last
	}
}

// allAside is the range of what is kept aside now; what Elasticsearch refuses after that comes behind it. The end
// is empty where nothing is.
func (s *Store) allAside(ctx context.Context) (from, to string, err error) {
	last, err := s.redis.XRevRangeN(ctx, rejectedKey, "+", "-", 1).Result()
	if err != nil {
		return "", "", fmt.Errorf("reading what is kept aside: %w", err)
	}
	if len(last) == 0 {
		return "", "", nil
	}
	return "-", last[0].ID, nil
}

// ForgetAside deletes entries that are kept aside, by their positions.
func (s *Store) ForgetAside(ctx context.Context, positions []string) error {
	_, err := s.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.XDel(ctx, rejectedKey, positions...)
		pipe.HDel(ctx, acknowledgedKey, positions...)
		return nil
	})
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

// Backlog is how many entries wait to be indexed, how many are kept aside, and how many of those somebody has
// acknowledged. Oldest is how long the oldest entry has waited, 0 where none does.
type Backlog struct {
	Waiting, Aside, Acknowledged int64
	Oldest                       time.Duration
}

// Backlog returns how much waits and is kept aside.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	var lengths [3]*redis.IntCmd
	var first *redis.XMessageSliceCmd
	var clock *redis.TimeCmd
	_, err := s.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		lengths = [3]*redis.IntCmd{pipe.XLen(ctx, streamKey), pipe.XLen(ctx, rejectedKey), pipe.HLen(ctx, acknowledgedKey)}
		first, clock = pipe.XRangeN(ctx, streamKey, "-", "+", 1), pipe.Time(ctx)
		return nil
	})
	if err != nil {
		return Backlog{}, fmt.Errorf("reading the lengths of the streams: %w", err)
	}
	now := Backlog{Waiting: lengths[0].Val(), Aside: lengths[1].Val(), Acknowledged: lengths[2].Val()}
	for _, entry := range first.Val() {
		// A position begins with Redis' clock in milliseconds.
		milliseconds, _, _ := strings.Cut(entry.ID, "-")
		at, err := strconv.ParseInt(milliseconds, 10, 64)
		if err != nil {
			return Backlog{}, fmt.Errorf("reading the age of the stream: %w", err)
		}
		now.Oldest = max(0, clock.Val().Sub(time.UnixMilli(at)))
	}
	return now, nil
}
