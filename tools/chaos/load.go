package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

const (
	// answerTimeout is how long an assistant waits for an answer.
	answerTimeout = 15 * time.Second
	// A part comes back within backAgain: Elasticsearch takes longest, where other things are done beside.
	backAgain = 10 * time.Minute
	// blockedEvery and poisonEvery say which calls are of the tool that the rule blocks, and which have
	// arguments that Elasticsearch refuses where the fault wants that.
	blockedEvery, poisonEvery = 5, 20
)

// answer is what an assistant learned of its call.
type answer int

const (
	// unanswered is a call whose answer was lost, or never came.
	unanswered answer = iota
	allowed
	blocked
	// refused is a call that Sallyport said it didn't take, with a reason.
	refused
)

// call is one call of an assistant.
type call struct {
	mark   string
	answer answer
	// poison is which of the poisons it has, counted from 1, 0 for none.
	poison int
	// at is when it was answered, and reason why it was refused or not answered.
	at     time.Time
	reason string
}

// load is assistants that call at a steady rate, whatever comes of the calls.
type load struct {
	url, mark string
	people    []oauth2.TokenSource
	rate      int
	client    *http.Client
	// poisoned says that some calls have arguments that Elasticsearch refuses.
	poisoned atomic.Bool

	mu       sync.Mutex
	calls    []call
	answered time.Time
	halt     context.CancelFunc
	ended    chan struct{}
}

// mark begins the marks of all calls of one fault.
func mark(fault string, seed uint64, started time.Time) string {
	return fmt.Sprintf("chaos-%s-%d-%x-", fault, seed, started.UnixMilli())
}

func newLoad(url string, people []oauth2.TokenSource, rate int, mark string) *load {
	return &load{url: url, mark: mark, people: people, rate: rate, ended: make(chan struct{}), client: &http.Client{
		Timeout:   answerTimeout,
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
	}}
}

// start begins to call.
func (l *load) start(ctx context.Context) {
	ctx, l.halt = context.WithCancel(ctx)
	go func() {
		defer close(l.ended)
		var calling sync.WaitGroup
		defer calling.Wait()
		tick := time.NewTicker(time.Second / time.Duration(l.rate))
		defer tick.Stop()
		// A ticker leaves out the ticks that a busy machine is late for; the calls are made all the same.
		started := time.Now()
		for made := 0; ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			due := int(time.Since(started).Seconds() * float64(l.rate))
			for n := made; n < due; n++ {
				calling.Go(func() { l.one(n) })
			}
			made = due
		}
	}()
}

// stop ends calling, and returns all calls once the last is answered or given up.
func (l *load) stop() []call {
	l.halt()
	<-l.ended
	l.client.CloseIdleConnections()
	return l.calls
}

// one makes call number n. It isn't cut off where calling ends: it would look as if Sallyport had.
func (l *load) one(n int) {
	c := call{mark: fmt.Sprintf("%s%d.", l.mark, n)}
	tool := "getJiraIssue"
	if n%blockedEvery == 0 {
		tool = "createJiraIssue"
	}
	more := ""
	if n%poisonEvery == 1 && l.poisoned.Load() {
		c.poison = 1 + n/poisonEvery%len(poisons)
		more = "," + poisons[c.poison-1]
	}
	token, err := l.people[n%len(l.people)].Token()
	if err != nil {
		return // the sign-in can't be renewed now: the assistant can't call at all
	}
	c.answer, c.reason = l.ask(token.AccessToken, tool, fmt.Sprintf(`{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-1","mark":%q%s}`, c.mark, more))
	c.at = time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
	if (c.answer == allowed || c.answer == blocked) && c.at.After(l.answered) {
		l.answered = c.at
	}
}

// ask calls a tool by MCP 2026-07-28, which needs no session.
func (l *load) ask(token, tool, arguments string) (answer, string) {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",`+
		`"io.modelcontextprotocol/clientCapabilities":{}},"name":%q,"arguments":%s}}`, tool, arguments)
	request, err := http.NewRequest(http.MethodPost, l.url, strings.NewReader(body)) //nolint:noctx // the client limits it
	if err != nil {
		return unanswered, err.Error()
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool,
	} {
		request.Header.Set(name, value)
	}
	response, err := l.client.Do(request)
	if err != nil {
		return unanswered, "no answer"
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return unanswered, "answer cut off"
	}
	return read(response.StatusCode, string(text))
}

// read says what an answer means.
func read(status int, text string) (answer, string) {
	switch {
	case status == http.StatusOK && strings.Contains(text, note):
		return blocked, ""
	case status == http.StatusOK && strings.Contains(text, `"result"`), strings.Contains(text, "Sallyport allowed the request"):
		return allowed, ""
	case status == http.StatusOK:
		return unanswered, "answer cut off"
	}
	_, sentence, _ := strings.Cut(text, `"message":"`)
	sentence, _, _ = strings.Cut(sentence, `"`)
	return refused, strings.TrimSpace(fmt.Sprintf("%d %s", status, sentence))
}

// answeredAgain waits until a call that ended after now was allowed or blocked.
func (l *load) answeredAgain(ctx context.Context) error {
	since := time.Now()
	for {
		l.mu.Lock()
		again := l.answered.After(since)
		l.mu.Unlock()
		if again {
			return nil
		}
		if time.Since(since) > backAgain {
			return fmt.Errorf("no call is answered %s after the fault's end", backAgain)
		}
		err := wait(ctx, 50*time.Millisecond)
		if err != nil {
			return err
		}
	}
}

// soFar returns the calls that have ended, whose answer is one.
func (l *load) soFar(of answer) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, c := range l.calls {
		if c.answer == of {
			n++
		}
	}
	return n
}
