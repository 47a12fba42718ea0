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
	body                   []byte
}

// The tool that is called, and one that the rules deny to some.
const edits, deletes = "editJiraIssue", "deleteJiraIssue"

// callOf is a call of a tool with so many bytes of body, and an answer about as long.
func callOf(url, host, token string, size int, stream bool) call {
	begin, end := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},`+
		`"name":"`+edits+`","arguments":{"cloudId":"acme.atlassian.net","issueIdOrKey":"OPS-17","text":"`, `"}}}`
	if stream {
		end = `",` + streamMark + `}}}`
	}
	missing := max(0, size-len(begin)-len(end))
	filler := strings.Repeat("as a person writes it, ", missing/23+1)
	return call{url: url, host: host, token: token, tool: edits, body: []byte(begin + filler[:missing] + end)}
}

// of is the same call of another tool.
func (c call) of(tool string) call {
	c.body = bytes.Replace(c.body, []byte(c.tool), []byte(tool), 1)
	c.tool = tool
	return c
}

func (c call) header() http.Header {
	return http.Header{
		"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
		"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {c.tool},
		"Host": {c.host},
	}
}

// errBlocked is what a call was answered that a rule denies.
var errBlocked = errors.New("blocked")

// once makes the call once, and returns an error where what it is answered isn't the MCP server's own word: a
// refusal is an answer like any other to who only counts.
func (c call) once(ctx context.Context) error {
	status, text, err := c.send(ctx)
	if err != nil {
		return err
	}
	text = bytes.TrimPrefix(text, []byte("event: message\ndata: "))
	var answer struct {
		Result *struct{ IsError bool }
	}
	err = json.Unmarshal(text, &answer)
	if err == nil && answer.Result != nil && answer.Result.IsError {
		return fmt.Errorf("%s was answered %d with %w: %.300s", c.url, status, errBlocked, text)
	}
	if err != nil || answer.Result == nil {
		return fmt.Errorf("%s was answered %d with %.300s", c.url, status, text)
	}
	return nil
}

// send makes the call, and returns what it is answered.
func (c call) send(ctx context.Context) (status int, text []byte, _ error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(c.body))
	if err != nil {
		return 0, nil, err
	}
	request.Header, request.Host = c.header(), c.host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(response.Body)
	return response.StatusCode, text, err
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
