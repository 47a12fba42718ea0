package accesslog_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/slim/otlp/logs/v1"

	"sallyport/services/accesslog"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

func TestRecordsAreSentWhenTheyAreComplete(t *testing.T) {
	f := openForwarding(t)
	f.call("before the first start")
	f.indexed(1)
	f.replica("a", nil)
	f.began()
	under := decision("under way")
	f.decided("under way", under)
	r := decision("blocked")
	r.User = &activity.User{ID: "712020:ana", Name: "Ana", Email: "ana@acme.test"}
	r.Sallyport.Decision, r.Sallyport.Rule = activity.Blocked, &activity.Rule{ID: "r1", Number: 3, Note: "never"}
	r.Sallyport.Arguments = []byte(`{"key":"OPS-12"}`)
	f.decided("blocked", r)
	f.answered(activity.Note{IDs: []string{"blocked"}, Index: index, Blocked: true}, 200, "")
	f.call("allowed")

	got := f.collector.waits(2)
	if got["under way"] != nil || got["before the first start"] != nil {
		t.Errorf("sent are %v", got)
	}
	blocked, allowed := got["blocked"][0], got["allowed"][0]
	if blocked.GetSeverityText() != "WARN" || allowed.GetSeverityText() != "INFO" || blocked.GetEventName() != "sallyport.call" ||
		blocked.GetTimeUnixNano() != uint64(r.Timestamp.UnixNano()) {
		t.Errorf("blocked is %v, and allowed %v", blocked, allowed)
	}
	for name, want := range map[string]string{
		"event.action": "getJiraIssue", "user.email": "ana@acme.test", "sallyport.decision": "blocked", "sallyport.rule.id": "r1", "sallyport.rule.number": "3",
	} {
		if attribute(blocked, name) != want {
			t.Errorf("%s is %q, want %q", name, attribute(blocked, name), want)
		}
	}
	body := blocked.GetBody().GetStringValue()
	whole, err := activity.Parse([]byte(body))
	if err != nil || whole.User == nil || whole.User.Name != "Ana" || whole.HTTP.Response.StatusCode != 200 || strings.Contains(body, "OPS-12") {
		t.Errorf("the body is %s (%v): want the record without arguments", body, err)
	}
	f.ended("under way", 500)
	if late := f.collector.waits(3)["under way"]; attribute(late[0], "sallyport.outcome") != activity.OutcomeHTTPError {
		t.Errorf("the call under way was sent as %v", late)
	}
}

func TestArgumentsAreSentWhereThatIsSet(t *testing.T) {
	f := openForwarding(t)
	f.replica("a", func(c *accesslog.Config) { c.OTLP.Arguments = true })
	f.began()
	r := decision("with arguments")
	r.Sallyport.Arguments = []byte(`{"key":"OPS-12"}`)
	f.decided("with arguments", r)
	f.ended("with arguments", 200)
	if body := f.collector.waits(1)["with arguments"][0].GetBody().GetStringValue(); !strings.Contains(body, `"arguments":{"key":"OPS-12"}`) {
		t.Errorf("the body is %s", body)
	}
}

// TestNothingIsLostWhileTheCollectorIsAway records 500 calls while it answers in all ways that pass.
func TestNothingIsLostWhileTheCollectorIsAway(t *testing.T) {
	f := openForwarding(t)
	log, _ := f.replica("a", nil)
	f.began()
	answers := []int{503, 429, 401, 302, 200}
	n := 0
	f.collector.answers(func(w http.ResponseWriter, _ []*logspb.LogRecord) bool {
		status := answers[n%len(answers)]
		n++
		if status == 429 {
			w.Header().Set("Retry-After", "1")
		}
		if status == 302 {
			w.Header().Set("Location", "/elsewhere")
		}
		// A 200 with a page is of something else than a collector.
		http.Error(w, "not now", status)
		return true
	})
	const calls = 500
	for i := range calls {
		f.call(fmt.Sprint("call ", i))
	}
	f.indexed(calls)
	for deadline := time.Now().Add(60 * time.Second); f.collector.asked() < len(answers); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it was asked %d times", f.collector.asked())
		}
	}
	behind := f.delivery(func(d *state.Delivery) bool { return d.Error != "" && !d.Oldest.IsZero() })
	if late := f.metric("delivery_behind_seconds"); behind.FailingSince.IsZero() || late <= 0 || f.metric("delivery_failures_total") == 0 {
		t.Errorf("it is as %+v, and %v s late", behind, late)
	}
	f.collector.answers(nil)
	got := f.collector.waits(calls)
	for i := range calls {
		if len(got[fmt.Sprint("call ", i)]) == 0 {
			t.Errorf("call %d wasn't sent", i)
		}
	}
	well := f.delivery(func(d *state.Delivery) bool { return d.Error == "" && d.Oldest.IsZero() })
	if well.Refused != 0 || f.metric("delivery_behind_seconds") != 0 || f.metric("delivered_total") != calls {
		t.Errorf("it is as %+v, and %v were delivered", well, f.metric("delivered_total"))
	}
	if strings.Count(log.String(), "delivering to sink") != 2 || !strings.Contains(log.String(), "works again") {
		t.Error("want one line that it fails, and one that it works again")
	}
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	f := openForwarding(t)
	f.replica("a", nil)
	f.began()
	var first time.Time
	f.collector.answers(func(w http.ResponseWriter, _ []*logspb.LogRecord) bool {
		if !first.IsZero() {
			return false
		}
		first = time.Now()
		w.Header().Set("Retry-After", "2")
		http.Error(w, "busy", http.StatusTooManyRequests)
		return true
	})
	f.call("one")
	f.collector.waits(1)
	if waited := time.Since(first); waited < 2*time.Second {
		t.Errorf("it was asked again after %v", waited)
	}
}

// TestOneRefusedRecordHoldsUpNothing has the collector refuse one record for what it is.
func TestOneRefusedRecordHoldsUpNothing(t *testing.T) {
	f := openForwarding(t)
	log, _ := f.replica("a", nil)
	f.began()
	f.collector.answers(func(w http.ResponseWriter, records []*logspb.LogRecord) bool {
		for _, r := range records {
			if attribute(r, "event.id") == "call 7" {
				http.Error(w, "no sevens", http.StatusBadRequest)
				return true
			}
		}
		return false
	})
	for i := range 20 {
		f.call(fmt.Sprint("call ", i))
	}
	got := f.collector.waits(19)
	d := f.delivery(func(d *state.Delivery) bool { return d.Refused > 0 })
	if got["call 7"] != nil || d.Refused != 1 || !strings.HasPrefix(d.LastRefused, "call 7: ") || !strings.Contains(d.LastRefused, "no sevens") {
		t.Errorf("it is as %+v", d)
	}
	if !strings.Contains(log.String(), `"event.id":"call 7"`) {
		t.Error("the log doesn't say which was refused")
	}
}

// TestWhatRefusesEverythingIsWaitedFor shows that records aren't given up to something that is no collector.
func TestWhatRefusesEverythingIsWaitedFor(t *testing.T) {
	f := openForwarding(t)
	f.replica("a", nil)
	f.began()
	f.collector.answers(func(w http.ResponseWriter, _ []*logspb.LogRecord) bool {
		http.Error(w, "no", http.StatusBadRequest)
		return true
	})
	f.call("one")
	d := f.delivery(func(d *state.Delivery) bool { return d.Error != "" })
	if d.Refused != 0 {
		t.Errorf("it is as %+v", d)
	}
	f.collector.answers(nil)
	f.collector.waits(1)
}

func TestPartialSuccessIsCounted(t *testing.T) {
	f := openForwarding(t)
	f.replica("a", nil)
	f.began()
	f.collector.answers(func(w http.ResponseWriter, records []*logspb.LogRecord) bool {
		f.collector.take(records, "a")
		partly(w, 1, "one was too old")
		return true
	})
	f.call("one")
	d := f.delivery(func(d *state.Delivery) bool { return d.Refused > 0 })
	if d.Refused != 1 || d.LastRefused != "one: one was too old" || len(f.collector.got()["one"]) != 1 {
		t.Errorf("it is as %+v", d)
	}
}

func TestOneReplicaSendsAndAnotherTakesOver(t *testing.T) {
	f := openForwarding(t)
	_, end := f.replica("a", nil)
	f.began()
	_, endB := f.replica("b", nil)
	for i := range 50 {
		f.call(fmt.Sprint("call ", i))
	}
	f.collector.waits(50)
	end()
	for i := range 50 {
		f.call(fmt.Sprint("later call ", i))
	}
	got := f.collector.waits(100)
	endB()
	for id, sent := range got {
		if len(sent) != 1 {
			t.Errorf("%s was sent %d times", id, len(sent))
		}
	}
	from := strings.Join(f.collector.from, "")
	if strings.Trim(strings.TrimLeft(from, "a"), "b") != "" || !strings.HasPrefix(from, "a") || !strings.HasSuffix(from, "b") {
		t.Errorf("requests were sent by %q: want a's, then b's", from)
	}
}

// TestWhatHasNoOutcomeIsSentAsUnknown has a call whose outcome comes only after it was given up.
func TestWhatHasNoOutcomeIsSentAsUnknown(t *testing.T) {
	f := openForwarding(t)
	document, err := decision("lost").JSON()
	must(t, err)
	entry := decisionEntry(index, "lost", string(document))
	// The stream says when something was written down.
	entry.ID = fmt.Sprintf("%d-0", time.Now().Add(-6*time.Minute).UnixMilli())
	must(t, f.redis.XAdd(t.Context(), entry).Err())
	f.decided("under way", decision("under way"))
	f.replica("a", func(c *accesslog.Config) { c.OTLP.Since = time.Now().Add(-time.Hour) })
	got := f.collector.waits(1)
	if attribute(got["lost"][0], "sallyport.outcome") != activity.OutcomeUnknown || got["under way"] != nil {
		t.Errorf("sent are %v", got)
	}
	f.ended("lost", 200)
	f.ended("under way", 200)
	got = f.collector.waits(2)
	if again := got["lost"]; len(again) != 2 || attribute(again[1], "sallyport.outcome") != activity.OutcomeOK {
		t.Errorf("the outcome that came later was sent as %v", again)
	}
}
