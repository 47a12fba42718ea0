package admin

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
)

const (
	defaultPage = 50
	maxPage     = 1000
	// countedTo is up to how many matches are counted; more would cost every search.
	countedTo = 10_000
	// maxWords and maxFilter bound what a search may cost, in words and in bytes of one field.
	maxWords  = 32
	maxFilter = 1024
	// prefixTerms is how many words that begin like the one searched for are tried.
	prefixTerms = 1024
)

// search is a search of the records, as Elasticsearch is asked.
type search struct {
	filters  []object
	after    position
	pageSize int
}

// position is where in the order of a search a record is: its time and its id, as Elasticsearch
// writes them in "sort" and takes them in "search_after".
type position []string

// token is the position in the form of a page token.
func (p position) token() string {
	text, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// positionFrom reads a page token; an empty one stands before all records.
func positionFrom(token string) (position, error) {
	if token == "" {
		return nil, nil
	}
	refused := status.Error(codes.InvalidArgument, "page_token is none that a search returned: send next_page_token of the page before, or nothing for the first page.")
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, refused
	}
	var p position
	decoder := json.NewDecoder(bytes.NewReader(text))
	if decoder.Decode(&p) != nil || decoder.More() || len(p) != 2 {
		return nil, refused
	}
	_, err = time.Parse(time.RFC3339Nano, p[0])
	if err != nil {
		return nil, refused
	}
	return p, nil
}

// newSearch reads a request, and refuses one that can't be answered.
func newSearch(request *adminv1.SearchActivityRequest) (*search, error) {
	after, err := positionFrom(request.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := int(request.GetPageSize())
	switch {
	case size < 0 || size > maxPage:
		return nil, status.Errorf(codes.InvalidArgument, "page_size is %d: it may be 1 to %d, or 0 for %d.", size, maxPage, defaultPage)
	case size == 0:
		size = defaultPage
	}
	for _, filter := range []struct{ name, value string }{
		{"query", request.GetQuery()}, {"user", request.GetUser()}, {"client", request.GetClient()}, {"operation", request.GetOperation()},
	} {
		if len(filter.value) > maxFilter {
			return nil, status.Errorf(codes.InvalidArgument, "%s is longer than %d bytes.", filter.name, maxFilter)
		}
	}
	filters, err := filtersOf(request)
	if err != nil {
		return nil, err
	}
	return &search{filters: filters, after: after, pageSize: size}, nil
}

func filtersOf(request *adminv1.SearchActivityRequest) ([]object, error) {
	// An outcome can be indexed a moment before its decision; only together are they a record.
	filters := []object{{"exists": object{"field": "sallyport.decision"}}, {"exists": object{"field": "@timestamp"}}}
	if user := strings.TrimSpace(request.GetUser()); user != "" {
		filters = append(filters, anyOf(equal("user.email", user), equal("user.id", user), words("user.name.text", user)))
	}
	if client := strings.TrimSpace(request.GetClient()); client != "" {
		filters = append(filters, anyOf(equal("sallyport.client.key", client), words("sallyport.client.name.text", client)))
	}
	if operation := glob.Replace(strings.TrimSpace(request.GetOperation())); operation != "" {
		filters = append(filters, anyOf(like("sallyport.operation.name", operation), like("sallyport.operation.outer", operation)))
	}
	switch decision := request.GetDecision(); decision {
	case "":
	case activity.Allowed, activity.Blocked:
		filters = append(filters, equal("sallyport.decision", decision))
	default:
		return nil, status.Errorf(codes.InvalidArgument, "decision is %q: it may be %s or %s.", decision, activity.Allowed, activity.Blocked)
	}
	if since := request.GetSince(); since != nil {
		if since.CheckValid() != nil {
			return nil, status.Error(codes.InvalidArgument, "since is not a time.")
		}
		filters = append(filters, object{"range": object{"@timestamp": object{"gte": since.AsTime().Format(time.RFC3339Nano)}}})
	}
	searched := strings.Fields(request.GetQuery())
	if len(searched) > maxWords {
		return nil, status.Errorf(codes.InvalidArgument, "query has %d words: %d are the most.", len(searched), maxWords)
	}
	for _, word := range searched {
		filters = append(filters, anywhere(word))
	}
	return filters, nil
}

// body is the search as Elasticsearch takes it. Arguments are returned as they were sent, so their
// searchable text isn't.
func (s *search) body(size int) object {
	body := object{
		"size":             size,
		"track_total_hits": countedTo,
		"query":            object{"bool": object{"filter": s.filters}},
		"_source":          object{"excludes": []string{"sallyport.arguments_text", "http.request.body.content"}},
		"sort": []object{
			{"@timestamp": object{"order": "desc", "format": "strict_date_optional_time_nanos", "unmapped_type": "date_nanos"}},
			{"event.id": object{"order": "desc", "unmapped_type": "keyword"}},
		},
	}
	if s.after != nil {
		body["search_after"] = s.after
	}
	return body
}

func anyOf(queries ...object) object {
	return object{"bool": object{"should": queries, "minimum_should_match": 1}}
}

func equal(field, value string) object {
	return object{"term": object{field: object{"value": value, "case_insensitive": true}}}
}

// words matches a text that has all the words of value.
func words(field, value string) object {
	return object{"match": object{field: object{"query": value, "operator": "and"}}}
}

// like matches a whole value against a pattern of Elasticsearch's wildcard query, in any case.
func like(field, pattern string) object {
	return object{"wildcard": object{field: object{"value": pattern, "case_insensitive": true}}}
}

// A glob gives only "*" a meaning; in a literal nothing has one.
var (
	glob    = strings.NewReplacer(`\`, `\\`, `?`, `\?`)
	literal = strings.NewReplacer(`\`, `\\`, `?`, `\?`, `*`, `\*`)
)

// anywhere matches a record that has a word, or one that begins so, in any of its texts; of an
// operation's name, which isn't split into words, it matches any part.
func anywhere(word string) object {
	return anyOf(
		object{"multi_match": object{
			"query": word, "type": "phrase_prefix", "max_expansions": prefixTerms,
			"fields": []string{
				"user.name.text", "user.email.text", "sallyport.client.name.text", "sallyport.operation.name.text",
				"sallyport.rule.note.text", "sallyport.arguments_text", "http.request.body.content",
			},
		}},
		like("sallyport.operation.name", "*"+literal.Replace(word)+"*"),
	)
}
