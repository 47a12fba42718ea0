package admin

import (
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

const (
	defaultPage = 50
	maxPage     = 1000
	// countedTo is up to how many matches are counted; more would cost every search.
	countedTo = 10_000
)

// search is a search of the records, as Elasticsearch is asked.
type search struct {
	kind     recordKind
	filters  []object
	cursor   cursor
	pageSize int
	counts   []adminv1.Facet
	// arguments says that whoever asks may see arguments, and find records by them.
	arguments bool
}

// newSearch reads a request of somebody who may see arguments or not, and refuses one that can't be
// answered.
func newSearch(request *adminv1.SearchActivityRequest, arguments bool) (*search, error) {
	own := fingerprint(request, arguments)
	from, err := cursorFrom(request.GetPageToken(), own)
	if err != nil {
		return nil, err
	}
	if from.At.IsZero() {
		from = cursor{Search: own, At: time.Now().UTC()}
	}
	size := int(request.GetPageSize())
	switch {
	case size < 0 || size > maxPage:
		return nil, status.Errorf(codes.InvalidArgument, "page_size is %d: it may be 1 to %d, or 0 for %d.", size, maxPage, defaultPage)
	case size == 0:
		size = defaultPage
	}
	kind, filters, err := filtersOf(request, arguments, from.At)
	if err != nil {
		return nil, err
	}
	err = kind.countable(request.GetCounts())
	if err != nil {
		return nil, err
	}
	return &search{kind: kind, filters: filters, cursor: from, pageSize: size, counts: request.GetCounts(), arguments: arguments}, nil
}

// body is the search as Elasticsearch takes it. The counts are asked for once.
func (s *search) body(size int, counts bool) object {
	filters := s.filters
	if s.cursor.Until != "" {
		filters = append(slices.Clip(filters), object{"range": object{"@timestamp": object{"lte": s.cursor.Until}}})
	}
	body := object{
		"size":             size,
		"track_total_hits": countedTo,
		"query":            object{"bool": object{"filter": filters}},
		"_source":          object{"excludes": s.withheld()},
		"sort": []object{
			{"@timestamp": object{"order": "desc", "format": "strict_date_optional_time_nanos", "unmapped_type": "date_nanos"}},
			{"event.id": object{"order": "desc", "unmapped_type": "keyword"}},
		},
	}
	if s.cursor.After != nil {
		body["search_after"] = s.cursor.After
	}
	if len(s.counts) > 0 {
		body["track_total_hits"] = true
	}
	if counts && len(s.counts) > 0 {
		body["aggs"] = s.aggregations()
	}
	return body
}

// withheld are the fields that aren't returned. Arguments are returned as they were sent, so their
// searchable text isn't, nor what was found in it.
func (s *search) withheld() []string {
	list := []string{"sallyport.arguments_text", "sallyport.issue_key", "sallyport.project_key", "http.request.body.content"}
	if !s.arguments {
		list = append(list, "sallyport.arguments")
	}
	return list
}
