package document

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// How long a document is used without being fetched again: as its server says, within these bounds.
const (
	minFresh     = 5 * time.Minute
	defaultFresh = time.Hour
	maxFresh     = 24 * time.Hour
)

// freshness reads how long an answer may be used (RFC 9111 sections 4.2.1 and 5.2.2).
func freshness(h http.Header) time.Duration {
	life, said := lifetime(h)
	if !said {
		return defaultFresh
	}
	age, err := strconv.Atoi(h.Get("Age"))
	if err == nil && age > 0 {
		life -= time.Duration(min(age, int(maxFresh.Seconds()))) * time.Second
	}
	return min(max(life, minFresh), maxFresh)
}

func lifetime(h http.Header) (life time.Duration, said bool) {
	for directive := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache":
			return 0, true
		case "max-age", "s-maxage":
			seconds, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 64)
			if err != nil || seconds < 0 {
				return 0, true
			}
			life, said = time.Duration(min(seconds, int64(maxFresh.Seconds())))*time.Second, true
		}
	}
	if said || h.Get("Expires") == "" {
		return life, said
	}
	expires, err := http.ParseTime(h.Get("Expires"))
	date, dateErr := http.ParseTime(h.Get("Date"))
	if err != nil || dateErr != nil {
		return 0, true
	}
	return expires.Sub(date), true
}
