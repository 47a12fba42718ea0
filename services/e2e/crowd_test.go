package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/services/internal/activity"
)

const (
	// crowdSize is how many clients call at the same time, half of them at each of two gateways.
	crowdSize = 50
	// crowdCalls bounds the calls of a crowd: Elasticsearch returns 10,000 records at once.
	crowdCalls = 9900
	// callsBetween is how many calls end at each gateway between two changes.
	callsBetween = 15
	// crowdTime bounds a wait for that, on a machine that has other work too.
	crowdTime = 30 * time.Second
)

// observed is one call of a crowd and what came of it. Changes are numbered: a call may be decided by
// any of them from the newest that was answered when it began to the newest that was asked for when
// it ended, and by no other.
type observed struct {
	// mark is in its arguments, and so in its record.
	mark     string
	gateway  int
	token    crowdToken
	from, to int64
	status   int
	text     string
	err      error
}

// crowdToken is an access token and the change that ends it, 0 for none.
type crowdToken struct {
	access string
	ends   int64
}

// crowd is 50 clients with connections of their own, each of which calls without a pause.
type crowd struct {
	mark            string
	answered, asked atomic.Int64
	ended           [2]atomic.Int64
	begun           atomic.Int64

	stop    context.CancelFunc
	running sync.WaitGroup
	mutex   sync.Mutex
	calls   []observed
}

// gather starts a crowd at two gateways. now is the change that holds at the start; token says which
// token a client uses for its next call.
func gather(t *testing.T, gateways [2]string, now int64, token func(client int) crowdToken) *crowd {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &crowd{mark: fmt.Sprintf("next%d", time.Now().UnixNano()), stop: stop}
	c.answered.Store(now)
	c.asked.Store(now)
	for client := range crowdSize {
		c.running.Go(func() {
			transport := &http.Transport{MaxConnsPerHost: 1}
			defer transport.CloseIdleConnections()
			for n := c.begun.Add(1); n <= crowdCalls && ctx.Err() == nil; n = c.begun.Add(1) {
				call := observed{mark: fmt.Sprintf("%s-%d", c.mark, n), gateway: client % 2, token: token(client), from: c.answered.Load()}
				// A call that is under way when the crowd goes home is waited for: it has a record too.
				call.status, call.text, call.err = send(context.WithoutCancel(ctx), &http.Client{Transport: transport, Timeout: crowdTime}, gateways[client%2], call)
				call.to = c.asked.Load()
				c.mutex.Lock()
				c.calls = append(c.calls, call)
				c.mutex.Unlock()
				c.ended[client%2].Add(1)
			}
		})
	}
	t.Cleanup(func() { stop(); c.running.Wait() })
	return c
}

// send makes a call at a gateway, by the name that both go by.
func send(ctx context.Context, client *http.Client, gateway string, call observed) (int, string, error) {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1","mark":%q}}}`, call.mark)
	request, err := newPost(ctx, call.token.access, []byte(body), nil)
	if err != nil {
		return 0, "", err
	}
	request.Host, request.URL.Host = request.URL.Host, gateway
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// unhurried is for calls beside a crowd.
var unhurried = &http.Client{Timeout: crowdTime}

// change makes change n, and lets the crowd call for a while when it is answered.
func (c *crowd) change(t *testing.T, n int64, what func() error) {
	t.Helper()
	c.asked.Store(n)
	err := what()
	if err != nil {
		t.Fatalf("change %d: %v", n, err)
	}
	c.answered.Store(n)
	c.watch(t)
}

// watch waits until calls that began after now have ended at both gateways.
func (c *crowd) watch(t *testing.T) {
	t.Helper()
	// Each client may have one call under way that began before.
	until := [2]int64{c.ended[0].Load() + crowdSize/2 + callsBetween, c.ended[1].Load() + crowdSize/2 + callsBetween}
	eventually(t, crowdTime, func() error {
		for gateway := range until {
			if got := c.ended[gateway].Load(); got < until[gateway] {
				return fmt.Errorf("%d of %d calls have ended at gateway %d, of %d that may be made in all", got, until[gateway], gateway, crowdCalls)
			}
		}
		return nil
	})
}

// leave ends the crowd and returns its calls.
func (c *crowd) leave() []observed {
	c.stop()
	c.running.Wait()
	return c.calls
}

// crowdRecords are the records of a crowd's calls by mark, once there are as many as wanted.
func crowdRecords(t *testing.T, c *crowd, want int) map[string]activity.Record {
	t.Helper()
	found := waitForRecords(t, activity.Actions, map[string]any{"prefix": map[string]any{"sallyport.arguments.mark": c.mark}}, want)
	records := map[string]activity.Record{}
	for _, r := range found {
		var arguments struct{ Mark string }
		err := json.Unmarshal(r.Sallyport.Arguments, &arguments)
		if err != nil {
			t.Fatal(err)
		}
		records[arguments.Mark] = r
	}
	if len(records) != want {
		t.Fatalf("%d records are of %d calls", want, len(records))
	}
	return records
}
