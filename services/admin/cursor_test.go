package admin_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
)

// TestCursorWhileOthersWrite reads ten thousand records of three days page by page, many of the same time,
// while newer ones are written: each of those that were there comes once, in order, no other, and the total
// stays.
func TestCursorWhileOthersWrite(t *testing.T) {
	const there = 10_000
	address := elastictest.Empty(t)
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	now := time.Now().Truncate(time.Millisecond)
	var records []activity.Record
	missing := map[string]bool{}
	for i := range there {
		id := fmt.Sprintf("%08x %d", rand.Uint32(), i)
		missing[id] = true
		records = append(records, call(id, now.Add(-time.Duration(i/7)*180*time.Second), "getJiraIssue"))
	}
	for i := 0; i < there; i += 2500 {
		index(t, address, records[i:i+2500]...)
	}
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			var newer []activity.Record
			for i := range 50 {
				newer = append(newer, call(fmt.Sprintf("new %d %d", n, i), time.Now().Add(time.Second), "getJiraIssue"))
			}
			index(t, address, newer...)
			time.Sleep(100 * time.Millisecond)
		}
	})
	defer writer.Wait()
	defer close(stop)
	request := &adminv1.SearchActivityRequest{Query: "getJira", Counts: []adminv1.Facet{adminv1.Facet_FACET_PERSON}}
	pages, last, total := 0, time.Time{}, int64(0)
	for {
		request.PageSize = int32(1 + rand.IntN(600))
		page, err := client.SearchActivity(asAdmin(t), request)
		if err != nil {
			t.Fatal(err)
		}
		if pages == 0 {
			total = page.GetTotal()
		}
		if page.GetTotal() != total || page.GetTotalAtLeast() || page.GetCounts()[0].GetCounts()[0].GetCount() != total {
			t.Fatalf("page %d is of %d records, and the first was of %d", pages, page.GetTotal(), total)
		}
		for _, r := range page.GetRecords() {
			at := r.GetTime().AsTime()
			if !last.IsZero() && at.After(last) {
				t.Fatalf("%s is newer than the record before", r.GetId())
			}
			last = at
			if strings.HasPrefix(r.GetId(), "new") {
				continue
			}
			if !missing[r.GetId()] {
				t.Fatalf("%s came twice", r.GetId())
			}
			delete(missing, r.GetId())
		}
		pages++
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" {
			break
		}
	}
	if len(missing) > 0 || pages < 17 {
		t.Errorf("%d records are missing in %d pages", len(missing), pages)
	}
}

func TestCursorsAreOfOneSearch(t *testing.T) {
	address := elastictest.Empty(t)
	client := adminv1.NewActivityServiceClient(start(t, admin.Config{Elasticsearch: address}))
	now := time.Now()
	index(t, address, days(now)...)
	page, err := client.SearchActivity(asAdmin(t), &adminv1.SearchActivityRequest{User: "ana", PageSize: 1})
	if err != nil || page.GetNextPageToken() == "" {
		t.Fatalf("%v, %v", page, err)
	}
	for name, test := range map[string]struct {
		token   string
		request *adminv1.SearchActivityRequest
	}{
		"another person": {token, &adminv1.SearchActivityRequest{User: "bo"}},
		"a word more":    {token, &adminv1.SearchActivityRequest{User: "ana", Query: "ops"}},
		"a viewer":       {viewerToken, &adminv1.SearchActivityRequest{User: "ana"}},
	} {
		test.request.PageToken = page.GetNextPageToken()
		_, err := client.SearchActivity(with(t, test.token), test.request)
		if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), "page_token is of another search") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// Another size of the page, and an auditor, are the same search.
	rest, err := client.SearchActivity(with(t, auditorToken), &adminv1.SearchActivityRequest{User: "ana", PageToken: page.GetNextPageToken()})
	if err != nil || strings.Join(ids(rest), " ") != "delete page" {
		t.Errorf("got %v, %v", rest, err)
	}
}
