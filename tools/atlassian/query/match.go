package query

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (f Field[T]) values(c Clause, env Env) (func(T) bool, error) {
	var wanted []string
	for _, o := range c.Of {
		value, err := f.resolve(c, o, env)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, value)
	}
	has := func(item T) bool {
		return slices.ContainsFunc(f.Values(item), func(value string) bool {
			return slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, value) })
		})
	}
	switch c.Op {
	case "=", "IN":
		return has, nil
	case "!=", "NOT IN":
		// As in Jira, an empty field is neither equal nor unequal to a value.
		return func(item T) bool { return !f.empty(item) && !has(item) }, nil
	case "<", "<=", ">", ">=":
		if f.Rank == nil {
			return nil, unsupported(c)
		}
		bound := f.Rank(wanted[0])
		return func(item T) bool {
			return slices.ContainsFunc(f.Values(item), func(value string) bool { return ordered(c.Op, f.Rank(value)-bound) })
		}, nil
	}
	return nil, unsupported(c)
}

func (f Field[T]) resolve(c Clause, o Operand, env Env) (string, error) {
	text := o.Text
	if o.Func != "" {
		if !strings.EqualFold(o.Func, "currentUser") {
			return "", &Error{fmt.Sprintf("Unable to find JQL function '%s(%s)'.", o.Func, strings.Join(o.Args, ", "))}
		}
		text = env.Viewer
	}
	if f.Resolve == nil {
		return text, nil
	}
	value, ok := f.Resolve(text)
	if !ok {
		return "", &Error{fmt.Sprintf("The value '%s' does not exist for the field '%s'.", text, c.Field)}
	}
	return value, nil
}

func ordered(op string, difference int) bool {
	switch op {
	case "<":
		return difference < 0
	case "<=":
		return difference <= 0
	case ">":
		return difference > 0
	}
	return difference >= 0
}

// text searches by words: all must be there, in any order; "a phrase" in quotation marks must be there
// as it is; a trailing * takes any ending. The `=` of a text field, which CQL has for titles, compares all of it.
func (f Field[T]) text(c Clause) (func(T) bool, error) {
	if len(c.Of) != 1 || c.Of[0].Func != "" {
		return nil, unsupported(c)
	}
	wanted := c.Of[0].Text
	switch c.Op {
	case "~", "!~":
		contains := textMatcher(wanted)
		return func(item T) bool { return contains(f.Text(item)) == (c.Op == "~") }, nil
	case "=", "!=":
		return func(item T) bool { return strings.EqualFold(f.Text(item), wanted) == (c.Op == "=") }, nil
	}
	return nil, unsupported(c)
}

var searchTerm = regexp.MustCompile(`"[^"]*"|[\p{L}\p{N}_]+\*?`)

func textMatcher(wanted string) func(string) bool {
	var terms []*regexp.Regexp
	for _, term := range searchTerm.FindAllString(wanted, -1) {
		phrase := strings.Trim(term, `"`)
		ending := `(?:$|[^\p{L}\p{N}_])`
		if stem, ok := strings.CutSuffix(phrase, "*"); ok {
			phrase, ending = stem, ""
		}
		terms = append(terms, regexp.MustCompile(`(?i)(?:^|[^\p{L}\p{N}_])`+regexp.QuoteMeta(phrase)+ending))
	}
	return func(text string) bool {
		return len(terms) > 0 && !slices.ContainsFunc(terms, func(r *regexp.Regexp) bool { return !r.MatchString(text) })
	}
}

func (f Field[T]) time(c Clause, env Env) (func(T) bool, error) {
	if len(c.Of) != 1 || c.Op == "~" || c.Op == "!~" || c.Op == "IN" || c.Op == "NOT IN" {
		return nil, unsupported(c)
	}
	bound, ok := moment(c.Of[0], env.Now)
	if !ok {
		return nil, &Error{fmt.Sprintf("Date value '%s' for field '%s' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.", c.Of[0].Text, c.Field)}
	}
	return func(item T) bool {
		at := f.Time(item)
		switch {
		case at.IsZero():
			return false
		case c.Op == "=":
			return at.Equal(bound)
		case c.Op == "!=":
			return !at.Equal(bound)
		}
		return ordered(c.Op, at.Compare(bound))
	}, nil
}

var layouts = []string{"2006-01-02 15:04", "2006/01/02 15:04", "2006-01-02", "2006/01/02", time.RFC3339}

func moment(o Operand, now time.Time) (time.Time, bool) {
	switch strings.ToLower(o.Func) {
	case "":
		for _, layout := range layouts {
			if at, err := time.ParseInLocation(layout, o.Text, now.Location()); err == nil {
				return at, true
			}
		}
		offset, ok := period(o.Text)
		return now.Add(offset), ok
	case "now":
	case "startofday", "endofday":
		now = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
		if strings.EqualFold(o.Func, "endOfDay") {
			now = now.AddDate(0, 0, 1).Add(-time.Millisecond)
		}
	case "startofweek":
		now = time.Date(now.Year(), now.Month(), now.Day()-int(now.Weekday()), 0, 0, 0, 0, now.Location())
	case "startofmonth":
		now = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	default:
		return time.Time{}, false
	}
	if len(o.Args) == 0 {
		return now, true
	}
	offset, ok := period(o.Args[0])
	return now.Add(offset), ok
}

var (
	periodShape = regexp.MustCompile(`^[+-]?(\d+[mhdw]\s*)+$`)
	periodPart  = regexp.MustCompile(`(\d+)([mhdw])`)
)

var units = map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// period reads Jira's "-5d" or "4w 2d"; without a sign it lies in the future.
func period(text string) (time.Duration, bool) {
	if !periodShape.MatchString(text) {
		return 0, false
	}
	var sum time.Duration
	for _, part := range periodPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(part[1])
		if err != nil {
			return 0, false
		}
		sum += time.Duration(n) * units[part[2]]
	}
	if strings.HasPrefix(text, "-") {
		sum = -sum
	}
	return sum, true
}
