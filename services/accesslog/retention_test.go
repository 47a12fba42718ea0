package accesslog

import (
	"testing"
	"time"
)

func TestPast(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	short := retention{activity: 10, protocol: 2}
	for _, test := range []struct {
		keep  retention
		index string
		at    time.Time
		want  bool
	}{
		{short, "sallyport-activity-2026.11.13", now, true},
		{short, "sallyport-activity-2026.11.13", now.Add(-time.Nanosecond), false},
		{short, "sallyport-activity-2026.11.14", now, false},
		{short, "sallyport-protocol-2026.11.21", now, true},
		{short, "sallyport-protocol-2026.11.22", now, false},
		{retention{1, 1}, "sallyport-activity-2026.11.24", now, false},
		{retention{1, 1}, "sallyport-activity-2026.11.23", now.Add(24*time.Hour - time.Nanosecond), false},
		{retention{1, 1}, "sallyport-activity-2126.11.24", now, false},
		{retention{0, 2}, "sallyport-activity-2001.01.01", now, false},
		{retention{10, 0}, "sallyport-protocol-2001.01.01", now, false},
		{short, "sallyport-activity-2001.01.01-copy", now, false},
		{short, "copy-sallyport-activity-2001.01.01", now, false},
		{short, "sallyport-activity-2001.13.01", now, false},
		{short, "sallyport-activity-2001.02.30", now, false},
		{short, "sallyport-activity-2001.1.01", now, false},
		{short, "sallyport-activity2001.01.01", now, false},
		{short, "Sallyport-activity-2001.01.01", now, false},
		{short, "sallyport-audit-2001.01.01", now, false},
		{short, "2001.01.01", now, false},
		{short, "", now, false},
	} {
		if got := test.keep.past(test.index, test.at); got != test.want {
			t.Errorf("%s is past %+v at %v: %t, want %t", test.index, test.keep, test.at, got, test.want)
		}
	}
}

func TestRetentionIsRefused(t *testing.T) {
	for _, cfg := range []Config{
		{StreamLimit: 0}, {StreamLimit: 1, RetentionDays: -1}, {StreamLimit: 1, ProtocolRetentionDays: 36_501},
	} {
		if cfg.Validate() == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	if err := (Config{StreamLimit: 1}).Validate(); err != nil {
		t.Error(err)
	}
}
