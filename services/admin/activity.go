package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

const (
	// searchTimeout bounds one search, so that a page shows an error rather than nothing.
	searchTimeout = 10 * time.Second
	// fetchRecords is how many records Elasticsearch is asked for at a time: with 1 MiB of
	// arguments each, which is the most, they still fit into memory.
	fetchRecords = 100
	// pageBytes ends a page early: 4 MB is what gRPC clients take in one message by default, and a
	// single record can have 1 MiB more than this.
	pageBytes = 2 << 20
)

// ActivityServer searches the records of what assistants and admins did.
type ActivityServer struct {
	adminv1.UnsafeActivityServiceServer
	elastic esapi.Transport
	store   *state.Store
	// policies are those that decided.
	policies policies
	callers  callers
	// stopping ends the tails when the service stops.
	stopping <-chan struct{}
	// tailLimit and tailPatience are Config's.
	tailLimit    int64
	tailPatience time.Duration
}

// SearchActivity returns one page of records, newest first.
func (s *ActivityServer) SearchActivity(ctx context.Context, request *adminv1.SearchActivityRequest) (*adminv1.SearchActivityResponse, error) {
	search, err := newSearch(request, callerOf(ctx).role >= auditor)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	page := &adminv1.SearchActivityResponse{ArgumentsWithheld: !search.arguments}
	size := 0
	for {
		// One more than needed tells whether there is a next page.
		wanted := min(search.pageSize-len(page.Records)+1, fetchRecords)
		found, err := s.fetch(ctx, search, wanted, page)
		if err != nil {
			return nil, err
		}
		for _, hit := range found {
			if len(page.Records) == search.pageSize || size > pageBytes {
				page.NextPageToken = search.cursor.token()
				return page, nil
			}
			record, err := hit.record(search.arguments)
			if err != nil {
				return nil, err
			}
			size += proto.Size(record)
			page.Records = append(page.Records, record)
			search.cursor.After = hit.Sort
			search.cursor.Until = cmp.Or(search.cursor.Until, hit.Sort[0])
		}
		if len(found) < wanted {
			return page, nil
		}
	}
}

// hits is the part of Elasticsearch's answer to a search that is read.
type hits struct {
	Total struct {
		Value    int64
		Relation string
	}
	Hits []hit
}

type hit struct {
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
	Sort   position        `json:"sort"`
}

// stored reads a hit; without arguments, and what is found in them, where those who ask may not see them.
func (h hit) stored(arguments bool) (activity.Record, error) {
	r, err := activity.Parse(h.Source)
	if err != nil {
		return r, status.Errorf(codes.Internal, "The record %s in Elasticsearch can't be read: %v.", h.ID, err)
	}
	if !arguments {
		own := &r.Sallyport
		own.Arguments, own.ArgumentsText, own.IssueKeys, own.ProjectKeys = nil, "", nil, nil
		if r.HTTP != nil && r.HTTP.Request != nil {
			r.HTTP.Request.Body.Content = ""
		}
	}
	return r, nil
}

// record is a hit as the API shows it.
func (h hit) record(arguments bool) (*activityv1.Record, error) {
	stored, err := h.stored(arguments)
	if err != nil {
		return nil, err
	}
	m := recordMessage(stored, time.Now())
	m.ArgumentsWithheld = !arguments
	return m, nil
}

// fetch asks Elasticsearch for the next records of a search, and has a page know how many there are. The
// first answer for a page has the counts too. Where no index exists yet, there are none.
func (s *ActivityServer) fetch(ctx context.Context, search *search, size int, page *adminv1.SearchActivityResponse) ([]hit, error) {
	var answer struct {
		Hits         hits
		Aggregations map[string]tally
	}
	first := len(page.GetRecords()) == 0
	yes := true
	// The same search asks the same copies of the records, which show what is new at different moments.
	request := esapi.SearchRequest{Index: []string{activity.Actions}, AllowNoIndices: &yes, IgnoreUnavailable: &yes, Preference: search.cursor.Search}
	err := find(ctx, s.elastic, request, search.body(size, first), func(body io.Reader) error { return json.NewDecoder(body).Decode(&answer) })
	if err != nil {
		return nil, err
	}
	page.Total, page.TotalAtLeast = answer.Hits.Total.Value, answer.Hits.Total.Relation == "gte"
	if first {
		page.Counts, err = search.countsMessage(answer.Aggregations, page.GetTotal())
	}
	return answer.Hits.Hits, err
}
