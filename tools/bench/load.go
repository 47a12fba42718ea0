package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	// callTimeout is how long an answer may take.
	callTimeout = 30 * time.Second
	// warmUp is how long calls are made before they are measured.
	warmUp = time.Second
)

// call is what is sent again and again.
type call struct {
	url, host, token, tool string
	// protocol is the version of MCP, and session a gateway's, empty for none.
	protocol, session string
	// prefix is what a gateway puts before the names of tools.
	prefix string
	body   []byte
}

// The tool that is called, and one that the rules deny to some.
const edits, deletes = "editJiraIssue", "deleteJiraIssue"

// callProtocol is the version of MCP in which calls are made.
const callProtocol = "2026-07-28"

// callBegins is how each call's body begins, before a gateway writes it anew.
const callBegins = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{`

// callMeta is what each call of that version of MCP says of it, and callText how its longest argument begins.
const (
	callMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + callProtocol + `","io.modelcontextprotocol/clientCapabilities":{}},`
	callText = `"text":"`
)

// callOf is a call of a tool with so many bytes of body, and an answer about as long.
func callOf(url, host, token string, size int, stream bool) call {
	begin, end := callBegins+callMeta+`"name":"`+edits+`","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-17",`+callText, `"}}}`
	if stream {
		end = `",` + streamMark + `}}}`
	}
	missing := max(0, size-len(begin)-len(end))
	filler := strings.Repeat("as a person writes it, ", missing/23+1)
	return call{url: url, host: host, token: token, tool: edits, protocol: callProtocol, body: []byte(begin + filler[:missing] + end)}
}

// of is the same call of another tool.
func (c call) of(tool string) call {
	c.body = bytes.Replace(c.body, []byte(c.tool), []byte(c.prefix+tool), 1)
	c.tool = c.prefix + tool
	return c
}

// within is the same call within a session of an older version of MCP, as long as before.
func (c call) within(session, protocol string) call {
	c.session, c.protocol = session, protocol
	c.body = bytes.Replace(c.body, []byte(callMeta), nil, 1)
	c.body = bytes.Replace(c.body, []byte(callText), []byte(callText+strings.Repeat(" ", len(callMeta))), 1)
	return c
}

func (c call) header() http.Header {
	header := http.Header{
		"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
		"Mcp-Protocol-Version": {c.protocol}, "Host": {c.host},
	}
	if c.protocol == callProtocol {
		header["Mcp-Method"], header["Mcp-Name"] = []string{"tools/call"}, []string{c.tool}
	}
	if c.session != "" {
		header["Mcp-Session-Id"] = []string{c.session}
	}
	return header
}

// errBlocked is what a call was answered that a rule denies.
var errBlocked = errors.New("blocked")

// once makes the call once, and returns an error where what it is answered isn't the MCP server's own word: a
// refusal is an answer like any other to who only counts.
func (c call) once(ctx context.Context) error {
	status, _, text, err := c.send(ctx)
	if err != nil {
		return err
	}
	var answer struct {
		Result *struct {
			IsError bool
			Content []struct{ Text string }
		}
	}
	err = json.Unmarshal(messageOf(text), &answer)
	if err == nil && answer.Result != nil && answer.Result.IsError {
		return fmt.Errorf("%s was answered %d with %w: %.300s", c.url, status, errBlocked, text)
	}
	if err != nil || answer.Result == nil || len(answer.Result.Content) != 1 || !strings.HasPrefix(answer.Result.Content[0].Text, answerText) {
		return fmt.Errorf("%s was answered %d with %.300s", c.url, status, text)
	}
	return nil
}

// messageOf is the first message of an answer, which may be a stream of events (SSE).
func messageOf(text []byte) []byte {
	_, data, found := bytes.Cut(text, []byte("data: "))
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) || !found {
		return text
	}
	data, _, _ = bytes.Cut(data, []byte("\n"))
	return data
}

// send makes the call, and returns what it is answered.
func (c call) send(ctx context.Context) (status int, header http.Header, text []byte, _ error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(c.body))
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header, request.Host = c.header(), c.host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(response.Body)
	return response.StatusCode, response.Header, text, err
}

// measured is what came of a load.
type measured struct {
	// Calls were answered, Failed not, or otherwise than by 200. Warm are those of Calls that were made while
	// connections were opened, and are in none of the figures below.
	Calls  int `json:"calls"`
	Failed int `json:"failed"`
	Warm   int `json:"warm"`
	// Rate is how many a second were answered.
	Rate float64 `json:"rate"`
	// P50, P99 and P999 are how long answers took, in milliseconds.
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p999_ms"`
}

// steady makes so many calls a second, whatever becomes of those before.
func steady(ctx context.Context, c call, rate int, lasts time.Duration) (measured, error) {
	return attack(ctx, c, vegeta.Rate{Freq: rate, Per: time.Second}, lasts, 10_000)
}

// saturated has so many assistants call again as soon as they are answered.
func saturated(ctx context.Context, c call, assistants int, lasts time.Duration) (measured, error) {
	return attack(ctx, c, vegeta.Rate{}, lasts, assistants)
}

func attack(ctx context.Context, c call, rate vegeta.Rate, lasts time.Duration, workers int) (measured, error) {
	attacker := vegeta.NewAttacker(vegeta.Workers(uint64(min(workers, 64))), vegeta.MaxWorkers(uint64(workers)),
		vegeta.Connections(workers), vegeta.Timeout(callTimeout), vegeta.HTTP2(false))
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: c.url, Body: c.body, Header: c.header()})
	var m measured
	var took []time.Duration
	why := ""
	began := time.Now()
	for result := range attacker.Attack(target, rate, warmUp+lasts, "") {
		if result.Code != http.StatusOK {
			m.Failed++
			why = fmt.Sprintf("%d %s", result.Code, result.Error)
			continue
		}
		m.Calls++
		if result.Timestamp.Before(began.Add(warmUp)) {
			m.Warm++
			continue
		}
		took = append(took, result.Latency)
	}
	elapsed := time.Since(began) - warmUp
	if ctx.Err() != nil {
		return m, ctx.Err()
	}
	if len(took) == 0 || m.Failed > m.Calls/1000 {
		return m, fmt.Errorf("%d of %d calls failed at %s: %s", m.Failed, m.Failed+m.Calls, c.url, why)
	}
	slices.Sort(took)
	m.Rate = float64(len(took)) / elapsed.Seconds()
	m.P50, m.P99, m.P999 = percentile(took, 0.5), percentile(took, 0.99), percentile(took, 0.999)
	return m, nil
}

// percentile is that of times from the shortest to the longest, in milliseconds; 0 of none.
func percentile(took []time.Duration, part float64) float64 {
	if len(took) == 0 {
		return 0
	}
	return took[min(int(float64(len(took))*part), len(took)-1)].Seconds() * 1000
}
