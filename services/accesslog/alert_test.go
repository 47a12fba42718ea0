package accesslog_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/services/accesslog"
	"sallyport/services/accesslog/alert"
	sinkconfig "sallyport/services/accesslog/sink"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// hook is where alerts are posted.
type hook struct {
	t    *testing.T
	file string

	mu     sync.Mutex
	status int
	posted []map[string]any
}

func startHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{t: t, status: http.StatusOK, file: filepath.Join(t.TempDir(), "webhook")}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	must(t, os.WriteFile(h.file, []byte(server.URL+"/secret-path\n"), 0o600))
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var one map[string]any
	h.mu.Lock()
	defer h.mu.Unlock()
	if json.Unmarshal(body, &one) != nil || r.URL.Path != "/secret-path" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(h.status)
	if h.status == http.StatusOK {
		h.posted = append(h.posted, one)
	}
}

func (h *hook) answers(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// texts are what was posted, in order, of one kind of alerts.
func (h *hook) texts(kind string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []string
	for _, one := range h.posted {
		if one["alert"] == kind {
			list = append(list, fmt.Sprint(one["text"]))
		}
	}
	return list
}

// waits waits until so many were posted.
func (h *hook) waits(kind string, alerts int) []string {
	h.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := h.texts(kind)
		if len(got) >= alerts {
			return got
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d of %d alerts were posted: %q", len(got), alerts, got)
		}
	}
}

// alerting starts an accesslog with alerts and a webhook, and waits until it looks.
func (f *forwarding) alerting(h *hook, change func(*alert.Config)) func() {
	f.t.Helper()
	_, end := f.replica("a", func(c *accesslog.Config) {
		c.OTLP = sinkconfig.Config{}
		c.Alerts = alert.Config{FirstBlock: true, NewClient: true, BlockRate: 0.5, BlockRateCalls: 20, WebhookFile: h.file}
		if change != nil {
			change(&c.Alerts)
		}
	})
	for _, name := range []string{"alerts", "webhook"} {
		f.deliveryOf(name, func(d *state.Delivery) bool { return d.Begun })
	}
	return end
}

// tried is a call of Ana's, of a kind of an assistant, blocked by a rule or allowed.
func tried(id, client string, rule *activity.Rule) activity.Record {
	r := decision(id)
	r.User = &activity.User{ID: "712020:ana", Name: "Ana Ng", Email: "ana@acme.test"}
	r.Sallyport.Client = &activity.Client{Key: client, Name: "Claude Code", Class: "claimed"}
	if rule != nil {
		r.Sallyport.Decision, r.Sallyport.Rule = activity.Blocked, rule
	}
	return r
}

var never = &activity.Rule{ID: "r1", Number: 3, Note: "never delete"}

func TestFirstBlocksAndNewClients(t *testing.T) {
	f, h := openForwarding(t), startHook(t)
	// What was recorded before alerts were there is known.
	f.decided("old", tried("old", "cursor", &activity.Rule{ID: "r0", Number: 1}))
	f.indexed(1)
	end := f.alerting(h, nil)
	f.decided("1", tried("1", "cursor", &activity.Rule{ID: "r0", Number: 1}))
	f.decided("2", tried("2", "claude-code", nil))
	f.decided("3", tried("3", "claude-code", never))
	f.decided("4", tried("4", "claude-code", never))
	f.decided("5", tried("5", "claude-code", &activity.Rule{ID: "r2", Number: 4}))
	wantBlocks := []string{
		`Ana Ng (ana@acme.test) was blocked for the first time by rule 3 ("never delete"): getJiraIssue with Claude Code (claude-code, claimed). See it: sallyport log show 3`,
		`Ana Ng (ana@acme.test) was blocked for the first time by rule 4: getJiraIssue with Claude Code (claude-code, claimed). See it: sallyport log show 5`,
	}
	if got := h.waits("first_block", 2); !slices.Equal(got, wantBlocks) {
		t.Errorf("got %q", got)
	}
	wantClients := []string{`Claude Code (claude-code, claimed) made its first call, for Ana Ng (ana@acme.test): getJiraIssue. See it: sallyport log show 2`}
	if got := h.waits("new_client", 1); !slices.Equal(got, wantClients) {
		t.Errorf("got %q", got)
	}

	// Whoever starts next knows what was there, and an alert is a record.
	end()
	f.alerting(h, nil)
	f.decided("6", tried("6", "claude-code", never))
	f.decided("7", tried("7", "codex", never))
	h.waits("new_client", 2)
	if got := h.texts("first_block"); len(got) != 2 {
		t.Errorf("got %q", got)
	}
	raised := 0
	for id, r := range f.indexed(12) {
		if r.Event.Kind != activity.AlertKind {
			continue
		}
		raised++
		if r.Event.ID != id || r.Sallyport.Decision != "" || r.User.ID != "712020:ana" || r.Sallyport.Alert.Record == "" {
			t.Errorf("alert %s is %+v", id, r)
		}
	}
	if raised != 4 {
		t.Errorf("%d alerts are recorded, want 4", raised)
	}
}

// TestBlockRateAlertsOnce has the share rise, stay, fall, and rise again.
func TestBlockRateAlertsOnce(t *testing.T) {
	f, h := openForwarding(t), startHook(t)
	end := f.alerting(h, func(c *alert.Config) { c.FirstBlock, c.NewClient, c.BlockRateCalls = false, false, 10 })
	n := 0
	calls := func(count int, rule *activity.Rule) {
		for range count {
			n++
			f.decided(fmt.Sprint("r", n), tried(fmt.Sprint("r", n), "cursor", rule))
		}
	}
	calls(9, never)
	f.deliveryOf("alerts", func(d *state.Delivery) bool { return d.At["decided"] >= f.last() })
	if got := h.texts("block_rate"); len(got) > 0 {
		t.Errorf("9 calls are too few, and got %q", got)
	}
	calls(5, never)
	got := h.waits("block_rate", 1)
	if !strings.HasPrefix(got[0], "10 of 10 calls were blocked (100%) since ") || !strings.Contains(got[0], "sallyport log --decision blocked --since ") {
		t.Errorf("got %q", got)
	}
	// It remembers through a restart that it has said so, and what was called.
	f.deliveryOf("alerts", func(d *state.Delivery) bool { return d.At["decided"] >= f.last() })
	end()
	f.alerting(h, func(c *alert.Config) { c.FirstBlock, c.NewClient, c.BlockRateCalls = false, false, 10 })
	calls(1, never)
	calls(47, nil)
	calls(33, never)
	got = h.waits("block_rate", 2)
	if !strings.HasPrefix(got[1], "48 of 95 calls were blocked (50%)") {
		t.Errorf("got %q", got)
	}
	f.deliveryOf("alerts", func(d *state.Delivery) bool { return d.At["decided"] >= f.last() })
	if got = h.texts("block_rate"); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

// last is the place of the last that was written down.
func (f *forwarding) last() string {
	f.t.Helper()
	info, err := f.redis.XInfoStream(f.t.Context(), "{sallyport}:activity").Result()
	must(f.t, err)
	return state.Sequence(info.LastGeneratedID)
}

// TestAnAlertWaitsForItsWebhook has the webhook be away, and refuse one alert.
func TestAnAlertWaitsForItsWebhook(t *testing.T) {
	f, h := openForwarding(t), startHook(t)
	h.answers(http.StatusServiceUnavailable)
	f.alerting(h, nil)
	f.decided("1", tried("1", "<!channel>", nil))
	d := f.deliveryOf("webhook", func(d *state.Delivery) bool { return d.Error != "" })
	if strings.Contains(d.Error+d.To, "secret-path") || !strings.Contains(d.Error, "503") {
		t.Errorf("it is as %+v", d)
	}
	h.answers(http.StatusOK)
	if got := h.waits("new_client", 1)[0]; strings.Contains(got, "<!") {
		t.Errorf("got %q", got)
	}
	h.answers(http.StatusBadRequest)
	f.decided("2", tried("2", "codex", nil))
	d = f.deliveryOf("webhook", func(d *state.Delivery) bool { return d.Refused > 0 })
	h.answers(http.StatusOK)
	f.decided("3", tried("3", "gemini", nil))
	if got := h.waits("new_client", 2); !strings.Contains(got[1], "gemini") || d.Refused != 1 {
		t.Errorf("got %q, and it is as %+v", got, d)
	}
}

// TestAlertsAreSentToTheSink has no webhook.
func TestAlertsAreSentToTheSink(t *testing.T) {
	f := openForwarding(t)
	f.replica("a", func(c *accesslog.Config) { c.Alerts = alert.Config{NewClient: true} })
	f.began()
	f.deliveryOf("alerts", func(d *state.Delivery) bool { return d.Begun })
	f.decided("1", tried("1", "codex", nil))
	f.ended("1", 200)
	for _, sent := range f.collector.waits(2) {
		if attribute(sent[0], "event.kind") != "alert" {
			continue
		}
		message := attribute(sent[0], "message")
		if !strings.Contains(message, "made its first call") || sent[0].GetEventName() != "sallyport.alert" || !strings.Contains(sent[0].GetBody().GetStringValue(), `"message":"Claude Code (codex`) {
			t.Errorf("sent is %v", sent[0])
		}
	}
}
