package admin

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// prefixTerms is how many words that begin like the one searched for are tried.
const prefixTerms = 1024

// issueKey is the key of an issue of Jira, as people type it.
var issueKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*-\d+$`)

// wordFilters are of what people type into one box: all of its words must be somewhere.
func wordFilters(query string, kind recordKind, arguments bool) ([]object, error) {
	searched := split(query)
	if len(searched) > maxWords {
		return nil, status.Errorf(codes.InvalidArgument, "query has %d words: %d are the most.", len(searched), maxWords)
	}
	texts := kind.texts
	if arguments {
		texts = append(slices.Clone(texts), kind.arguments...)
	}
	var filters []object
	for _, word := range searched {
		filters = append(filters, anywhere(word, texts, kind))
	}
	return filters, nil
}

// split returns the words of a query, and as one what stands in double quotes. What has no letter or
// digit, such as the = of a JQL query, is no word where there are others.
func split(query string) []string {
	var list []string
	for part := range strings.SplitSeq(query, `"`) {
		list = append(list, part)
	}
	var words []string
	for i, part := range list {
		// The last part of an odd number of quotes isn't closed.
		if i%2 == 1 && i < len(list)-1 {
			words = append(words, strings.TrimSpace(part))
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	says := func(word string) bool {
		return strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	}
	if slices.ContainsFunc(words, says) {
		words = slices.DeleteFunc(words, func(word string) bool { return !says(word) })
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}

// anywhere matches a record that has a word, or one that begins so, in any of some texts, or is known by
// it; of a name, which isn't split into words, it matches any part. Words that stand together, and issue
// keys, are looked for whole: OPS-1 isn't OPS-12.
func anywhere(word string, texts []string, kind recordKind) object {
	text := object{"multi_match": object{"query": word, "type": "phrase_prefix", "max_expansions": prefixTerms, "fields": texts}}
	if strings.ContainsFunc(word, unicode.IsSpace) || issueKey.MatchString(word) {
		text = object{"multi_match": object{"query": word, "type": "phrase", "fields": texts}}
	}
	found := []object{text}
	for _, field := range kind.names {
		found = append(found, like(field, "*"+literal.Replace(word)+"*"))
	}
	for _, field := range kind.whole {
		found = append(found, equal(field, word))
	}
	return anyOf(found...)
}

func exists(field string) object { return object{"exists": object{"field": field}} }

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
