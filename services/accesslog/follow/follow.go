// Package follow hands the records that are indexed to somebody, such as a sink for a SIEM: in the order in which
// they were written down, each at least once. Elasticsearch is what is read and Redis keeps how far, so
// that nothing is lost however long the other side is away, and one replica at a time does it.
package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

const (
	// lookEvery is how often is looked for what is new.
	lookEvery = 500 * time.Millisecond
	// holdFor is how long a replica that died is waited for before another goes on.
	holdFor = 30 * time.Second
	// saveEvery is how often it is saved that all is well where nothing is new.
	saveEvery = 15 * time.Second
	// firstWait and lastWait bound the wait after a failure, which doubles; longestWait what the other side may
	// ask for.
	firstWait   = 250 * time.Millisecond
	lastWait    = 30 * time.Second
	longestWait = 10 * time.Minute
	// finishWithin is how long a delivery that is under way may take when the service stops.
	finishWithin = 3 * time.Second
	// batchBytes bounds how much is delivered at a time. A single record can be larger.
	batchBytes = 1 << 20
)

// Order is one order in which records are read.
type Order struct {
	// Name is what its position is kept under, and Field where records have their place.
	Name, Field string
	// Filters are which of them, of those after a place.
	Filters func(after string) []Object
	// Source is what is read of them, Elasticsearch's _source.
	Source any
	// Delay is how long ago they must have been written down.
	Delay time.Duration
}

// Refused is a record that the other side doesn't take for what it is, or several that it didn't name.
type Refused struct {
	// ID is the record's, or says among which they are.
	ID, Reason string
	Count      int
}

// WaitError is a failure of the other side that says when to try again.
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
	at      *state.Delivery
	failing bool
}

// errElsewhere is that another replica does the work.
var errElsewhere = errors.New("another replica delivers")

// Run delivers until ctx ends. Failures are logged and waited out.
func (f *Follower) Run(ctx context.Context) error {
	f.holder = seal.Random(16)
	defer f.Store.Release(ctx, f.Name, f.holder)
	wait := firstWait
	for ctx.Err() == nil {
		err := f.step(ctx)
		pause := lookEvery
		switch {
		case errors.Is(err, errElsewhere):
			f.at = nil
			f.Metrics.behind(f.Name, time.Time{})
			wait = firstWait
		case err != nil && ctx.Err() == nil:
			f.failed(ctx, err)
			pause = wait
			if w, ok := errors.AsType[*WaitError](err); ok && w.Wait > 0 {
				pause = min(max(w.Wait, wait), longestWait)
			}
			wait = min(2*wait, lastWait)
		default:
			wait = firstWait
		}
		f.rest(ctx, pause)
	}
	return nil
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
		return nil
	}
	d, err := f.Store.Delivery(ctx, f.Name)
	first := errors.Is(err, state.ErrNotFound)
	if first {
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
	if f.Resume != nil {
		err = f.Resume(ctx, d, first)
		if err != nil {
			return err
		}
	}
	d.To = f.To
	f.at = d
	return f.Store.SaveDelivery(ctx, f.Name, d)
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
	return d, nil
}

// catchUp delivers the records of an order up to a sequence.
func (f *Follower) catchUp(ctx context.Context, o Order, to string) error {
	err := f.Reader.refresh(ctx)
	if err != nil {
		return err
	}
	for {
		found, err := f.Reader.Page(ctx, o, f.at.At[o.Name], to)
		if err != nil {
			return err
		}
		for _, part := range parts(found, f.Most) {
			f.at.Oldest = state.SequenceTime(part[0].Place)
			f.Metrics.behind(f.Name, f.at.Oldest)
			err = f.deliver(ctx, o, part)
			if err != nil {
				return err
			}
		}
		if len(found) < PageRecords {
			f.at.At[o.Name] = to
			f.at.Oldest = time.Time{}
			return nil
		}
	}
}

// deliver delivers one part, and has it known before the next.
func (f *Follower) deliver(ctx context.Context, o Order, part []Found) error {
	err := f.hold(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	refused, err := f.Target.Deliver(ctx, part)
	if err != nil {
		return err
	}
	f.at.At[o.Name] = part[len(part)-1].Place
	lost := 0
	for _, r := range refused {
		lost += r.Count
		f.at.Refused += int64(r.Count)
		f.at.LastRefused = fmt.Sprintf("%s: %s", r.ID, r.Reason)
		f.Log.Error("record not delivered: the other side refuses it for what it is; it stays in Elasticsearch", "to", f.Name, "event.id", r.ID, "count", r.Count, "reason", r.Reason)
	}
	f.recovered()
	err = f.Store.SaveDelivery(ctx, f.Name, f.at)
	if err != nil {
		return err
	}
	f.Metrics.deliveredTo(f.Name, len(part)-lost, lost)
	return nil
}

// finishing is a context that ends a little later than another: what is under way when the service stops has
// the time to be known, and isn't delivered again.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(finishWithin, cancel) })
	return own, func() { stop(); cancel() }
}

// failed says once that it doesn't go on, and has it known.
func (f *Follower) failed(ctx context.Context, err error) {
	f.Metrics.failedAt(f.Name)
	if !f.failing {
		f.failing = true
		f.Log.Error("retrying; nothing is lost, Elasticsearch and Redis hold it", "what", "delivering to "+f.Name, "error", err)
	}
	if f.at == nil {
		return
	}
	if f.at.FailingSince.IsZero() {
		f.at.FailingSince = time.Now().UTC()
	}
	f.at.Error = err.Error()
	f.Metrics.behind(f.Name, f.at.Oldest)
	// Where Redis is what fails, it is known from Redis's own state.
	_ = f.Store.SaveDelivery(ctx, f.Name, f.at)
}

// recovered says once that it goes on.
func (f *Follower) recovered() {
	f.at.Error, f.at.FailingSince = "", time.Time{}
	if f.failing {
		f.failing = false
		f.Log.Info("works again", "what", "delivering to "+f.Name)
	}
}

// well has it known that nothing waits, from time to time where nothing moved.
func (f *Follower) well(ctx context.Context, moved bool) error {
	f.recovered()
	f.Metrics.behind(f.Name, time.Time{})
	if !moved && time.Since(f.at.SavedAt) < saveEvery {
		return nil
	}
	return f.Store.SaveDelivery(ctx, f.Name, f.at)
}

// parts splits records so that each part is of a size that can be delivered at a time, of most records if that
// isn't 0.
func parts(found []Found, most int) [][]Found {
	var list [][]Found
	size, start := 0, 0
	for i, r := range found {
		if i > start && (size+len(r.Source) > batchBytes || i-start == most) {
			list = append(list, found[start:i])
			start, size = i, 0
		}
		size += len(r.Source)
	}
	if start < len(found) {
		list = append(list, found[start:])
	}
	return list
}
