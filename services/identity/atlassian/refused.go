package atlassian

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Why Jira doesn't tell groups, for whoever set Sallyport up.
var (
	// ErrCredential means that the service credential is wrong.
	ErrCredential = errors.New("Jira doesn't take the service credential; check --jira-user and the token in --jira-token-file, which may have expired, or as a scoped one lack the scope read:jira-user")
	// ErrPermission means that its account may not see groups.
	ErrPermission = errors.New(`Jira doesn't show groups to the service credential; give its account the global permission "Browse users and groups", and a scoped token the scope read:jira-user`)
	// ErrNotFound means that there is no such person, or no such site.
	ErrNotFound = errors.New("Jira knows no such person, or hides them from the service credential; if it knows nobody at all, check --jira-url or --jira-cloud-id")
)

const (
	// minWait and maxWait bound how long Jira is obeyed; its own waits are seconds to a minute.
	minWait = time.Second
	maxWait = 5 * time.Minute
	// usualWait is for a refusal that doesn't say how long.
	usualWait = 30 * time.Second
)

// Throttled means that Jira wants to be left alone for a while.
type Throttled struct{ Wait time.Duration }

func (t *Throttled) Error() string {
	return fmt.Sprintf("Jira is asked too often and wants a pause; try again in %d seconds", int((t.Wait+time.Second-1)/time.Second))
}

// explain makes of what became of a call to Jira an error that says what to do.
func explain(err error) error {
	silent := fmt.Errorf("Jira doesn't tell groups right now; check --jira-url or --jira-cloud-id, and whether identity reaches it: %w", err)
	var answered *statusError
	if !errors.As(err, &answered) {
		return silent
	}
	switch answered.status {
	case http.StatusTooManyRequests:
		return &Throttled{wait(answered.retryAfter, time.Now())}
	case http.StatusServiceUnavailable:
		if answered.retryAfter != "" {
			return &Throttled{wait(answered.retryAfter, time.Now())}
		}
	case http.StatusUnauthorized:
		return ErrCredential
	case http.StatusForbidden:
		return ErrPermission
	case http.StatusNotFound:
		return ErrNotFound
	}
	return silent
}

// wait reads Retry-After (RFC 9110 section 10.2.3): seconds, or a date.
func wait(retryAfter string, now time.Time) time.Duration {
	asked := usualWait
	seconds, err := strconv.Atoi(retryAfter)
	if err == nil {
		// Capped before it is multiplied, so that it can't overflow.
		asked = time.Duration(min(seconds, int(maxWait/time.Second))) * time.Second
	} else if date, err := http.ParseTime(retryAfter); err == nil {
		asked = date.Sub(now)
	}
	return min(max(asked, minWait), maxWait)
}
