package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

const (
	// eraseWait is how long records that wait for Elasticsearch are waited for.
	eraseWait = 30 * time.Second
	// maxIdentities is how many names and addresses of one person are known.
	maxIdentities = 100
)

// ErasureServer takes people's identity out of the records.
type ErasureServer struct {
	adminv1.UnsafeErasureServiceServer
	people  people
	elastic esapi.Transport
	log     *slog.Logger
}

// identity is how records name a person.
type identity struct {
	account       string
	emails, names []string
}

// ErasePerson replaces a person by a pseudonym.
func (s *ErasureServer) ErasePerson(request *adminv1.ErasePersonRequest, stream grpc.ServerStreamingServer[adminv1.ErasePersonResponse]) error {
	ctx, begun := stream.Context(), time.Now()
	user := strings.TrimSpace(request.GetUser())
	if user == "" {
		return status.Error(codes.InvalidArgument, "user is missing: name the person by e-mail address or Atlassian account id.")
	}
	account, err := s.account(ctx, user)
	if err != nil {
		return err
	}
	live, _, err := s.people.store.Connections(ctx, state.ConnectionQuery{AccountID: account, Limit: 1})
	if err != nil {
		return status.Errorf(codes.Unavailable, "Redis doesn't answer, so it isn't known whether %q is still signed in. Start it again, and try once more. (%v)", user, err)
	}
	if len(live) > 0 {
		return status.Errorf(codes.FailedPrecondition, "%q is still signed in, and more would be recorded: end that by `sallyport people forget`, and deny them by a rule so that they don't come back.", user)
	}
	err = s.waitIndexed(ctx, begun)
	if err != nil {
		return err
	}
	who, err := s.identity(ctx, account)
	if err != nil {
		return err
	}
	if len(who.emails)+len(who.names) == 0 {
		// Without a record of their own, what was named may be anything: nothing is looked for by it.
		return notInRecords(user)
	}
	answer := &adminv1.ErasePersonResponse{Pseudonym: "erased-" + seal.Random(9)}
	told := time.Now()
	e := erasing{elastic: s.elastic, store: s.people.store, who: who, pseudonym: answer.GetPseudonym(), progress: func(records int64) error {
		answer.Records = records
		if time.Since(told) < progressEvery {
			return nil
		}
		told = time.Now()
		return stream.Send(answer)
	}}
	err = e.run(ctx)
	if err != nil {
		return err
	}
	if e.records == 0 {
		return notInRecords(user)
	}
	answer.Records, answer.Done = e.records, true
	s.log.Info("person erased from the records", "pseudonym", e.pseudonym, "records", e.records, "by", callerOf(ctx).name)
	return stream.Send(answer)
}

func notInRecords(user string) error {
	return status.Errorf(codes.NotFound, "No record has %q. Check the spelling; who was erased before isn't known any more.", user)
}

// account is the account id of a person, who may be named by an address that records have: whoever is
// forgotten is known there only.
func (s *ErasureServer) account(ctx context.Context, user string) (string, error) {
	if !strings.Contains(user, "@") {
		return user, nil
	}
	accounts, err := s.values(ctx, equal("user.email", user), "user.id")
	switch {
	case err != nil:
		return "", err
	case len(accounts) == 0:
		return "", status.Errorf(codes.NotFound, "No record has the e-mail address %q. Check its spelling, or name the person by Atlassian account id.", user)
	case len(accounts) > 1:
		return "", status.Errorf(codes.FailedPrecondition, "Records of %d people have the e-mail address %q: name the one you mean by Atlassian account id: %s.", len(accounts), user, strings.Join(accounts, ", "))
	}
	return accounts[0], nil
}

func (s *ErasureServer) identity(ctx context.Context, account string) (identity, error) {
	who := identity{account: account}
	var err error
	who.emails, err = s.values(ctx, object{"term": object{"user.id": account}}, "user.email")
	if err == nil {
		who.names, err = s.values(ctx, object{"term": object{"user.id": account}}, "user.name")
	}
	return who, err
}

// values are the values of a field in the records that match.
func (s *ErasureServer) values(ctx context.Context, query object, field string) ([]string, error) {
	var answer struct {
		Aggregations struct {
			Values struct{ Buckets []struct{ Key string } }
		}
	}
	err := find(ctx, s.elastic, esapi.SearchRequest{Index: recordPatterns, IgnoreUnavailable: &yes}, object{
		"size": 0, "query": query, "aggs": object{"values": object{"terms": object{"field": field, "size": maxIdentities}}},
	}, func(r io.Reader) error { return json.NewDecoder(r).Decode(&answer) })
	var values []string
	for _, bucket := range answer.Aggregations.Values.Buckets {
		values = append(values, bucket.Key)
	}
	return values, err
}

// waitIndexed waits until Elasticsearch has everything that was recorded before a moment.
func (s *ErasureServer) waitIndexed(ctx context.Context, moment time.Time) error {
	for {
		waiting, age, err := s.people.store.StreamLength(ctx)
		if err != nil {
			return status.Errorf(codes.Unavailable, "Redis doesn't answer, so it isn't known which records wait. Start it again, and try once more. (%v)", err)
		}
		if waiting == 0 || time.Since(moment) > age {
			return nil
		}
		if time.Since(moment) > eraseWait {
			return status.Errorf(codes.Unavailable, "%d records wait for Elasticsearch, and the person may be in them, so nothing was changed. Try again when `sallyport status` says that the log is up to date.", waiting)
		}
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// recordPatterns are the indices of all records.
var recordPatterns = []string{activity.Actions, activity.Protocol}

var yes = true

// with replaces the person in the text of a record of what somebody else did to them, and says whether
// they were in it. Names are replaced only where they stand alone between quotes.
func (i identity) with(document []byte, pseudonym string) ([]byte, bool) {
	text := string(document)
	for _, known := range append([]string{i.account}, i.emails...) {
		text = replaceWhole(text, known, pseudonym)
	}
	found := text != string(document)
	if found {
		for _, name := range i.names {
			for _, quote := range []string{`"`, `\"`} {
				text = strings.ReplaceAll(text, quote+name+quote, quote+pseudonym+quote)
			}
		}
	}
	return []byte(text), found
}

// replaceWhole replaces an id or address in a JSON text where it isn't a part of a longer one, such as
// ana@acme.test of jana@acme.test.
func replaceWhole(text, known, by string) string {
	var whole strings.Builder
	for {
		at := strings.Index(text, known)
		if at < 0 {
			whole.WriteString(text)
			return whole.String()
		}
		before, after := text[:at], text[at+len(known):]
		whole.WriteString(before)
		if beginsHere(before) && endsHere(after) {
			whole.WriteString(by)
		} else {
			whole.WriteString(known)
		}
		text = after
	}
}

// beginsHere says whether an id or address can begin behind a text: the letter of an escape such as \n is
// no part of it.
func beginsHere(before string) bool {
	if before == "" || len(before) > 1 && before[len(before)-2] == '\\' {
		return true
	}
	last := before[len(before)-1]
	return !isAlphanumeric(last) && !strings.ContainsRune("._%+-@:", rune(last))
}

// endsHere says whether an id or address can end before a text: a dot may end the sentence.
func endsHere(after string) bool {
	rest := strings.TrimLeft(after, ".-")
	if rest == "" {
		return true
	}
	return !isAlphanumeric(rest[0]) && (rest != after || !strings.ContainsRune("_@:", rune(rest[0])))
}

func isAlphanumeric(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' }

// own replaces the person in a record of their own, and takes the address out that they called from.
func (i identity) own(document []byte, pseudonym string) ([]byte, error) {
	var members map[string]json.RawMessage
	err := json.Unmarshal(document, &members)
	if err != nil {
		return nil, fmt.Errorf("a record can't be read: %w", err)
	}
	var user map[string]json.RawMessage
	err = json.Unmarshal(members["user"], &user)
	if err != nil {
		return nil, fmt.Errorf("a record's user can't be read: %w", err)
	}
	quoted, err := json.Marshal(pseudonym)
	if err != nil {
		return nil, err
	}
	user["id"], user["name"] = quoted, quoted
	delete(user, "email")
	delete(members, "source")
	members["user"], err = json.Marshal(user)
	if err != nil {
		return nil, err
	}
	var whole bytes.Buffer
	encoder := json.NewEncoder(&whole)
	// Arguments stay as they were sent.
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(members)
	return whole.Bytes(), err
}
