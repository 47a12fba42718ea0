package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// indexers is the consumer group of all accesslog replicas.
	indexers = "indexers"
	// rejectedKey holds entries that Elasticsearch refuses for what they are, so that they don't
	// hold up the rest and aren't lost.
	rejectedKey = prefix + "rejected"
)

// Waiting is an entry of the activity stream that isn't indexed yet.
type Waiting struct {
	// Position is the entry's id in the stream.
	Position string
	// Kind is what half of which record it is: decision, act or outcome; or alert, which is whole.
	Kind string
	Entry
}

// AppendOutcomes appends the outcomes' halves of records, of calls and of acts, to the activity stream.
func (s *Store) AppendOutcomes(ctx context.Context, entries []Entry) error {
	_, err := s.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, e := range entries {
			pipe.XAdd(ctx, &redis.XAddArgs{Stream: streamKey, Values: values("outcome", e)})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("appending outcomes: %w", err)
	}
	return nil
}

// AppendAct writes down what an admin is about to do, in the activity stream. limit is the greatest
// length of the stream; ErrStreamFull where it is reached: what can't be written down must not be done.
func (s *Store) AppendAct(ctx context.Context, limit int64, e Entry) error {
	reply, err := s.call(ctx, "sallyport_append_act", []string{streamKey}, limit, e.ID, e.Index, e.Document)
	if err != nil {
		return err
	}
	if reply[0] == "full" {
		return ErrStreamFull
	}
	return nil
}

func values(kind string, e Entry) []any {
	return []any{"kind", kind, "id", e.ID, "index", e.Index, "doc", e.Document}
}

// ReadWaiting hands entries to a consumer, count at most, waiting up to block for the first. An
// entry stays the consumer's until Indexed, and is handed to another by TakeOver if that never
// comes. With again, it returns those the consumer already has, which is where it goes on after a
// restart.
func (s *Store) ReadWaiting(ctx context.Context, consumer string, count int64, block time.Duration, again bool) ([]Waiting, error) {
	from := ">"
	if again {
		from = "0"
	}
	args := &redis.XReadGroupArgs{Group: indexers, Consumer: consumer, Streams: []string{streamKey, from}, Count: count, Block: block}
	streams, err := s.redis.XReadGroup(ctx, args).Result()
	if err != nil && strings.HasPrefix(err.Error(), "NOGROUP") {
		err = s.redis.XGroupCreateMkStream(ctx, streamKey, indexers, "0").Err()
		if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
			return nil, fmt.Errorf("creating the consumer group: %w", err)
		}
		streams, err = s.redis.XReadGroup(ctx, args).Result()
	}
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the activity stream: %w", err)
	}
	return waitingFrom(streams[0].Messages), nil
}

// TakeOver hands a consumer the entries that others have had for longer than idle: they have died.
func (s *Store) TakeOver(ctx context.Context, consumer string, count int64, idle time.Duration) ([]Waiting, error) {
	messages, _, err := s.redis.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: streamKey, Group: indexers, Consumer: consumer, MinIdle: idle, Start: "0", Count: count,
	}).Result()
	if err != nil && !strings.HasPrefix(err.Error(), "NOGROUP") {
		return nil, fmt.Errorf("taking over from other indexers: %w", err)
	}
	return waitingFrom(messages), nil
}

// Indexed removes entries from the stream: Elasticsearch has them.
func (s *Store) Indexed(ctx context.Context, entries []Waiting) error {
	positions := make([]string, len(entries))
	for i, e := range entries {
		positions[i] = e.Position
	}
	_, err := s.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.XAck(ctx, streamKey, indexers, positions...)
		pipe.XDel(ctx, streamKey, positions...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("removing indexed entries from the stream: %w", err)
	}
	return nil
}

// SetAside moves an entry that Elasticsearch refuses for what it is out of the stream, and keeps it with
// its reason. Done again, it changes nothing.
func (s *Store) SetAside(ctx context.Context, e Waiting, reason string) error {
	_, err := s.call(ctx, "sallyport_set_aside", []string{streamKey, rejectedKey}, indexers, e.Position, e.ID, e.Index, e.Document, reason)
	return err
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

// IndexedTo is the sequence (Sequence) up to which Elasticsearch has all that was written down, but for what
// it refused; empty where nothing was indexed yet.
func (s *Store) IndexedTo(ctx context.Context) (string, error) {
	// What is handed out after the first question is behind its answer, so that two questions do.
	groups, err := s.redis.XInfoGroups(ctx, streamKey).Result()
	if err != nil && strings.Contains(err.Error(), "no such key") {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading how far the activity stream is indexed: %w", err)
	}
	for _, g := range groups {
		if g.Name != indexers {
			continue
		}
		pending, err := s.redis.XPending(ctx, streamKey, indexers).Result()
		if err != nil {
			return "", fmt.Errorf("reading how far the activity stream is indexed: %w", err)
		}
		to := Sequence(g.LastDeliveredID)
		if pending.Count > 0 && Sequence(pending.Lower) <= to {
			to = justBefore(Sequence(pending.Lower))
		}
		return to, nil
	}
	return "", nil
}

// Sequence is an entry's position in the stream in a form whose order as a text is the stream's. It is empty
// for what is no position.
func Sequence(position string) string {
	milliseconds, number, ok := strings.Cut(position, "-")
	if !ok || len(milliseconds) > 20 || len(number) > 20 {
		return ""
	}
	return strings.Repeat("0", 20-len(milliseconds)) + milliseconds + strings.Repeat("0", 20-len(number)) + number
}

// justBefore is what all sequences before one are at most: it is less than that one, and none is between.
func justBefore(sequence string) string {
	last := len(sequence) - 1
	return sequence[:last] + string(rune(sequence[last]-1))
}

// StreamLength is how many entries wait to be indexed, and how long the oldest has waited.
func (s *Store) StreamLength(ctx context.Context) (int64, time.Duration, error) {
	length, err := s.redis.XLen(ctx, streamKey).Result()
	if err != nil {
		return 0, 0, fmt.Errorf("reading the activity stream: %w", err)
	}
	oldest, err := s.redis.XRangeN(ctx, streamKey, "-", "+", 1).Result()
	if err != nil {
		return 0, 0, fmt.Errorf("reading the activity stream: %w", err)
	}
	if len(oldest) == 0 {
		return length, 0, nil
	}
	var milliseconds int64
	_, err = fmt.Sscanf(oldest[0].ID, "%d-", &milliseconds)
	if err != nil {
		return 0, 0, fmt.Errorf("reading the activity stream: entry id %q: %w", oldest[0].ID, err)
	}
	return length, max(0, time.Since(time.UnixMilli(milliseconds))), nil
}

func waitingFrom(messages []redis.XMessage) []Waiting {
	entries := make([]Waiting, 0, len(messages))
	for _, m := range messages {
		text := func(field string) string { value, _ := m.Values[field].(string); return value }
		entries = append(entries, Waiting{m.ID, text("kind"), Entry{ID: text("id"), Index: text("index"), Document: []byte(text("doc"))}})
	}
	return entries
}
