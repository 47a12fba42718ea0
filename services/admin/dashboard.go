package admin

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
)

const (
	defaultTop = 10
	maxTop     = 50
	// topOfShard is how many values each day's index returns, so that their sums are right.
	topOfShard = 500
	// countedPeople is up to how many people are counted exactly.
	countedPeople = 3000
	// latencyDigits bounds the error of percentiles to 1 percent (HdrHistogram's significant digits).
	latencyDigits = 2
)

// DashboardServer counts what assistants did.
type DashboardServer struct {
	adminv1.UnsafeDashboardServiceServer
	elastic esapi.Transport
}

// GetDashboard returns the numbers of a time range and the one before, by one request to Elasticsearch.
func (s *DashboardServer) GetDashboard(ctx context.Context, request *adminv1.GetDashboardRequest) (*adminv1.GetDashboardResponse, error) {
	d, err := newDashboard(request, time.Now())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	before, within := &countedRange{}, &countedRange{}
	// Each search tells of some of the numbers, and leaves the others as they are.
	asked := []piece{
		{d.before, totalsAggregations(), before}, {d.within, d.topAggregations(), within},
		{d.within, d.causeAggregations(), within}, {d.within, d.timeAggregations(), within},
	}
	bodies := make([]object, len(asked))
	for i, one := range asked {
		bodies[i] = d.body(one.of, one.aggregations)
	}
	err = findTogether(ctx, s.elastic, []string{activity.Actions}, bodies, func(i int, answer json.RawMessage) error {
		into := asked[i].into
		return json.Unmarshal(answer, &struct {
			Hits         *hitCount
			Aggregations *countedRange
		}{&into.hitCount, into})
	})
	if err != nil {
		return nil, err
	}
	return d.response(within, before), nil
}

// piece is one of the searches that a dashboard is. There are several since Elasticsearch does them side by side, and since
// counting everything in one takes it longer than all of these. What has to fit together is in one of them.
type piece struct {
	of           span
	aggregations object
	into         *countedRange
}

// dashboard is what is asked for.
type dashboard struct {
	*timeline
	filters []object
	top     int
}

func newDashboard(request *adminv1.GetDashboardRequest, now time.Time) (*dashboard, error) {
	line, err := newTimeline(request, now)
	if err != nil {
		return nil, err
	}
	d := &dashboard{timeline: line, top: int(request.GetTop())}
	switch {
	case d.top < 0 || d.top > maxTop:
		return nil, status.Errorf(codes.InvalidArgument, "top is %d: it may be 1 to %d, or 0 for %d.", d.top, maxTop, defaultTop)
	case d.top == 0:
		d.top = defaultTop
	}
	for _, filter := range []struct{ name, value, field, other string }{
		{"user", request.GetUser(), "user.email", "user.id"}, {"client", request.GetClient(), "sallyport.client.key", "sallyport.client.name"},
	} {
		if len(filter.value) > maxFilter {
			return nil, status.Errorf(codes.InvalidArgument, "%s is longer than %d bytes.", filter.name, maxFilter)
		}
		if value := strings.TrimSpace(filter.value); value != "" {
			d.filters = append(d.filters, anyOf(equal(filter.field, value), equal(filter.other, value)))
		}
	}
	return d, nil
}

// clauses are the span as filters. Each end is one of its own: Elasticsearch drops an end that all of
// an index is within, so that what it answers for a day long past is the same tomorrow, and cached.
func (s span) clauses() []object {
	return []object{
		{"range": object{"@timestamp": object{"gte": s.start.UTC().Format(time.RFC3339Nano)}}},
		// Without a lower end, Elasticsearch 8.19 fails on a date_histogram over date_nanos: it reads the one that isn't there.
		{"range": object{"@timestamp": object{"gte": "1970-01-01T00:00:00Z", "lt": s.end.UTC().Format(time.RFC3339Nano)}}},
	}
}

func term(field, value string) object { return object{"term": object{field: value}} }

// body is one search. All of it is read from doc values, no hits are asked for, and nothing in it changes with the moment but
// the ends of the span: then shards answer from their request cache.
func (d *dashboard) body(of span, aggregations object) object {
	filters := append([]object{{"exists": object{"field": "sallyport.decision"}}}, of.clauses()...)
	return object{
		"size": 0, "track_total_hits": true,
		"query": object{"bool": object{"filter": append(filters, d.filters...), "must_not": term("sallyport.ungoverned", "true")}},
		"aggs":  aggregations,
	}
}

// totalsAggregations are the numbers of one range.
func totalsAggregations() object {
	sum := func(field string) object { return object{"sum": object{"field": field}} }
	percentiles := func(field string) object {
		return object{"percentiles": object{"field": field, "percents": []int{50, 95}, "hdr": object{"number_of_significant_value_digits": latencyDigits}}}
	}
	return object{
		"people":         object{"cardinality": object{"field": "user.id", "precision_threshold": countedPeople}},
		"request_bytes":  sum("http.request.body.bytes"),
		"response_bytes": sum("http.response.body.bytes"),
		"allowed": object{"filter": term("sallyport.decision", activity.Allowed), "aggs": object{
			"outcomes": terms("sallyport.outcome", 10, nil),
			"duration": percentiles("event.duration"),
			"upstream": percentiles("sallyport.upstream_latency"),
		}},
		"blocked": object{"filter": term("sallyport.decision", activity.Blocked)},
	}
}

// timeAggregations are the totals of the range that is asked for, and when that was.
func (d *dashboard) timeAggregations() object {
	all := totalsAggregations()
	all["over_time"] = d.overTime()
	all["blocked"] = object{"filter": term("sallyport.decision", activity.Blocked), "aggs": object{"over_time": d.overTime()}}
	all["failed"] = object{"filter": failed(), "aggs": object{"over_time": d.overTime()}}
	return all
}

// topAggregations are what was done most, and by whom.
func (d *dashboard) topAggregations() object {
	blocked := object{"blocked": object{"filter": term("sallyport.decision", activity.Blocked)}}
	return object{
		"operations": terms("sallyport.operation.name", d.top, blocked),
		// To look up the e-mail address of each account would take longer than all the rest.
		"addresses": terms("user.email", d.top, blocked),
		"accounts":  object{"filter": object{"bool": object{"must_not": object{"exists": object{"field": "user.email"}}}}, "aggs": object{"most": terms("user.id", d.top, blocked)}},
	}
}

// causeAggregations are by which assistants it was done, and why calls were blocked or failed.
func (d *dashboard) causeAggregations() object {
	blocked := object{"filter": term("sallyport.decision", activity.Blocked)}
	return object{
		"clients": terms("sallyport.client.key", d.top, object{"blocked": blocked, "name": terms("sallyport.client.name", 1, nil)}),
		"blocked": object{"filter": blocked["filter"], "aggs": object{
			"rules": terms("sallyport.rule.id", d.top, object{"last": object{"top_hits": object{
				"size": 1, "_source": false, "sort": []object{{"@timestamp": "desc"}}, "docvalue_fields": []string{"sallyport.rule.number", "sallyport.rule.note"},
			}}}),
			"refusals": terms("sallyport.refusal", d.top, nil),
			"default": object{"filter": object{"bool": object{"must_not": []object{
				{"exists": object{"field": "sallyport.rule.id"}}, {"exists": object{"field": "sallyport.refusal"}},
			}}}},
		}},
		"failed": object{"filter": failed(), "aggs": object{
			"statuses": object{
				"filter": term("sallyport.outcome", activity.OutcomeHTTPError),
				"aggs":   object{"codes": terms("http.response.status_code", d.top, nil)},
			},
		}},
	}
}

func failed() object {
	return object{"terms": object{"sallyport.outcome": []string{activity.OutcomeToolError, activity.OutcomeHTTPError}}}
}

// overTime counts by interval, or by hour.
func (d *dashboard) overTime() object {
	if d.inHours() {
		return object{"date_histogram": object{"field": "@timestamp", "fixed_interval": "1h", "min_doc_count": 1}}
	}
	kind := "calendar_interval"
	if d.interval.length > 0 {
		kind = "fixed_interval"
	}
	return object{"date_histogram": object{"field": "@timestamp", kind: d.interval.elastic, "time_zone": d.zone.String(), "min_doc_count": 1}}
}

// terms counts the values that most records have, and what is nested for each.
func terms(field string, size int, nested object) object {
	counts := object{"field": field, "size": size, "shard_size": topOfShard}
	if nested == nil {
		return object{"terms": counts}
	}
	// Keeping the records until the most are known (breadth_first) takes longer for numbers as small as these.
	counts["collect_mode"] = "depth_first"
	return object{"terms": counts, "aggs": nested}
}

// response is the answer made of what Elasticsearch counted.
func (d *dashboard) response(c, before *countedRange) *adminv1.GetDashboardResponse {
	return &adminv1.GetDashboardResponse{
		Start: timestamppb.New(d.within.start), End: timestamppb.New(d.within.end),
		BeforeStart: timestamppb.New(d.before.start), BeforeEnd: timestamppb.New(d.before.end),
		TimeZone: d.zone.String(), Interval: d.interval.name,
		Totals: c.totals(), Before: before.totals(),
		Buckets:    d.buckets(c),
		Operations: c.Operations.counts(), People: c.people(d.top), Clients: c.Clients.counts(),
		Rules: c.Blocked.Rules.rules(), BlockedByDefault: c.Blocked.Default.Count,
		Refusals: c.Blocked.Refusals.refusals(), Statuses: c.Failed.Statuses.Codes.counts(),
	}
}

// buckets are the range over time, with zeros where nothing was counted.
func (d *dashboard) buckets(c *countedRange) []*adminv1.DashboardBucket {
	list := make([]*adminv1.DashboardBucket, len(d.edges)-1)
	for i := range list {
		list[i] = &adminv1.DashboardBucket{Start: timestamppb.New(d.edges[i]), End: timestamppb.New(d.edges[i+1])}
	}
	for _, b := range c.OverTime.Buckets {
		list[d.bucketOf(b.at())].Allowed += b.Count
	}
	for _, b := range c.Blocked.OverTime.Buckets {
		one := list[d.bucketOf(b.at())]
		one.Allowed, one.Blocked = one.Allowed-b.Count, one.Blocked+b.Count
	}
	for _, b := range c.Failed.OverTime.Buckets {
		list[d.bucketOf(b.at())].Errors += b.Count
	}
	return list
}
