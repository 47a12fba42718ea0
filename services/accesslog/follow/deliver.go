package follow

import (
	"context"
	"fmt"
	"time"

	"sallyport/services/internal/state"
)

const (
	// finishWithin is how long a delivery that is under way may take when the service stops.
	finishWithin = 3 * time.Second
	// batchBytes bounds how much is delivered at a time. A single record can be larger.
	batchBytes = 1 << 20
	// saveEvery is how often it is saved that all is well where nothing is new.
	saveEvery = 15 * time.Second
)

// catchUp delivers the records of an order up to a sequence.
func (f *Follower) catchUp(ctx context.Context, o Order, to string) error {
	err := f.Reader.refresh(ctx)
	if err != nil {
		return err
	}
	for {
		found, more, err := f.Reader.Page(ctx, o, f.at.At[o.Name], to)
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
		if !more {
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
	f.at.Error, f.at.FailingSince, f.wait = "", time.Time{}, 0
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
