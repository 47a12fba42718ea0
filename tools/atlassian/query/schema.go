package query

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Env is what a query may refer to beside the items: who asks, and when.
type Env struct {
	Viewer string
	Now    time.Time
}

// Field says how one field of T is searched. Exactly one of Values, Text and Time is set.
type Field[T any] struct {
	// Values are the field's exact values, compared without regard to case; none means EMPTY.
	Values func(T) []string
	// Resolve turns a written value into the stored one, or refuses it; nil takes it as written.
	Resolve func(string) (string, bool)
	// Rank orders values of an ordered field such as priority or key; nil means `<` isn't supported.
	Rank func(string) int
	// Text is searched by words with `~`.
	Text func(T) string
	// Time is compared with dates; the zero time is EMPTY.
	Time func(T) time.Time
	// Compare orders items for ORDER BY; nil means the field can't be ordered by.
	Compare func(a, b T) int
}

// Schema names the fields of T in lower case.
type Schema[T any] map[string]Field[T]

// Select returns the items that match, in the asked order; items keep their order otherwise.
// Its error is an *Error in the product's words.
func (s Schema[T]) Select(q Query, env Env, items []T) ([]T, error) {
	match := func(T) bool { return true }
	if q.Where != nil {
		var err error
		if match, err = s.compile(q.Where, env); err != nil {
			return nil, err
		}
	}
	compare, err := s.comparison(q)
	if err != nil {
		return nil, err
	}
	var found []T
	for _, item := range items {
		if match(item) {
			found = append(found, item)
		}
	}
	slices.SortStableFunc(found, compare)
	return found, nil
}

func (s Schema[T]) comparison(q Query) (func(a, b T) int, error) {
	type term struct {
		compare func(a, b T) int
		sign    int
	}
	var terms []term
	for _, sort := range q.Order {
		f, ok := s[strings.ToLower(sort.Field)]
		if !ok || f.Compare == nil {
			return nil, &Error{fmt.Sprintf("Field '%s' does not exist or this field cannot be viewed by anonymous users.", sort.Field)}
		}
		t := term{f.Compare, 1}
		if sort.Desc {
			t.sign = -1
		}
		terms = append(terms, t)
	}
	return func(a, b T) int {
		for _, t := range terms {
			if c := t.compare(a, b); c != 0 {
				return c * t.sign
			}
		}
		return 0
	}, nil
}

func (s Schema[T]) compile(e Expr, env Env) (func(T) bool, error) {
	switch e := e.(type) {
	case And:
		parts, err := s.compileAll(e, env)
		return func(item T) bool {
			return !slices.ContainsFunc(parts, func(match func(T) bool) bool { return !match(item) })
		}, err
	case Or:
		parts, err := s.compileAll(e, env)
		return func(item T) bool {
			return slices.ContainsFunc(parts, func(match func(T) bool) bool { return match(item) })
		}, err
	case Not:
		match, err := s.compile(e.Of, env)
		return func(item T) bool { return !match(item) }, err
	case Clause:
		return s.clause(e, env)
	}
	return nil, fmt.Errorf("unknown expression %T", e)
}

func (s Schema[T]) compileAll(exprs []Expr, env Env) ([]func(T) bool, error) {
	parts := make([]func(T) bool, len(exprs))
	for i, e := range exprs {
		var err error
		if parts[i], err = s.compile(e, env); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func (s Schema[T]) clause(c Clause, env Env) (func(T) bool, error) {
	f, ok := s[strings.ToLower(c.Field)]
	if !ok {
		return nil, &Error{fmt.Sprintf("Field '%s' does not exist or you do not have permission to view it.", c.Field)}
	}
	switch {
	case c.Op == "IS" || c.Op == "IS NOT":
		return func(item T) bool { return f.empty(item) == (c.Op == "IS") }, nil
	case isEmptyWord(c):
		return func(item T) bool { return f.empty(item) == (c.Op == "=") }, nil
	case f.Text != nil:
		return f.text(c)
	case f.Time != nil:
		return f.time(c, env)
	}
	return f.values(c, env)
}

// isEmptyWord reports `field = EMPTY`, which both languages take for IS EMPTY.
func isEmptyWord(c Clause) bool {
	return (c.Op == "=" || c.Op == "!=") && len(c.Of) == 1 && (strings.EqualFold(c.Of[0].Text, "EMPTY") || strings.EqualFold(c.Of[0].Text, "NULL"))
}

func (f Field[T]) empty(item T) bool {
	switch {
	case f.Text != nil:
		return f.Text(item) == ""
	case f.Time != nil:
		return f.Time(item).IsZero()
	}
	return len(f.Values(item)) == 0
}

func unsupported(c Clause) error {
	return &Error{fmt.Sprintf("The operator '%s' is not supported by the '%s' field.", strings.ToLower(c.Op), c.Field)}
}
