package state

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// recentFor and recentBytes bound what is remembered of what was written down. With "appendfsync
	// everysec" Redis can have answered what isn't in its file for two seconds, while an fsync is under way,
	// and what isn't on the disk for two or three.
	recentFor   = 5 * time.Second
	recentBytes = 64 << 20
	// restoreAtOnce is how many entries are restored in one step, and restoreEvery how long after one
	// that failed it is tried again.
	restoreAtOnce = 200
	restoreEvery  = 200 * time.Millisecond
)

// recent is what this replica has written down in the last seconds. A Redis that is killed can lose the last
// that it answered, and then it is written again: nothing that was allowed may be missing. What needs more
// than one to fail at a time, Redis and the replica that wrote, is lost.
type recent struct {
	mu sync.Mutex
	// of is the run_id of the process of Redis that this replica talks to.
	of string
	// entries are the last that it has answered, oldest first, and bytes their size.
	entries []written
	bytes   int
	// doubtful are entries that an earlier process answered.
	doubtful  []written
	restoring bool
	restored  int64
	closed    bool
}

// written is an entry that Redis has answered.
type written struct {
	Waiting
	// process is the run_id of the Redis that answered, and at when.
	process string
	at      time.Time
}

// Restored is how many entries this replica has written again, since Redis had lost them.
func (s *Store) Restored() int64 {
	s.recent.mu.Lock()
	defer s.recent.mu.Unlock()
	return s.recent.restored
}

var runID = regexp.MustCompile(`(?m)^run_id:([0-9a-f]+)`)

// met is called with each new connection, and learns whether Redis is still the process it was.
func (s *Store) met(ctx context.Context, conn *redis.Conn) error {
	info, err := conn.Info(ctx, "server").Result()
	if err != nil {
		return fmt.Errorf("asking Redis which process it is: %w", err)
	}
	found := runID.FindStringSubmatch(info)
	if found == nil {
		return fmt.Errorf("Redis doesn't say which process it is: its INFO has no run_id")
	}
	if s.recent.met(found[1]) {
		go s.restore()
	}
	return nil
}

// restore writes again what Redis has lost, until that is done or the store is closed.
func (s *Store) restore() {
	for {
		some := s.recent.next()
		if len(some) == 0 {
			return
		}
		err := s.restoreSome(some)
		if err != nil {
			time.Sleep(restoreEvery)
		}
	}
}

// restoreSome has Redis append what it doesn't have of some entries that one process had answered.
func (s *Store) restoreSome(some []written) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	args := make([]any, 0, 1+5*len(some))
	args = append(args, some[0].process)
	for _, w := range some {
		args = append(args, w.Position, w.Kind, w.ID, w.Index, w.Document)
	}
	process := s.recent.process()
	reply, err := s.call(ctx, "sallyport_restore", []string{streamKey, processKey}, args...)
	if err != nil {
		return err
	}
	s.recent.settle(process, some, reply[1])
	return nil
}

// process is the run_id of the Redis that this replica talks to, as far as it knows.
func (r *recent) process() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of
}

// met takes note of the process of Redis, and says whether to begin to restore.
func (r *recent) met(process string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if process == r.of {
		return false
	}
	r.of = process
	r.doubtful = append(r.doubtful, r.entries...)
	r.entries, r.bytes = nil, 0
	return r.begin()
}

// begin says whether somebody has to begin to restore.
func (r *recent) begin() bool {
	if r.restoring || r.closed || len(r.doubtful) == 0 {
		return false
	}
	r.restoring = true
	return true
}

// remember keeps entries that Redis has answered with their positions. process is the one that this replica
// talked to before it asked; it may have ended since, and then they are doubtful at once.
func (s *Store) remember(process, kind string, entries []Entry, positions any) {
	at, now := positionsIn(positions, len(entries)), time.Now()
	r := &s.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, e := range entries {
		r.keep(written{Waiting{at[i], kind, e}, cmp.Or(process, r.of), now})
	}
	if r.begin() {
		go s.restore()
	}
}

// keep adds an entry, and forgets those that are old enough to be on the disk, or too many.
func (r *recent) keep(w written) {
	if w.process != r.of {
		r.doubtful = append(r.doubtful, w)
		return
	}
	r.entries = append(r.entries, w)
	r.bytes += len(w.Document)
	old := 0
	for old < len(r.entries)-1 && (w.at.Sub(r.entries[old].at) > recentFor || r.bytes > recentBytes) {
		r.bytes -= len(r.entries[old].Document)
		r.entries[old] = written{} // so that its document isn't kept
		old++
	}
	r.entries = r.entries[old:]
}

// next are some doubtful entries that the same process had answered; none where all is done.
func (r *recent) next() []written {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.doubtful) == 0 || r.closed {
		r.restoring, r.doubtful = false, nil
		return nil
	}
	end := 1
	for end < min(len(r.doubtful), restoreAtOnce) && r.doubtful[end].process == r.doubtful[0].process {
		end++
	}
	return slices.Clone(r.doubtful[:end])
}

// settle takes entries off the doubtful ones: Redis had them, or has them again at the positions that it
// answered.
func (r *recent) settle(process string, some []written, positions any) {
	at := positionsIn(positions, len(some))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doubtful = r.doubtful[len(some):]
	for i, w := range some {
		if at[i] == "" {
			continue
		}
		r.restored++
		w.Position, w.process, w.at = at[i], process, time.Now()
		r.keep(w)
	}
}

// positionsIn reads the positions that a function answers for so many entries; empty where it has none.
func positionsIn(reply any, entries int) []string {
	list, _ := reply.([]any)
	positions := make([]string, entries)
	for i := range min(entries, len(list)) {
		positions[i], _ = list[i].(string)
	}
	return positions
}

func (r *recent) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}
