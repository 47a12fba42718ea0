// Package follow hands the records that are indexed to somebody, such as a sink for a SIEM: in the order in which
// they were written down, each at least once. Elasticsearch is what is read and Redis keeps how far, so
// that nothing is lost however long the other side is away, and one replica at a time does it.
package follow

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

const (
	// lookEvery is how often is looked for what is new.
	lookEvery = 2 * time.Second
	// holdFor is how long a replica that died is waited for before another goes on.
	holdFor = 30 * time.Second
	// firstWait and lastWait bound the wait after a failure of the other side, which doubles, ownWait that after
	// one of Redis or Elasticsearch; longestWait what the other side may ask for.
	firstWait   = 250 * time.Millisecond
	ownWait     = time.Second
	lastWait    = 30 * time.Second
	longestWait = 10 * time.Minute
)

// Order is one order in which records are read.
type Order struct {
	// Name is what its position is kept under, and Field where records have their place.
	Name, Field string
	// Filters are which of them, of those after a place.
	Filters func(after string) []Object
	// Source is what is read of them, Elasticsearch's _source.
	Source any
	// Records is how many of them are read at a time; 0 for as many as fit into memory where they are read whole.
	Records int
	// Delay is how long ago they must have been written down.
	Delay time.Duration
}

// Refused is a record that the other side doesn't take for what it is, or several that it didn't name.
type Refused struct {
	// ID is the record's, or says among which they are.
	ID, Reason string
	Count      int
}

// WaitError is a failure of the other side, which may say when to try again.
type WaitError struct {
	Err  error
	Wait time.Duration
}

// Error is the failure.
func (e *WaitError) Error() string { return e.Err.Error() }

// Unwrap is the failure.
func (e *WaitError) Unwrap() error { return e.Err }

// Target is whom records are delivered to.
type Target interface {
	// Deliver delivers records. nil means that the other side has all but those refused; after an error they are
	// delivered again, all of them.
	Deliver(ctx context.Context, records []Found) ([]Refused, error)
}

// Follower delivers records to a target.
type Follower struct {
	// Name is what its position is kept under; To says to people where records go.
	Name, To string
	// Since is from when on records are delivered; zero for from the first start on.
	Since time.Time
	// Most is how many records are delivered at a time; 0 for as many as have a good size.
	Most   int
	Orders []Order
	Target Target
	// Resume, if there is one, is called when this replica begins to deliver: with how far that is, and
	// whether it is the first time that any does.
	Resume  func(ctx context.Context, d *state.Delivery, first bool) error
	Store   *state.Store
	Reader  Reader
	Log     *slog.Logger
	Metrics *Metrics

	holder string
	// at is how far it is; nil while another replica does the work.
	at *state.Delivery
	// resumed says that Resume was called since this replica does the work, and did what it does.
	resumed bool
	failing bool
	// wait is how long was waited after the last failure; 0 since something succeeded.
	wait time.Duration
}

// errElsewhere is that another replica does the work.
var errElsewhere = errors.New("another replica delivers")

// Run delivers until ctx ends. Failures are logged and waited out.
func (f *Follower) Run(ctx context.Context) error {
	f.holder = seal.Random(16)
	defer f.Store.Release(ctx, f.Name, f.holder)
	f.Metrics.begin(f.Name)
	for ctx.Err() == nil {
		err := f.step(ctx)
		pause := lookEvery
		switch {
		case errors.Is(err, errElsewhere):
			f.at = nil
			f.Metrics.behind(f.Name, time.Time{})
		case err != nil && ctx.Err() == nil:
			f.failed(ctx, err)
			pause = f.pauseAfter(err)
		}
		f.rest(ctx, pause)
	}
	return nil
}

// pauseAfter is how long to wait after a failure: longer each time until something succeeds.
func (f *Follower) pauseAfter(err error) time.Duration {
	most, asked := ownWait, time.Duration(0)
	if w, ok := errors.AsType[*WaitError](err); ok {
		most, asked = lastWait, w.Wait
	}
	f.wait = min(max(2*f.wait, firstWait), most)
	return min(max(f.wait, asked), longestWait)
}

// rest waits. A long wait doesn't give the work to another replica, which would ask the other side at once.
func (f *Follower) rest(ctx context.Context, pause time.Duration) {
	for end := time.Now().Add(pause); ctx.Err() == nil; {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(left, holdFor/3)):
		}
		if f.at != nil && left > holdFor/3 && f.hold(ctx) != nil {
			return
		}
	}
}

// hold makes sure that this replica does the work.
func (f *Follower) hold(ctx context.Context) error {
	held, err := f.Store.Hold(ctx, f.Name, f.holder, holdFor)
	if err == nil && !held {
		err = errElsewhere
	}
	return err
}

// step delivers all that is new.
func (f *Follower) step(ctx context.Context) error {
	err := f.hold(ctx)
	if err != nil {
		return err
	}
	err = f.load(ctx)
	if err != nil {
		return err
	}
	indexed, err := f.Store.IndexedTo(ctx)
	if err != nil {
		return err
	}
	now, err := f.Store.Now(ctx)
	if err != nil {
		return err
	}
	moved := false
	for _, o := range f.Orders {
		to := min(indexed, state.SequenceAt(now.Add(-o.Delay)))
		if o.Delay == 0 {
			to = indexed
		}
		if to <= f.at.At[o.Name] {
			continue
		}
		err = f.catchUp(ctx, o, to)
		if err != nil {
			return err
		}
		moved = true
	}
	return f.well(ctx, moved)
}

// load reads how far the work is where this replica hasn't done it before, and begins where nobody has.
func (f *Follower) load(ctx context.Context) error {
	if f.at != nil {
		return f.resume(ctx)
	}
	d, err := f.Store.Delivery(ctx, f.Name)
	if errors.Is(err, state.ErrNotFound) {
		d, err = f.begin(ctx)
	}
	if err != nil {
		return err
	}
	// A time before that is a wish to have records again. It is fulfilled once.
	if !f.Since.IsZero() && !f.Since.Equal(d.Since) {
		for _, o := range f.Orders {
			d.At[o.Name] = min(d.At[o.Name], state.SequenceAt(f.Since))
		}
		d.Since = f.Since
		f.Log.Info("records are delivered again from a time on", "to", f.Name, "since", f.Since)
	}
	d.To = f.To
	f.at, f.resumed = d, f.Resume == nil
	return f.resume(ctx)
}

// resume does once what has to be done when this replica begins.
func (f *Follower) resume(ctx context.Context) error {
	if f.resumed && f.at.Begun {
		return nil
	}
	if !f.resumed {
		err := f.Resume(ctx, f.at, !f.at.Begun)
		if err != nil {
			return err
		}
	}
	f.resumed, f.at.Begun = true, true
	return f.Store.SaveDelivery(ctx, f.Name, f.at)
}

func (f *Follower) begin(ctx context.Context) (*state.Delivery, error) {
	from := f.Since
	if from.IsZero() {
		now, err := f.Store.Now(ctx)
		if err != nil {
			return nil, err
		}
		from = now
	}
	d := &state.Delivery{At: map[string]string{}, Since: f.Since}
	for _, o := range f.Orders {
		d.At[o.Name] = state.SequenceAt(from)
	}
	f.Log.Info("records are delivered from a time on", "to", f.Name, "since", from.UTC())
	// What comes while Elasticsearch is waited for is after the beginning.
	return d, f.Store.SaveDelivery(ctx, f.Name, d)
}
