package admin

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
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
	// arguments says that whoever asks may see arguments, and find records by them.
	arguments bool
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

// newSearch reads a request of somebody who may see arguments or not, and refuses one that can't be
// answered.
func newSearch(request *adminv1.SearchActivityRequest, arguments bool) (*search, error) {
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
	filters, err := filtersOf(request, arguments)
	if err != nil {
		return nil, err
	}
	return &search{filters: filters, after: after, pageSize: size, arguments: arguments}, nil
}

func filtersOf(request *adminv1.SearchActivityRequest, arguments bool) ([]object, error) {
	kind, err := kindOf(request)
	if err != nil {
		return nil, err
	}
	// An outcome can be indexed a moment before its decision; only together are they a record.
	filters := []object{{"exists": object{"field": kind.mark}}, {"exists": object{"field": "@timestamp"}}}
	if user := strings.TrimSpace(request.GetUser()); user != "" {
		filters = append(filters, anyOf(equal("user.email", user), equal("user.id", user), words("user.name.text", user)))
	}
	if client := strings.TrimSpace(request.GetClient()); client != "" {
		filters = append(filters, anyOf(equal("sallyport.client.key", client), words("sallyport.client.name.text", client)))
	}
	if operation := glob.Replace(strings.TrimSpace(request.GetOperation())); operation != "" {
		var named []object
		for _, field := range kind.names {
			named = append(named, like(field, operation))
		}
		filters = append(filters, anyOf(named...))
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
	fields := kind.texts
	if arguments {
		fields = append(slices.Clone(fields), kind.arguments...)
	}
	for _, word := range searched {
		filters = append(filters, anywhere(word, fields, kind.names[0]))
	}
	return filters, nil
}

// recordKind is where in the index the records of one kind have what is searched for.
type recordKind struct {
	// mark is a field that all of them have, and no others.
	mark string
	// names are what was done, texts what words are looked for in, and arguments those of them that only
	// auditors may search.
	names, texts, arguments []string
}

var (
	calls = recordKind{
		mark:  "sallyport.decision",
		names: []string{"sallyport.operation.name", "sallyport.operation.outer"},
		texts: []string{
			"user.name.text", "user.email.text", "sallyport.client.name.text", "sallyport.operation.name.text", "sallyport.rule.note.text",
		},
		arguments: []string{"sallyport.arguments_text", "http.request.body.content"},
	}
	acts = recordKind{
		mark:  "sallyport.act.caller",
		names: []string{"event.action"},
		texts: []string{"user.name.text", "user.email.text", "sallyport.act.targets.text", "sallyport.act.reason.text", "error.message"},
	}
)

func kindOf(request *adminv1.SearchActivityRequest) (recordKind, error) {
	if !request.GetAdministrative() {
		return calls, nil
	}
	if request.GetClient() != "" || request.GetDecision() != "" {
		return acts, status.Error(codes.InvalidArgument, "client and decision can't be asked for together with administrative: no assistant acts there, and no rule decides.")
	}
	return acts, nil
}

// body is the search as Elasticsearch takes it. Arguments are returned as they were sent, so their
// searchable text isn't.
func (s *search) body(size int) object {
	withheld := []string{"sallyport.arguments_text", "http.request.body.content"}
	if !s.arguments {
		withheld = append(withheld, "sallyport.arguments")
	}
	body := object{
		"size":             size,
		"track_total_hits": countedTo,
		"query":            object{"bool": object{"filter": s.filters}},
		"_source":          object{"excludes": withheld},
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

// anywhere matches a record that has a word, or one that begins so, in any of some texts; of its name,
// which isn't split into words, it matches any part.
func anywhere(word string, texts []string, name string) object {
	return anyOf(
		object{"multi_match": object{"query": word, "type": "phrase_prefix", "max_expansions": prefixTerms, "fields": texts}},
		like(name, "*"+literal.Replace(word)+"*"),
	)
}
