package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// since is a time that the log begins at: so long ago, or a time of its own.
type since struct {
	ago time.Duration
	at  time.Time
}

var ago = regexp.MustCompile(`^(\d{1,6})(s|m|h|d|w)$`)

var agoUnits = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// readAgo reads a length of time: 15m, 2h, 7d.
func readAgo(text string) (time.Duration, bool) {
	found := ago.FindStringSubmatch(text)
	if found == nil {
		return 0, false
	}
	n, err := strconv.Atoi(found[1])
	return time.Duration(n) * agoUnits[found[2]], err == nil
}

// UnmarshalText reads a time from the command line. A day is one of this place, from its midnight.
func (s *since) UnmarshalText(text []byte) error {
	if d, ok := readAgo(string(text)); ok {
		s.ago = d
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		at, err = time.ParseInLocation(time.DateOnly, string(text), time.Local)
	}
	if err != nil {
		return fmt.Errorf("%q is no time: write 15m, 2h or 7d for so long ago, 2026-11-23, or 2026-11-23T09:00:00Z", text)
	}
	s.at = at
	return nil
}

// before returns the time, as seen from now; the zero time where none was given.
func (s since) before(now time.Time) time.Time {
	if s.ago > 0 {
		return now.Add(-s.ago)
	}
	return s.at
}
