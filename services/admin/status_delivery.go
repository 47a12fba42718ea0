package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
)

// deliveryStale is after how long nothing was heard of a delivery that it isn't told of any more: it was
// turned off, or accesslog is down, which is told of that.
const deliveryStale = 10 * time.Minute

// deliveries are what accesslog delivers records to, where it is set to, as parts: each by the name that its state
// has in Redis.
func (s *StatusServer) deliveries(ctx context.Context) []*adminv1.Part {
	var parts []*adminv1.Part
	for _, name := range []string{"sink", "alerts", "webhook"} {
		d, err := s.store.Delivery(ctx, name)
		switch {
		case errors.Is(err, state.ErrNotFound):
		case err != nil && s.store.Ready(ctx) == nil:
			parts = append(parts, &adminv1.Part{Name: name, State: degraded, Detail: upper(err.Error()) + "."})
		case err == nil && time.Since(d.SavedAt) < deliveryStale:
			parts = append(parts, deliveryPart(name, d, time.Now()))
		}
	}
	return parts
}

// failingMost is for how long a delivery may fail before that is told: what it is sent to may be starting, and it is
// tried again within seconds.
const failingMost = time.Minute

func deliveryPart(name string, d *state.Delivery, now time.Time) *adminv1.Part {
	part := &adminv1.Part{Name: name, State: ready}
	var said, todo []string
	if d.Error != "" && now.Sub(d.FailingSince) >= failingMost {
		part.State, todo = degraded, append(todo, "Look at what it is sent to, and into accesslog's log; it is tried again by itself.")
		said = append(said, fmt.Sprintf("%s, since %s ago.", upper(strings.TrimRight(d.Error, ".")), now.Sub(d.FailingSince).Round(time.Second)))
		if !d.Oldest.IsZero() {
			said = append(said, fmt.Sprintf("The oldest record that waits is of %s ago; nothing is lost, it is tried again.", now.Sub(d.Oldest).Round(time.Second)))
		}
	}
	if d.Refused > 0 {
		part.State, todo = degraded, append(todo, "Mend what it refuses them for; they aren't sent again, so take them from Elasticsearch.")
		said = append(said, fmt.Sprintf("%s refused for what %s, and only in Elasticsearch; the last was %s.",
			map[bool]string{true: "1 record was", false: fmt.Sprintf("%d records were", d.Refused)}[d.Refused == 1],
			map[bool]string{true: "it is", false: "they are"}[d.Refused == 1], d.LastRefused))
	}
	part.Remedy = strings.Join(todo, " ")
	part.Detail = strings.TrimSpace(strings.Join(said, " ") + " " + part.GetRemedy())
	return part
}

// upper has a sentence begin with a capital.
func upper(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
