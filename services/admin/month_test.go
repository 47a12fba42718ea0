package admin_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/policy"
)

const (
	// monthDays is how far back the records of a month go.
	monthDays = 30
	// monthPeople is how many people acme has.
	monthPeople = 2000
	// monthBatch is how many records one bulk request has, and monthWriters how many are sent at once.
	monthBatch, monthWriters = 2000, 2
)

// month writes what acme's assistants did in the 30 days before a time, as accesslog does. Few people and
// tools make most of the calls, most of them on workdays between eight and six; some are blocked, fail or are
// never answered.
type month struct {
	acme
	end     time.Time
	records int
	// worked is how much work was done up to each hour, as a part of all of it.
	worked []float64
}

func newMonth(b *testing.B, records int, end time.Time) *month {
	b.Helper()
	m := &month{end: end, records: records, worked: make([]float64, monthDays*24+1)}
	m.rand = rand.New(rand.NewPCG(1, 2))
	m.engine = compiled(b, &policy.Policy{Default: policy.Allow, Rules: []policy.Rule{
		{ID: "deletes", Operation: "delete*", Effect: policy.Deny, Note: "Assistants may never delete anything"},
		{ID: "contractors", Who: "group:contractors", Operation: "confluence write*", Effect: policy.Deny, Note: "Contractors read Confluence"},
		{ID: "unknown", Client: "acme-helper", Operation: "write*", Effect: policy.Deny, Note: "Only known assistants may write"},
	}})
	m.choose = m.zipf
	for hour := range monthDays * 24 {
		at := m.hour(hour)
		work := 0.05
		if weekday := at.Weekday(); weekday != time.Saturday && weekday != time.Sunday && at.Hour() >= 8 && at.Hour() < 18 {
			work = 1
		}
		m.worked[hour+1] = m.worked[hour] + work
	}
	return m
}

func (m *month) hour(n int) time.Time { return m.end.Add(time.Duration(n-monthDays*24) * time.Hour) }

// zipf picks one of n so that the k-th is picked about 1/k as often as the first.
func (m *month) zipf(n int) int {
	return min(int(math.Exp(m.rand.Float64()*math.Log(float64(n)+1)))-1, n-1)
}

// at is when the n-th call was made, in order.
func (m *month) at(n int) time.Time {
	done := (float64(n) + m.rand.Float64()) / float64(m.records) * m.worked[len(m.worked)-1]
	hour := 0
	for low, high := 0, len(m.worked)-1; low < high; {
		middle := (low + high + 1) / 2
		if m.worked[middle] <= done {
			low = middle
		} else {
			high = middle - 1
		}
		hour = low
	}
	hour = min(hour, len(m.worked)-2)
	part := (done - m.worked[hour]) / (m.worked[hour+1] - m.worked[hour])
	return m.hour(hour).Add(time.Duration(min(part, 1) * float64(time.Hour-time.Second)))
}

// call is one call with what became of it.
func (m *month) call(b *testing.B, n int) activity.Record {
	b.Helper()
	r, _ := m.record(b, fmt.Sprintf("%08x-93d5-4e0a-8c77-5a2e9d04f1b3", n), m.at(n), monthPeople)
	own := &r.Sallyport
	ours := time.Duration(m.rand.ExpFloat64()*float64(time.Millisecond)) + time.Millisecond
	if own.Decision == activity.Blocked {
		r.Event.Outcome, r.Event.Duration = "failure", ours.Nanoseconds()
		r.HTTP.Response = &activity.Response{StatusCode: 200, Body: activity.Body{Bytes: 420}}
		return r
	}
	// Answers take 300 ms as a rule and some much longer.
	theirs := time.Duration(300 * math.Exp(m.rand.NormFloat64()*0.8) * float64(time.Millisecond))
	r.Event.Duration, own.UpstreamLatency = (ours + theirs).Nanoseconds(), theirs.Nanoseconds()
	r.HTTP.Response = &activity.Response{StatusCode: 200, Body: activity.Body{Bytes: int64(2000 * math.Exp(m.rand.NormFloat64()))}}
	own.Outcome = activity.OutcomeOK
	switch fate := m.rand.IntN(1000); {
	case fate < 30:
		own.Outcome, r.Event.Outcome = activity.OutcomeToolError, "failure"
	case fate < 42:
		own.Outcome, r.Event.Outcome = activity.OutcomeHTTPError, "failure"
		r.HTTP.Response.StatusCode = []int{503, 429, 401, 500}[m.zipf(4)]
	case fate < 45:
		own.Outcome, own.UpstreamLatency, r.Event.Outcome, r.Event.Duration, r.HTTP.Response = activity.OutcomeUnknown, 0, "unknown", 0, nil
	}
	return r
}

// write puts all into Elasticsearch and says how far it is.
func (m *month) write(b *testing.B, address string) {
	b.Helper()
	transport, err := elastic.Open(address)
	if err != nil {
		b.Fatal(err)
	}
	bodies, failed := make(chan *bytes.Buffer, monthWriters), make(chan error, monthWriters)
	var writers sync.WaitGroup
	for range monthWriters {
		writers.Go(func() {
			for body := range bodies {
				err := bulk(b.Context(), transport, body)
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	began, said := time.Now(), time.Now()
	for from := 0; from < m.records; from += monthBatch {
		body := &bytes.Buffer{}
		for n := from; n < min(from+monthBatch, m.records); n++ {
			r := m.call(b, n)
			document, err := r.JSON()
			if err != nil {
				b.Fatal(err)
			}
			fmt.Fprintf(body, "{\"create\":{\"_index\":%q,\"_id\":%q}}\n%s\n", activity.IndexOf(r.Timestamp, true), r.Event.ID, document)
		}
		select {
		case bodies <- body:
		case err := <-failed:
			b.Fatal(err)
		}
		if time.Since(said) > 2*time.Second {
			said = time.Now()
			fmt.Printf("# %d of %d records, %.0f a second\n", from, m.records, float64(from)/time.Since(began).Seconds())
		}
	}
	close(bodies)
	writers.Wait()
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
	refresh(b, transport)
	fmt.Printf("# %d records in %v\n", m.records, time.Since(began).Round(time.Second))
}

func bulk(ctx context.Context, transport esapi.Transport, body io.Reader) error {
	response, err := esapi.BulkRequest{Body: body, FilterPath: []string{"errors", "items.*.error"}}.Do(ctx, transport)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.IsError() || !strings.Contains(string(answer), `"errors":false`) {
		return fmt.Errorf("Elasticsearch answered %s: %.500s", response.Status(), answer)
	}
	return nil
}

func refresh(b *testing.B, transport esapi.Transport) {
	b.Helper()
	send(b, transport, esapi.IndicesRefreshRequest{Index: []string{activity.Actions}})
}

// send sends a request whose answer doesn't matter.
func send(b *testing.B, transport esapi.Transport, request esapi.Request) {
	b.Helper()
	response, err := request.Do(b.Context(), transport)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	err = elastic.Failure(response)
	if err != nil {
		b.Fatal(err)
	}
}
