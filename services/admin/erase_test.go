package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/state"
)

// allRecords are all records that Elasticsearch has, by id, as they are stored.
func allRecords(t *testing.T, address string) map[string]string {
	t.Helper()
	transport, err := elastic.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	size := 10_000
	response, err := esapi.SearchRequest{Index: []string{"sallyport-*"}, Size: &size}.Do(t.Context(), transport)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string          `json:"_id"`
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]string{}
	for _, hit := range answer.Hits.Hits {
		records[hit.ID] = string(hit.Source)
	}
	return records
}

// actOn is a record of what an admin did.
func actOn(id, email, action, target, detail string) activity.Record {
	return activity.Record{
		Timestamp: time.Now(), Event: activity.Event{ID: id, Kind: "event", Action: action, Outcome: "success"},
		User:      &activity.User{ID: "712020:" + strings.TrimSuffix(email, "@acme.test"), Email: email, Name: email[:3]},
		Source:    &activity.Source{IP: "203.0.113.7"},
		Sallyport: activity.Sallyport{Act: &activity.Act{Caller: "person", Targets: []string{target}, Details: map[string]string{"connection": detail}}},
	}
}

// acts takes what is recorded out of the stream, as accesslog does.
type acts struct {
	mutex     sync.Mutex
	documents []string
}

func (a *acts) take(t *testing.T, store *state.Store) {
	t.Helper()
	for t.Context().Err() == nil {
		waiting, err := store.ReadWaiting(t.Context(), "accesslog", 100, 50*time.Millisecond, false)
		if err == nil && len(waiting) > 0 {
			err = store.Indexed(t.Context(), waiting)
		}
		if err != nil {
			return
		}
		a.mutex.Lock()
		for _, entry := range waiting {
			a.documents = append(a.documents, string(entry.Document))
		}
		a.mutex.Unlock()
	}
}

func (a *acts) all() string {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return strings.Join(a.documents, "\n")
}

// eraser is an admin service whose Elasticsearch has records of ana and others.
func eraser(t *testing.T, calls int) (address string, store *state.Store, recorded *acts, erase func(user string) (*adminv1.ErasePersonResponse, error)) {
	t.Helper()
	address = elastictest.Empty(t)
	cfg := redisOnly(t)
	cfg.Elasticsearch = address
	var records []activity.Record
	for i := range calls {
		r := call(fmt.Sprint("ana's ", i), time.Now().Add(-time.Duration(i)*time.Hour), "getJiraIssue")
		r.Source = &activity.Source{IP: "203.0.113.7"}
		r.Sallyport.Arguments = jsontext.Value(`{"jql":"a < b && c","big":12345678901234567890,"text":"by ana@acme.test"}`)
		records = append(records, r)
	}
	bos := call("bo's", time.Now(), "getJiraIssue")
	bos.User = &activity.User{ID: "712020:bo", Name: "Bo", Email: "bo@acme.test"}
	older := call("ana's under another address", time.Now(), "deleteJiraIssue")
	older.User = &activity.User{ID: "712020:ana", Name: "Ana Mora", Email: "ana.mora@acme.test"}
	records = append(records, bos, older,
		actOn("bo ended it", "bo@acme.test", "connection.end", "c1", `{"account_id":"712020:ana","email":"ana@acme.test","name":"Ana Acme"}`),
		actOn("bo forgot her", "bo@acme.test", "person.forget", "ana.mora@acme.test", ""),
		actOn("ana did it", "ana@acme.test", "policy.save", "", ""),
		actOn("of others", "bo@acme.test", "roles.save", "jana@acme.test", "Ana Acme, 712020:anastasia, ana@acme.test.example"))
	index(t, address, records...)
	conn := start(t, cfg)
	store = state.Open(cfg.Redis)
	recorded = &acts{}
	var taking sync.WaitGroup
	taking.Go(func() { recorded.take(t, store) })
	t.Cleanup(func() { taking.Wait(); _ = store.Close() })
	return address, store, recorded, func(user string) (*adminv1.ErasePersonResponse, error) {
		stream, err := adminv1.NewErasureServiceClient(conn).ErasePerson(asAdmin(t), &adminv1.ErasePersonRequest{User: user})
		if err != nil {
			t.Fatal(err)
		}
		var last *adminv1.ErasePersonResponse
		for {
			answer, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return last, nil
			}
			if err != nil {
				return last, err
			}
			last = answer
		}
	}
}

func TestErasePerson(t *testing.T) {
	const calls = 250
	address, _, acts, erase := eraser(t, calls)
	before := allRecords(t, address)
	done, err := erase("Ana@Acme.test")
	if err != nil || !done.GetDone() || done.GetRecords() != calls+4 || !strings.HasPrefix(done.GetPseudonym(), "erased-") {
		t.Fatalf("erased with %v, error %v", done, err)
	}
	after := allRecords(t, address)
	if len(after) != len(before) {
		t.Errorf("there are %d records, and were %d", len(after), len(before))
	}
	for id, record := range after {
		var is struct {
			User      struct{ ID, Name string }
			Sallyport struct{ Arguments json.RawMessage }
		}
		err := json.Unmarshal([]byte(record), &is)
		if err != nil {
			t.Fatal(err)
		}
		arguments := is.Sallyport.Arguments
		rest := record
		if len(arguments) > 0 {
			if !strings.Contains(before[id], string(arguments)) {
				t.Errorf("the arguments of %s are %s now", id, arguments)
			}
			rest = strings.Replace(record, string(arguments), "", 1)
		}
		hers := strings.HasPrefix(id, "ana")
		if hers && (is.User.ID != done.GetPseudonym() || is.User.Name != done.GetPseudonym() || strings.Contains(rest, "203.0.113.7")) {
			t.Errorf("%s is %s", id, record)
		}
		if id != "of others" && (strings.Contains(rest, "712020:ana") || strings.Contains(rest, "ana@acme") || strings.Contains(rest, "ana.mora") || strings.Contains(rest, "Ana ")) {
			t.Errorf("%s still has her: %s", id, record)
		}
	}
	if after["bo's"] != before["bo's"] || after["of others"] != before["of others"] {
		t.Error("records of others have changed")
	}
	// What was done is a record, without whom it was done to.
	for range 100 {
		if strings.Contains(acts.all(), done.GetPseudonym()) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	recorded := acts.all()
	if !strings.Contains(recorded, "person.erase") || !strings.Contains(recorded, done.GetPseudonym()) || strings.Contains(strings.ToLower(recorded), "ana") {
		t.Errorf("recorded: %s", recorded)
	}
	_, err = erase("712020:ana")
	if status.Code(err) != codes.NotFound {
		t.Errorf("the second time: %v", err)
	}
}

func TestEraseRefuses(t *testing.T) {
	address, store, _, erase := eraser(t, 1)
	before := allRecords(t, address)
	two := call("another's", time.Now(), "getJiraIssue")
	two.User = &activity.User{ID: "712020:other", Name: "Ana", Email: "bo@acme.test"}
	index(t, address, two)
	signInAdmin(t, store, "anas-token", "https://sallyport.test/mcp")
	for user, want := range map[string]struct {
		code codes.Code
		says string
	}{
		" ":                {codes.InvalidArgument, "user is missing"},
		"nobody@acme.test": {codes.NotFound, "No record has the e-mail address"},
		"712020:nobody":    {codes.NotFound, "No record has"},
		"2":                {codes.NotFound, "No record has"},
		"bo@acme.test":     {codes.FailedPrecondition, "712020:other"},
		"ana@acme.test":    {codes.FailedPrecondition, "is still signed in"},
	} {
		_, err := erase(user)
		if status.Code(err) != want.code || !strings.Contains(status.Convert(err).Message(), want.says) {
			t.Errorf("%q: %v", user, err)
		}
	}
	for id, record := range before {
		if allRecords(t, address)[id] != record {
			t.Errorf("%s was changed", id)
		}
	}
}
