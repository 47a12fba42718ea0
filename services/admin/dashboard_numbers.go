package admin

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
)

// countedRange is what Elasticsearch counted in one range, empty where there is no index yet: of the one before, the
// totals alone.
type countedRange struct {
	hitCount
	People        number `json:"people"`
	RequestBytes  number `json:"request_bytes"`
	ResponseBytes number `json:"response_bytes"`
	Allowed       struct {
		Count    int64    `json:"doc_count"`
		Outcomes topTerms `json:"outcomes"`
		Duration ranks    `json:"duration"`
		Upstream ranks    `json:"upstream"`
	} `json:"allowed"`
	Blocked struct {
		Count    int64    `json:"doc_count"`
		OverTime topTerms `json:"over_time"`
		Rules    topTerms `json:"rules"`
		Refusals topTerms `json:"refusals"`
		Default  docs     `json:"default"`
	} `json:"blocked"`
	Failed struct {
		OverTime topTerms `json:"over_time"`
		Statuses struct {
			Codes topTerms `json:"codes"`
		} `json:"statuses"`
	} `json:"failed"`
	OverTime   topTerms `json:"over_time"`
	Operations topTerms `json:"operations"`
	Addresses  topTerms `json:"addresses"`
	Accounts   struct {
		Most topTerms `json:"most"`
	} `json:"accounts"`
	Clients topTerms `json:"clients"`
}

// hitCount is how many documents a search has found.
type hitCount struct {
	Total struct {
		Value int64 `json:"value"`
	} `json:"total"`
}

// number is a count or a sum.
type number struct {
	Value float64 `json:"value"`
}

// docs is how many documents a filter has.
type docs struct {
	Count int64 `json:"doc_count"`
}

// ranks are percentiles, absent where nothing was measured.
type ranks struct {
	Values map[string]*float64 `json:"values"`
}

// topTerms are buckets of values, or of times.
type topTerms struct {
	Buckets []bucket `json:"buckets"`
}

// bucket is one value and how many documents have it. The key is a text, or a number.
type bucket struct {
	Key     json.RawMessage `json:"key"`
	Count   int64           `json:"doc_count"`
	Blocked docs            `json:"blocked"`
	Name    topTerms        `json:"name"`
	Last    struct {
		Hits struct {
			Hits []struct {
				Fields struct {
					Number []int32  `json:"sallyport.rule.number"`
					Note   []string `json:"sallyport.rule.note"`
				} `json:"fields"`
			} `json:"hits"`
		} `json:"hits"`
	} `json:"last"`
}

// at is the key of a bucket of time, which is in milliseconds.
func (b *bucket) at() time.Time {
	milliseconds, err := strconv.ParseInt(string(b.Key), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds)
}

// text is the key of any other bucket.
func (b *bucket) text() string {
	var text string
	if json.Unmarshal(b.Key, &text) != nil {
		return string(b.Key)
	}
	return text
}

// called is how people call it: as most of its documents do.
func (b *bucket) called() string {
	if len(b.Name.Buckets) == 0 {
		return ""
	}
	return b.Name.Buckets[0].text()
}

// people are those with an e-mail address and those without, the most first.
func (c *countedRange) people(top int) []*adminv1.DashboardCount {
	list := append(c.Addresses.counts(), c.Accounts.Most.counts()...)
	slices.SortStableFunc(list, func(a, b *adminv1.DashboardCount) int { return cmp.Compare(b.GetCalls(), a.GetCalls()) })
	return list[:min(top, len(list))]
}

func (t topTerms) counts() []*adminv1.DashboardCount {
	list := make([]*adminv1.DashboardCount, len(t.Buckets))
	for i := range t.Buckets {
		b := &t.Buckets[i]
		list[i] = &adminv1.DashboardCount{Key: b.text(), Name: b.called(), Calls: b.Count, Blocked: b.Blocked.Count}
	}
	return list
}

// refusals are counts of what was refused, and so blocked.
func (t topTerms) refusals() []*adminv1.DashboardCount {
	list := t.counts()
	for _, one := range list {
		one.Blocked = one.Calls
	}
	return list
}

func (t topTerms) rules() []*adminv1.DashboardRule {
	list := make([]*adminv1.DashboardRule, len(t.Buckets))
	for i := range t.Buckets {
		b := &t.Buckets[i]
		list[i] = &adminv1.DashboardRule{Id: b.text(), Blocked: b.Count}
		if hits := b.Last.Hits.Hits; len(hits) > 0 {
			list[i].Number, list[i].Note = first(hits[0].Fields.Number), first(hits[0].Fields.Note)
		}
	}
	return list
}

// totals are the numbers of the range.
func (c *countedRange) totals() *adminv1.DashboardTotals {
	t := &adminv1.DashboardTotals{
		Calls: c.Total.Value, Allowed: c.Allowed.Count, Blocked: c.Blocked.Count, People: int64(c.People.Value),
		RequestBytes: int64(c.RequestBytes.Value), ResponseBytes: int64(c.ResponseBytes.Value),
		Duration: latency(c.Allowed.Duration), Upstream: latency(c.Allowed.Upstream),
		Unanswered: c.Allowed.Count,
	}
	if t.Calls > 0 {
		t.BlockRate = float64(t.Blocked) / float64(t.Calls)
	}
	for i := range c.Allowed.Outcomes.Buckets {
		b := &c.Allowed.Outcomes.Buckets[i]
		switch b.text() {
		case activity.OutcomeUnknown, activity.OutcomeInFlight:
			continue
		case activity.OutcomeToolError:
			t.ToolErrors = b.Count
		case activity.OutcomeHTTPError:
			t.HttpErrors = b.Count
		}
		t.Unanswered -= b.Count
	}
	return t
}

// latency is nil where nothing was measured.
func latency(of ranks) *adminv1.DashboardLatency {
	p50, p95 := of.Values["50.0"], of.Values["95.0"]
	if p50 == nil || p95 == nil {
		return nil
	}
	return &adminv1.DashboardLatency{P50: durationpb.New(time.Duration(*p50)), P95: durationpb.New(time.Duration(*p95))}
}
