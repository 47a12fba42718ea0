package state

import (
	"container/list"
	"context"
	"errors"
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
	// recentForReplicas is recentFor where a replica takes over: longer than a primary goes on that no replica
	// hears, with "min-replicas-to-write 1" and "min-replicas-max-lag 10".
	recentForReplicas = 15 * time.Second
	// restoreAtOnce is how many entries are restored in one step, and restoreEvery how long after something
	// that failed it is tried again.
	restoreAtOnce = 200
	restoreEvery  = 200 * time.Millisecond
)

// recent is what this replica has written down in the last seconds. A Redis that is killed can lose the last
// that it answered, as can the one that takes over from it, and then it is written again: nothing that was
// allowed may be missing. What needs more than one to fail at a time, Redis and the replica that wrote, is lost.
type recent struct {
	mu sync.Mutex
	// life is how long an entry is remembered.
	life time.Duration
	// wake says that Redis may be another process now.
	wake chan struct{}
	// of is the run_id of the process of Redis that has the keys, as far as is known.
	of string
	// entries are the last that were answered (written), oldest first, bytes their size, and others says that some
	// were answered by another process. They are a list since all calls wait while a slice of thousands is copied.
	entries list.List
	bytes   int
	others  bool
	// doubtful are entries that an earlier process answered.
	doubtful []written
	restored int64
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

// notice has watch look which process has the keys: a connection is new, or broke, or another process answers.
func (r *recent) notice() {
	select {
	case r.wake <- struct{}{}:
	default: // it is about to look
	}
}

// watch looks which process has the keys, and writes again what that one lost, until the store is closed.
func (s *Store) watch(ctx context.Context) {
	defer close(s.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.recent.wake:
		}
		for s.restore(ctx) != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(restoreEvery):
			}
		}
	}
}

// restore writes again what Redis has lost. It returns an error where there may be something that it couldn't.
func (s *Store) restore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if s.recent.empty() {
		return nil
	}
	err := s.look(ctx, s.redis)
	for some := s.recent.next(); err == nil && len(some) > 0; some = s.recent.next() {
		err = s.restoreSome(ctx, some)
	}
	return err
}

// look asks by a client which process of Redis has the keys, and takes note of it.
func (s *Store) look(ctx context.Context, by redis.Cmdable) error {
	reply, err := s.callOn(ctx, by, "sallyport_process", []string{processKey})
	if err != nil {
		return err
	}
	if reply[1] != "master" {
		return errors.New("it is a replica, which takes no writes: give the primary's address, or those of its Sentinels with --redis-sentinel-master")
	}
	process, _ := reply[0].(string)
	if s.recent.met(process) {
		s.recent.notice()
	}
	return nil
}

// restoreSome has Redis append what it doesn't have of some entries that one process had answered.
func (s *Store) restoreSome(ctx context.Context, some []written) error {
	args := make([]any, 0, 1+5*len(some))
	args = append(args, some[0].process)
	for _, w := range some {
		args = append(args, w.Position, w.Kind, w.ID, w.Index, w.Document)
	}
	reply, err := s.call(ctx, "sallyport_restore", []string{streamKey, processKey}, args...)
	if err != nil {
		return err
	}
	process, _ := reply[2].(string)
	s.recent.settle(process, some, reply[1])
	return nil
}

// empty says that nothing is remembered that could have been lost.
func (r *recent) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entries.Len() == 0 && len(r.doubtful) == 0
}

// met takes note of the process of Redis, and says whether entries are doubtful since another had answered them.
func (r *recent) met(process string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if process == r.of && !r.others {
		return false
	}
	r.of, r.others = process, false
	for next := r.entries.Front(); next != nil; {
		one, w := next, next.Value.(written)
		next = one.Next()
		if w.process != process {
			r.doubtful = append(r.doubtful, w)
			r.forget(one)
		}
	}
	return len(r.doubtful) > 0
}

// remember keeps entries with the positions and the process that Redis has answered.
func (s *Store) remember(kind string, entries []Entry, positions, process any) {
	at, now := positionsIn(positions, len(entries)), time.Now()
	by, _ := process.(string)
	r := &s.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, e := range entries {
		r.keep(written{Waiting{at[i], kind, e}, by, now})
	}
}

// keep adds an entry, and forgets those that are old enough to be kept elsewhere, or too many. What another process
// had answered doesn't grow old: it is doubtful, however long Redis was away.
func (r *recent) keep(w written) {
	if w.process != r.of {
		// It was answered just before that one ended, or by one that this replica hasn't met yet.
		r.others = true
		r.notice()
	}
	newest := r.entries.PushBack(w)
	r.bytes += len(w.Document)
	for oldest := r.entries.Front(); oldest != newest && (r.aged(oldest.Value.(written), w) || r.bytes > recentBytes); oldest = r.entries.Front() {
		r.forget(oldest)
	}
}

// forget takes an entry out of those that are remembered.
func (r *recent) forget(one *list.Element) {
	r.bytes -= len(one.Value.(written).Document)
	r.entries.Remove(one)
}

// aged says whether an entry is old, by a newer one of the same process.
func (r *recent) aged(w, newer written) bool {
	return w.process == newer.process && newer.at.Sub(w.at) > r.life
}

// next are some doubtful entries that the same process had answered; none where all is done.
func (r *recent) next() []written {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.doubtful) == 0 {
		r.doubtful = nil
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
		if at[i] != "" {
			r.restored++
			w.Position = at[i]
		}
		// Those that it had are its own from now on, too: it may end before a replica has them.
		w.process, w.at = process, time.Now()
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
