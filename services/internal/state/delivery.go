package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// deliveriesKey is a hash of how far each of those is that follow the records, as JSON.
const deliveriesKey = prefix + "deliveries"

// deliveryFormat is the form of a Delivery that this version writes.
const deliveryFormat = 1

// Delivery is how far one that follows the records is with them, such as the sink for a SIEM, and how that
// goes.
type Delivery struct {
	// Format is that of this struct as it is stored.
	Format int `json:"format"`
	// At is, for each order that records are read in, the sequence (Sequence) up to which all were
	// delivered.
	At map[string]string `json:"at"`
	// Begun says that what has to be known before the first delivery is known.
	Begun bool `json:"begun"`
	// Since is the setting that it began by; zero where it began with what came then.
	Since time.Time `json:"since,omitzero"`
	// Refused is how many records weren't taken for what they are, and LastRefused which was the last, and why.
	Refused     int64  `json:"refused,omitzero"`
	LastRefused string `json:"last_refused,omitzero"`
	// To is where they are delivered, for people; no secret.
	To string `json:"to,omitzero"`
	// Error is why it doesn't go on, FailingSince since when, and Oldest when the oldest record was written down
	// that waits for that; zero where all is well.
	Error        string    `json:"error,omitzero"`
	FailingSince time.Time `json:"failing_since,omitzero"`
	Oldest       time.Time `json:"oldest,omitzero"`
	// SavedAt is when this was last true.
	SavedAt time.Time `json:"saved_at"`
}

// Delivery reads how far the named one is; ErrNotFound where it never began. What can't be read is an error
// and not a beginning: it would be one that leaves records out.
func (s *Store) Delivery(ctx context.Context, name string) (*Delivery, error) {
	text, err := s.redis.HGet(ctx, deliveriesKey, name).Result()
	if errors.Is(err, redis.Nil) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading how far %s is: %w", name, err)
	}
	var d Delivery
	err = json.Unmarshal([]byte(text), &d)
	if err != nil || d.Format != deliveryFormat || d.At == nil {
		return nil, fmt.Errorf("how far %s is can't be read: it is in field %s of %s in Redis, in the form of another version. Run that version, or remove the field to begin anew", name, name, deliveriesKey)
	}
	return &d, nil
}

// SaveDelivery stores how far the named one is.
func (s *Store) SaveDelivery(ctx context.Context, name string, d *Delivery) error {
	d.Format, d.SavedAt = deliveryFormat, time.Now().UTC()
	text, err := json.Marshal(d)
	if err == nil {
		err = s.redis.HSet(ctx, deliveriesKey, name, text).Err()
	}
	if err != nil {
		return fmt.Errorf("saving how far %s is: %w", name, err)
	}
	return nil
}

// Hold takes the named lease for ttl where nobody else has it, or prolongs it, and says whether the holder has
// it now. Holders are told apart by a random text.
func (s *Store) Hold(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	reply, err := s.call(ctx, "sallyport_hold", []string{lockKey(name)}, holder, ttl.Milliseconds())
	if err != nil {
		return false, err
	}
	return reply[0] == "held", nil
}

// Release gives the named lease up where the holder has it.
func (s *Store) Release(ctx context.Context, name, holder string) {
	s.unlock(ctx, lockKey(name), holder)
}

// SequenceAt is what the sequences are at least of all that is written down from a time on.
func SequenceAt(at time.Time) string { return Sequence(fmt.Sprintf("%d-0", max(0, at.UnixMilli()))) }

// SequenceTime is when what has a sequence was written down, to the millisecond; zero for what is none.
func SequenceTime(sequence string) time.Time {
	var milliseconds int64
	if len(sequence) != 40 {
		return time.Time{}
	}
	_, err := fmt.Sscanf(sequence[:20], "%d", &milliseconds)
	if err != nil || milliseconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds).UTC()
}
