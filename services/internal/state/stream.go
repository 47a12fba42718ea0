package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// indexers is the consumer group of all accesslog replicas.
const indexers = "indexers"

// The halves of records, as entries of the activity stream say which they are. An alert has one.
const (
	decisionHalf = "decision"
	actHalf      = "act"
	outcomeHalf  = "outcome"
	alertHalf    = "alert"
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
	return s.appendAll(ctx, 0, outcomeHalf, entries)
}

// AppendAct writes down what an admin is about to do, in the activity stream. limit is the greatest
// length of the stream; ErrStreamFull where it is reached: what can't be written down must not be done.
func (s *Store) AppendAct(ctx context.Context, limit int64, e Entry) error {
	return s.appendAll(ctx, limit, actHalf, []Entry{e})
}

func (s *Store) appendAll(ctx context.Context, limit int64, kind string, entries []Entry) error {
	args := make([]any, 0, 1+4*len(entries))
	args = append(args, limit)
	for _, e := range entries {
		args = append(args, kind, e.ID, e.Index, e.Document)
	}
	reply, err := s.call(ctx, "sallyport_append", []string{streamKey, processKey}, args...)
	if err != nil {
		return err
	}
	if reply[0] == "full" {
		return ErrStreamFull
	}
	s.remember(kind, entries, reply[1], reply[2])
	return nil
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
