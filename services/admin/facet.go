package admin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

const (
	// facetValues is how many values of a facet are told.
	facetValues = 50
	// facetExact is how many values one day may have so that all of them are told exactly.
	facetExact = 2000
)

// facet is what records are counted by: a field, with others that people know its values by, or values
// each with what has it at a time. None is of arguments, so that a viewer may have all.
type facet struct {
	field  string
	labels []string
	values func(time.Time) map[string]object
}

// countable refuses facets that records of a kind don't have.
func (k recordKind) countable(facets []adminv1.Facet) error {
	for i, f := range facets {
		if _, ok := k.facets[f]; !ok {
			return status.Errorf(codes.InvalidArgument, "counts[%d] is %s: these records can't be counted by that.", i, f)
		}
		if slices.Contains(facets[:i], f) {
			return status.Errorf(codes.InvalidArgument, "counts[%d] is %s, which is there twice: once is enough.", i, f)
		}
	}
	return nil
}

// aggregations are the counts as Elasticsearch is asked for them, each under its facet's name.
func (s *search) aggregations() object {
	all := object{}
	for _, f := range s.counts {
		own := s.kind.facets[f]
		if own.values != nil {
			all[f.String()] = object{"filters": object{"filters": own.values(s.cursor.At)}}
			continue
		}
		terms := object{"terms": object{"field": own.field, "size": facetValues, "shard_size": facetExact}}
		labels := object{}
		for _, field := range own.labels {
			labels[field] = object{"terms": object{"field": field, "size": 1}}
		}
		if len(labels) > 0 {
			terms["aggs"] = labels
		}
		all[f.String()] = terms
	}
	return all
}

// tally is one of Elasticsearch's answers to them.
type tally struct {
	Error   int64           `json:"doc_count_error_upper_bound"`
	Others  int64           `json:"sum_other_doc_count"`
	Buckets json.RawMessage `json:"buckets"`
}

type facetBucket struct {
	Key   string `json:"key"`
	Count int64  `json:"doc_count"`
}

// countsMessage is what was counted, of total records.
func (s *search) countsMessage(answers map[string]tally, total int64) ([]*adminv1.FacetCounts, error) {
	var list []*adminv1.FacetCounts
	for _, f := range s.counts {
		answer, ok := answers[f.String()]
		m := &adminv1.FacetCounts{Facet: f, Others: answer.Others, AtLeast: answer.Error > 0, Without: total - answer.Others}
		if !ok {
			// There is no index yet.
			list = append(list, m)
			continue
		}
		read := readTerms
		if s.kind.facets[f].values != nil {
			read = readValues
		}
		var err error
		m.Counts, err = read(answer.Buckets, s.kind.facets[f].labels)
		if err != nil {
			return nil, status.Errorf(codes.Internal, "What Elasticsearch counted can't be read: %v.", err)
		}
		for _, c := range m.GetCounts() {
			m.Without -= c.GetCount()
		}
		list = append(list, m)
	}
	return list, nil
}

func readValues(text json.RawMessage, _ []string) ([]*adminv1.FacetCount, error) {
	var buckets map[string]facetBucket
	err := json.Unmarshal(text, &buckets)
	var list []*adminv1.FacetCount
	for value, b := range buckets {
		if b.Count > 0 {
			list = append(list, &adminv1.FacetCount{Value: value, Count: b.Count})
		}
	}
	slices.SortFunc(list, func(a, b *adminv1.FacetCount) int {
		return cmp.Or(cmp.Compare(b.GetCount(), a.GetCount()), strings.Compare(a.GetValue(), b.GetValue()))
	})
	return list, err
}

func readTerms(text json.RawMessage, labels []string) ([]*adminv1.FacetCount, error) {
	var buckets []map[string]json.RawMessage
	err := json.Unmarshal(text, &buckets)
	if err != nil {
		return nil, err
	}
	var list []*adminv1.FacetCount
	for _, b := range buckets {
		c := &adminv1.FacetCount{}
		err = cmp.Or(json.Unmarshal(b["key"], &c.Value), json.Unmarshal(b["doc_count"], &c.Count))
		if err != nil {
			return nil, fmt.Errorf("a bucket: %w", err)
		}
		for _, field := range labels {
			var label struct{ Buckets []facetBucket }
			if json.Unmarshal(b[field], &label) == nil && len(label.Buckets) > 0 {
				c.Label = label.Buckets[0].Key
				break
			}
		}
		list = append(list, c)
	}
	return list, nil
}
