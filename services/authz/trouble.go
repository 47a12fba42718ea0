package authz

import (
	"log/slog"
	"sync"
	"time"
)

// noteEvery is how often the same trouble is logged.
const noteEvery = 10 * time.Second

// trouble is logged once in noteEvery, and not with each request that meets it.
type trouble struct {
	log *slog.Logger

	mu   sync.Mutex
	next time.Time
	// unsaid are those since the last line.
	unsaid int
}

// note logs a request that was refused, or counts it for the next line.
func (t *trouble) note(message string, attributes ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Before(t.next) {
		t.unsaid++
		return
	}
	t.log.Error(message, append(attributes, "others_since_last_line", t.unsaid)...)
	t.next, t.unsaid = now.Add(noteEvery), 0
}
