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

// Observation is something that identity can see of Atlassian, whose settings nobody but an admin of
// the company can read.
type Observation string

// What is observed. Each is kept as it was seen last.
const (
	// Registered: Sallyport has a registration at Atlassian.
	Registered Observation = "registered"
	// RegistrationRefused: Atlassian made none. Without a code it wasn't reached.
	RegistrationRefused Observation = "registration_refused"
	// SignInSent: a person was sent to Atlassian to sign in.
	SignInSent Observation = "sent"
	// SignedIn: a person came back with a code, and Atlassian took it.
	SignedIn Observation = "signed_in"
	// DomainRefused: a sign-in came back with one of Rovo's texts for a domain that isn't allowed.
	DomainRefused Observation = "domain_refused"
	// SignInRefused: a sign-in came back with another error.
	SignInRefused Observation = "sign_in_refused"
	// AddressRefused: Atlassian refused a call for the address that it came from.
	AddressRefused Observation = "address_refused"
	// CallAnswered: Atlassian's MCP server did what a call of Sallyport's asked.
	CallAnswered Observation = "call_answered"
)

const (
	observedKey = prefix + "observed"
	// signInsOutKey is a sorted set of the state hashes of sign-ins that haven't come back, by when
	// they were sent, Unix milliseconds.
	signInsOutKey = prefix + "observed-out"
	// maxSignInsOut bounds them: anybody can begin a sign-in.
	maxSignInsOut = 1000
	// maxNote is how many characters of a text from outside are kept.
	maxNote = 300
)

// Note is what was said where Atlassian refused something. It is untrusted: whoever begins a sign-in
// can come back with any text.
type Note struct {
	// Code is an OAuth error code, empty where there was none.
	Code string `json:"code,omitempty"`
	Text string `json:"text,omitempty"`
}

// Sighting is when something was seen last, by Redis's clock, and what was said; At is zero where it
// never was.
type Sighting struct {
	At time.Time
	Note
}

// Observed is all that was seen with a callback.
type Observed struct {
	// Callback is Sallyport's redirect URI as identity has it; empty where nothing was seen yet.
	Callback string
	// Last is each of them as it was seen last.
	Last map[Observation]Sighting
	// NotReturned is how many sign-ins since the last success were sent to Atlassian SignInLife ago
	// or earlier and never came back, and NotReturnedSince when the first of them was sent.
	NotReturned      int64
	NotReturnedSince time.Time
}

// Observe keeps that something was seen with a callback.
func (s *Store) Observe(ctx context.Context, callback string, what Observation, note Note) error {
	return s.observe(ctx, callback, what, note, "")
}

// ObserveSignIn keeps that a sign-in was sent to Atlassian, by the hash of its state.
func (s *Store) ObserveSignIn(ctx context.Context, callback, stateHash string) error {
	return s.observe(ctx, callback, SignInSent, Note{}, stateHash)
}

// ObserveReturn keeps that it came back, with whatever outcome.
func (s *Store) ObserveReturn(ctx context.Context, callback, stateHash string) error {
	return s.observe(ctx, callback, "returned", Note{}, stateHash)
}

func (s *Store) observe(ctx context.Context, callback string, what Observation, note Note, stateHash string) error {
	text, err := json.Marshal(Note{shortened(note.Code), shortened(note.Text)})
	if err != nil {
		return fmt.Errorf("keeping what was seen of Atlassian: %w", err)
	}
	_, err = s.call(ctx, "sallyport_observe", []string{observedKey, signInsOutKey}, callback, string(what), text, stateHash, maxSignInsOut)
	return err
}

// shortened is the beginning of a text, which json.Marshal makes valid UTF-8.
func shortened(text string) string {
	runes := []rune(text)
	if len(runes) <= maxNote {
		return text
	}
	return string(runes[:maxNote-1]) + "…"
}

// Observed returns what was seen of Atlassian.
func (s *Store) Observed(ctx context.Context) (Observed, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return Observed{}, err
	}
	lost := strconv.FormatInt(now.Add(-SignInLife).UnixMilli(), 10)
	var fields *redis.MapStringStringCmd
	var count *redis.IntCmd
	var first *redis.ZSliceCmd
	_, err = s.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		fields = pipe.HGetAll(ctx, observedKey)
		count = pipe.ZCount(ctx, signInsOutKey, "-inf", lost)
		first = pipe.ZRangeWithScores(ctx, signInsOutKey, 0, 0)
		return nil
	})
	if err != nil {
		return Observed{}, fmt.Errorf("reading what was seen of Atlassian: %w", err)
	}
	seen := Observed{Last: map[Observation]Sighting{}, NotReturned: count.Val()}
	for name, value := range fields.Val() {
		if name == "callback" {
			seen.Callback = value
			continue
		}
		seen.Last[Observation(name)], err = readSighting(value)
		if err != nil {
			return Observed{}, err
		}
	}
	if seen.NotReturned > 0 {
		seen.NotReturnedSince = time.UnixMilli(int64(first.Val()[0].Score))
	}
	return seen, nil
}

func readSighting(value string) (Sighting, error) {
	at, note, _ := strings.Cut(value, " ")
	millis, err := strconv.ParseInt(at, 10, 64)
	sighting := Sighting{At: time.UnixMilli(millis)}
	if err == nil {
		err = json.Unmarshal([]byte(note), &sighting.Note)
	}
	if err != nil {
		return Sighting{}, fmt.Errorf("reading what was seen of Atlassian: %w", err)
	}
	return sighting, nil
}
