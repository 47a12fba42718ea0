package accesslog_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/slim/otlp/logs/v1"

	"sallyport/services/accesslog"
	"sallyport/services/internal/state"
)

// TestKilledBeforeThePositionIsSaved has the collector take records, and the answer not arrive.
func TestKilledBeforeThePositionIsSaved(t *testing.T) {
	f := openForwarding(t)
	_, end := f.replica("a", nil)
	f.began()
	sent := make(chan struct{})
	f.collector.answers(func(_ http.ResponseWriter, records []*logspb.LogRecord) bool {
		f.collector.take(records, "a")
		close(sent)
		end()
		return true
	})
	f.call("one")
	<-sent
	end()
	f.collector.answers(nil)
	f.call("two")
	f.replica("b", nil)
	got := f.collector.waits(2)
	if len(got["one"]) != 2 || len(got["two"]) != 1 {
		t.Errorf("one was sent %d times, and two %d times; want 2 and 1", len(got["one"]), len(got["two"]))
	}
}

func TestASinceSendsAgain(t *testing.T) {
	f := openForwarding(t)
	_, end := f.replica("a", nil)
	f.began()
	begin := time.Now().Add(-time.Minute)
	f.call("one")
	f.collector.waits(1)
	end()
	_, end = f.replica("b", func(c *accesslog.Config) { c.OTLP.Since = begin })
	f.call("two")
	f.collector.waits(2)
	end()
	f.replica("c", func(c *accesslog.Config) { c.OTLP.Since = begin })
	f.call("three")
	if got := f.collector.waits(3); len(got["one"]) != 2 || len(got["two"]) != 1 {
		t.Errorf("one was sent %d times, and two %d times; want 2 and 1", len(got["one"]), len(got["two"]))
	}
}

// TestAWrongSettingShowsAtTheStart shows that it takes no record to see that the collector isn't there, and that
// what is written meanwhile is sent.
func TestAWrongSettingShowsAtTheStart(t *testing.T) {
	f := openForwarding(t)
	f.collector.answers(func(w http.ResponseWriter, _ []*logspb.LogRecord) bool {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return true
	})
	f.replica("a", nil)
	d := f.delivery(func(d *state.Delivery) bool { return d.Error != "" })
	if d.Begun || !strings.Contains(d.Error, "401") || !strings.Contains(d.Error, "who are you?") {
		t.Errorf("it is as %+v", d)
	}
	f.call("one")
	f.indexed(1)
	f.collector.answers(nil)
	f.collector.waits(1)
}

// TestAPositionOfAnotherVersionIsNotOverwritten shows that a sink which can't read how far it was doesn't
// begin anew.
func TestAPositionOfAnotherVersionIsNotOverwritten(t *testing.T) {
	f := openForwarding(t)
	const other = `{"format":2,"places":["x"]}`
	must(t, f.redis.HSet(t.Context(), "{sallyport}:deliveries", "sink", other).Err())
	log, end := f.replica("a", nil)
	f.call("one")
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(log.String(), "form of another version"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the log doesn't say it")
		}
	}
	end()
	left, err := f.redis.HGet(t.Context(), "{sallyport}:deliveries", "sink").Result()
	if err != nil || left != other || f.collector.asked() > 0 {
		t.Errorf("the position is %q (%v), and %d requests were sent", left, err, f.collector.asked())
	}
}
