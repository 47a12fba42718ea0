package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 64 << 10

// answer is what a URL answered.
type answer struct {
	status          int
	header          http.Header
	body            []byte
	asked, answered time.Time
}

// direct follows no redirects, and goes through no proxy of this computer's: the other steps don't either.
var direct = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask sends a request. Nothing that it sends is secret.
func ask(ctx context.Context, method, address, body string) (*answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json, text/event-stream")
	request.Header.Set("User-Agent", "sallyport doctor")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	asked := time.Now()
	response, err := direct.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	a := &answer{status: response.StatusCode, header: response.Header, asked: asked, answered: time.Now()}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return a, err
}

// askMetadata reads a document of OAuth's.
func askMetadata(ctx context.Context, address string, into any) error {
	a, err := ask(ctx, http.MethodGet, address, "")
	if err != nil {
		return fmt.Errorf("it doesn't answer: %s", reason(err))
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("it answers %s", statusText(a.status))
	}
	if json.Unmarshal(a.body, into) != nil {
		return fmt.Errorf("what it answers isn't JSON")
	}
	return nil
}

func statusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// checkClock compares the Date of the answer with this computer's clock. It tells whole seconds.
func checkClock(_ context.Context, w *way) Finding {
	told, err := http.ParseTime(w.answer.header.Get("Date"))
	if err != nil {
		return Finding{State: Skipped, Sentence: "What answers doesn't say what time it is."}
	}
	return clockFinding(w.area, w.host, told, w.answer.asked.Add(-time.Second), w.answer.answered)
}
