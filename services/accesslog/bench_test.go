package accesslog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// stackHeap is the heap of the native stack's Elasticsearch (tools/stack/native), in MiB.
const stackHeap = 512

// BenchmarkIndexing measures accesslog as a process of its own, with a Redis and an Elasticsearch that are set up
// as the native stack's: first how it catches up with 50,000 calls that wait, then at steady rates of calls,
// ten seconds each. Each call is two entries, its decision and its outcome. Run it with -benchtime 1x.
func BenchmarkIndexing(b *testing.B) {
	redisServer := redistest.StartSyncing(b, "everysec")
	client := redis.NewClient(&redis.Options{Addr: redisServer.Address, PoolSize: 4})
	b.Cleanup(func() { _ = client.Close() })
	elasticsearch := elastictest.StartSized(b, stackHeap)
	b.Cleanup(elasticsearch.Stop)
	program := filepath.Join(b.TempDir(), "accesslog")
	out, err := exec.Command("go", "build", "-o", program, "./cmd/accesslog").CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	calls := newCalls(client)
	begin := func(b *testing.B) *meter {
		b.Helper()
		accesslog := exec.Command(program, "--listen", nativetest.FreeAddress(b), "--ops-listen", nativetest.FreeAddress(b),
			"--redis", redisServer.Address, "--elasticsearch", elasticsearch.URL)
		must(b, accesslog.Start())
		b.Cleanup(func() { _ = accesslog.Process.Kill(); _ = accesslog.Wait() })
		return &meter{redis: client, parts: map[string]int{"accesslog": accesslog.Process.Pid, "redis": redisServer.PID(), "elasticsearch": elasticsearch.PID()}}
	}
	b.Run("catching-up", func(b *testing.B) {
		const waiting = 50_000
		for from := 0; from < waiting; from += 20 {
			must(b, calls.step(b.Context(), 20))
		}
		must(b, calls.settle(b.Context()))
		m := begin(b)
		m.start(b)
		for m.length(b) > 0 {
			time.Sleep(20 * time.Millisecond)
		}
		m.report(b, waiting)
	})
	for _, rate := range []int{200, 500, 1000, 2000} {
		b.Run(fmt.Sprintf("steady=%d", rate), func(b *testing.B) {
			m := begin(b)
			m.start(b)
			ctx, stop := context.WithTimeout(b.Context(), 10*time.Second)
			defer stop()
			made := calls.steadily(ctx, rate, func() { m.length(b) })
			m.report(b, made)
			must(b, calls.settle(b.Context()))
			for m.length(b) > 0 { // the next one begins with nothing
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

// BenchmarkRow measures how long it takes from the end of a call's answer, as its caller sees it, until a search
// finds its record with what came of it. The call goes through the Envoy that is shipped, and beside it 200
// calls a second are indexed.
func BenchmarkRow(b *testing.B) {
	elasticsearch := elastictest.StartSized(b, stackHeap)
	b.Cleanup(elasticsearch.Stop)
	f := openFrontWith(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asJSON(result)(w) }), elasticsearch.URL)
	calls := newCalls(f.redis)
	go calls.steadily(b.Context(), 200, func() {})
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		id := fmt.Sprintf("row-%d-%d", time.Now().UnixNano(), n)
		must(b, f.redis.XAdd(b.Context(), decisionEntry(today(), id, calls.decision(id))).Err())
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, f.url, strings.NewReader(`{}`))
		must(b, err)
		request.Header.Set("record", id)
		request.Header.Set("index", today())
		response, err := http.DefaultClient.Do(request)
		must(b, err)
		_, err = io.Copy(io.Discard, response.Body)
		must(b, err)
		response.Body.Close()
		ended := time.Now()
		for !isFound(b, elasticsearch.URL, id) {
			time.Sleep(5 * time.Millisecond)
		}
		took = append(took, time.Since(ended))
	}
	b.ReportMetric(percentile(took, 50), "p50-ms")
	b.ReportMetric(percentile(took, 99), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// today is the index of today.
func today() string { return activity.IndexOf(time.Now(), true) }

// isFound searches a record that has its outcome.
func isFound(b *testing.B, elasticsearch, id string) bool {
	b.Helper()
	query := fmt.Sprintf(`{"size":0,"query":{"bool":{"filter":[{"term":{"event.id":%q}},{"exists":{"field":"sallyport.outcome"}}]}}}`, id)
	response, err := http.Post(elasticsearch+"/sallyport-activity-*/_search?allow_no_indices=true", "application/json", strings.NewReader(query))
	must(b, err)
	defer response.Body.Close()
	var answer struct {
		Hits struct{ Total struct{ Value int } }
	}
	return json.NewDecoder(response.Body).Decode(&answer) == nil && answer.Hits.Total.Value > 0
}

// calls writes halves of records into the stream, as authz and accesslog do, of about 1.4 kB in all.
type calls struct {
	redis *redis.Client
	// prefix begins their ids; made is how many have begun, and ended how many of them have ended.
	prefix      string
	made, ended int
	// begun is how many began in each of the last steps.
	begun []int
}

func newCalls(client *redis.Client) *calls {
	return &calls{redis: client, prefix: fmt.Sprint(time.Now().UnixNano())}
}

func (c *calls) id(n int) string { return fmt.Sprintf("%s-%012d", c.prefix, n) }

func (c *calls) decision(id string) string {
	r := decision(id)
	r.Timestamp = time.Now()
	r.User = &activity.User{ID: "712020:ana", Name: "Ana Ito", Email: "ana@acme.test", Group: activity.Group{ID: []string{"1", "2"}, Name: []string{"developers", "jira-users"}}}
	r.UserAgent, r.Source = &activity.UserAgent{Original: "claude-code/2.1"}, &activity.Source{IP: "192.0.2.7"}
	r.Sallyport.Client = &activity.Client{Key: "claude-code", Name: "Claude Code", Class: "claimed"}
	r.Sallyport.Rule, r.Sallyport.PolicyVersion = &activity.Rule{ID: "r1", Number: 1, Note: "Everybody may read"}, 3
	arguments := fmt.Sprintf(`{"cloudId":"acme.atlassian.net","jql":"project = OPS AND text ~ \"printer %s\" ORDER BY created DESC","fields":["summary","status","assignee"],"maxResults":50}`, id)
	r.Sallyport.Arguments = []byte(arguments)
	text, _ := r.JSON() // it is made of texts
	return string(text)
}

const outcomeOfCall = `{"event":{"outcome":"success","duration":130000000},"http":{"response":{"status_code":200,"body":{"bytes":5120}}},"sallyport":{"outcome":"ok","upstream_latency":120000000}}`

// answeredAfter is how many steps a call takes: at steady rates 160 ms.
const answeredAfter = 8

// step appends the decisions of so many calls that begin, and the outcomes of those that end.
func (c *calls) step(ctx context.Context, begin int) error {
	end := 0
	c.begun = append(c.begun, begin)
	if len(c.begun) > answeredAfter {
		end, c.begun = c.begun[0], c.begun[1:]
	}
	return c.append(ctx, begin, end)
}

// settle appends the outcomes that are missing.
func (c *calls) settle(ctx context.Context) error {
	c.begun = nil
	return c.append(ctx, 0, c.made-c.ended)
}

func (c *calls) append(ctx context.Context, begin, end int) error {
	_, err := c.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		add := func(kind, id, document string) {
			pipe.XAdd(ctx, &redis.XAddArgs{Stream: "{sallyport}:activity", Values: []any{"kind", kind, "id", id, "index", today(), "doc", document}})
		}
		for n := range begin {
			add("decision", c.id(c.made+n), c.decision(c.id(c.made+n)))
		}
		for n := range end {
			add("outcome", c.id(c.ended+n), outcomeOfCall)
		}
		return nil
	})
	c.made, c.ended = c.made+begin, c.ended+end
	return err
}

// steadily appends calls at a rate, in steps of 20 ms, until ctx ends, and returns how many.
func (c *calls) steadily(ctx context.Context, rate int, each func()) int {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	began, first := time.Now(), c.made
	for {
		select {
		case <-ctx.Done():
			return c.made - first
		case <-tick.C:
		}
		due := int(time.Since(began).Seconds()*float64(rate)) - (c.made - first)
		if c.step(ctx, due) != nil {
			return c.made - first
		}
		each()
	}
}

// meter measures the stream, and what the parts take.
type meter struct {
	redis   *redis.Client
	parts   map[string]int
	began   time.Time
	before  map[string]usage
	lengths []int64
	behind  []time.Duration
}

func (m *meter) start(b *testing.B) {
	b.Helper()
	m.began, m.before = time.Now(), map[string]usage{}
	for name, pid := range m.parts {
		m.before[name] = usageOf(b, pid)
	}
	b.ResetTimer()
}

// length is how many entries wait; how long the oldest has waited is noted with it.
func (m *meter) length(b *testing.B) int64 {
	b.Helper()
	length, err := m.redis.XLen(b.Context(), "{sallyport}:activity").Result()
	must(b, err)
	oldest, err := m.redis.XRangeN(b.Context(), "{sallyport}:activity", "-", "+", 1).Result()
	must(b, err)
	m.lengths = append(m.lengths, length)
	if len(oldest) > 0 {
		m.behind = append(m.behind, time.Since(positionTime(oldest[0].ID)))
	}
	return length
}

func (m *meter) report(b *testing.B, calls int) {
	b.Helper()
	took := time.Since(m.began)
	b.ReportMetric(float64(calls)/took.Seconds(), "calls/s")
	b.ReportMetric(float64(slices.Max(m.lengths)), "stream-max")
	b.ReportMetric(percentile(m.behind, 99), "behind-p99-ms")
	for name, pid := range m.parts {
		now := usageOf(b, pid)
		b.ReportMetric((now.cpu-m.before[name].cpu).Seconds()/took.Seconds()*100, name+"-cpu-%")
		b.ReportMetric(float64(now.memory>>20), name+"-MiB")
	}
	b.ReportMetric(0, "ns/op")
}

// positionTime is when an entry was appended.
func positionTime(position string) time.Time {
	var milliseconds int64
	_, _ = fmt.Sscanf(state.Sequence(position), "%20d", &milliseconds)
	return time.UnixMilli(milliseconds)
}

// usage is what a process and its children have taken: CPU so far, and memory now.
type usage struct {
	cpu    time.Duration
	memory int64
}

// usageOf reads it from /proc, which Linux has: elsewhere it is nothing.
func usageOf(b *testing.B, pid int) usage {
	b.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	var sum usage
	family := map[int]bool{pid: true}
	for range 3 { // parents may come after their children
		sum = usage{}
		for _, file := range all {
			text, err := os.ReadFile(file)
			if err != nil {
				continue // it has ended
			}
			_, rest, _ := strings.Cut(string(text), ") ")
			var id, parent int
			var user, system, pages int64
			_, _ = fmt.Sscan(filepath.Base(filepath.Dir(file)), &id)
			fields := strings.Fields(rest)
			if len(fields) < 22 {
				continue
			}
			_, _ = fmt.Sscan(strings.Join([]string{fields[1], fields[11], fields[12], fields[21]}, " "), &parent, &user, &system, &pages)
			if id != pid && !family[parent] {
				continue
			}
			family[id] = true
			const tick = 10 * time.Millisecond // of USER_HZ, which is 100
			sum.cpu += time.Duration(user+system) * tick
			sum.memory += pages * int64(os.Getpagesize())
		}
	}
	return sum
}

// percentile of durations in milliseconds.
func percentile(of []time.Duration, p int) float64 {
	if len(of) == 0 {
		return 0
	}
	of = slices.Sorted(slices.Values(of))
	return float64(of[min(len(of)*p/100, len(of)-1)].Microseconds()) / 1000
}
