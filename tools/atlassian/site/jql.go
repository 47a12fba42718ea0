package site

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/tools/atlassian/query"
)

// SearchIssues answers a JQL search. Without ORDER BY the newest issue comes first.
func (s *Site) SearchIssues(viewer, jql string) ([]Issue, error) {
	q, err := query.Parse(query.JQL, jql)
	if err != nil {
		return nil, badQuery(err)
	}
	if q.Where == nil {
		// Jira's enhanced search refuses these since 2025.
		return nil, refuse(400, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
	}
	if q.Order == nil {
		q.Order = []query.Sort{{Field: "created", Desc: true}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.issueFields().Select(q, query.Env{Viewer: viewer, Now: s.now()}, s.issues)
	if err != nil {
		return nil, badQuery(err)
	}
	copies := make([]Issue, len(found))
	for n, i := range found {
		copies[n] = i.clone()
	}
	return copies, nil
}

func badQuery(err error) error {
	if bad, ok := errors.AsType[*query.Error](err); ok {
		return refuse(400, "%s", bad.Message)
	}
	return err
}

func (s *Site) issueFields() query.Schema[*Issue] {
	fields := query.Schema[*Issue]{
		"text": {Text: func(i *Issue) string {
			return strings.Join([]string{i.Summary, i.Description, commentsText(i.Comments)}, "\n")
		}},
		"summary":        textField(func(i *Issue) string { return i.Summary }),
		"description":    textField(func(i *Issue) string { return i.Description }),
		"comment":        {Text: func(i *Issue) string { return commentsText(i.Comments) }},
		"project":        {Values: one(func(i *Issue) string { return i.Project }), Resolve: s.resolveProject, Compare: by(func(i *Issue) string { return i.Project })},
		"key":            {Values: func(i *Issue) []string { return []string{i.Key} }, Resolve: s.resolveKey, Rank: keyNumber, Compare: compareKeys},
		"status":         {Values: one(func(i *Issue) string { return i.Status }), Resolve: resolveStatus, Compare: by(func(i *Issue) string { return i.Status })},
		"statuscategory": {Values: one(func(i *Issue) string { return category(i.Status) })},
		"resolution":     {Values: one(resolutionName), Compare: by(resolutionName)},
		"issuetype":      {Values: one(func(i *Issue) string { return i.Type }), Resolve: resolveType, Compare: by(func(i *Issue) string { return i.Type })},
		"priority":       {Values: one(func(i *Issue) string { return i.Priority }), Resolve: resolvePriority, Rank: priorityRank, Compare: comparePriorities},
		"assignee":       {Values: one(func(i *Issue) string { return i.Assignee }), Resolve: s.resolvePerson, Compare: by(func(i *Issue) string { return i.Assignee })},
		"reporter":       {Values: one(func(i *Issue) string { return i.Reporter }), Resolve: s.resolvePerson, Compare: by(func(i *Issue) string { return i.Reporter })},
		"watcher":        {Values: func(i *Issue) []string { return i.Watchers }, Resolve: s.resolvePerson},
		"labels":         {Values: func(i *Issue) []string { return i.Labels }},
		"parent":         {Values: one(func(i *Issue) string { return i.Parent })},
		"created":        timeField(func(i *Issue) time.Time { return i.Created }),
		"updated":        timeField(func(i *Issue) time.Time { return i.Updated }),
		"duedate":        timeField(dueTime),
	}
	for alias, name := range map[string]string{
		"issue": "key", "issuekey": "key", "id": "key", "type": "issuetype", "creator": "reporter",
		"label": "labels", "due": "duedate", "createddate": "created", "updateddate": "updated",
	} {
		fields[alias] = fields[name]
	}
	return fields
}

func one[T any](value func(T) string) func(T) []string {
	return func(item T) []string {
		if v := value(item); v != "" {
			return []string{v}
		}
		return nil
	}
}

func by[T any](value func(T) string) func(a, b T) int {
	return func(a, b T) int { return cmp.Compare(value(a), value(b)) }
}

func textField[T any](text func(T) string) query.Field[T] {
	return query.Field[T]{Text: text, Compare: by(text)}
}

func timeField[T any](at func(T) time.Time) query.Field[T] {
	return query.Field[T]{Time: at, Compare: func(a, b T) int { return at(a).Compare(at(b)) }}
}

func commentsText(all []Comment) string {
	var b strings.Builder
	for _, c := range all {
		b.WriteString(c.Body + "\n")
	}
	return b.String()
}

func resolutionName(i *Issue) string { return cmp.Or(i.Resolution, "Unresolved") }

func dueTime(i *Issue) time.Time {
	at, err := time.Parse(time.DateOnly, i.Due)
	if err != nil {
		return time.Time{}
	}
	return at
}

func category(status string) string {
	known, _ := StatusNamed(status)
	return known.Category
}

func (s *Site) resolveProject(text string) (string, bool) {
	for _, p := range s.projects {
		if strings.EqualFold(p.Key, text) || p.ID == text || strings.EqualFold(p.Name, text) {
			return p.Key, true
		}
	}
	return "", false
}

func (s *Site) resolveKey(text string) (string, bool) {
	i, err := s.find(text)
	if err != nil {
		return "", false
	}
	return i.Key, true
}

func resolveStatus(text string) (string, bool) {
	for _, s := range Statuses {
		if s.ID == text || strings.EqualFold(s.Name, text) {
			return s.Name, true
		}
	}
	return "", false
}

func resolveType(text string) (string, bool) {
	for name, id := range IssueTypes {
		if id == text || strings.EqualFold(name, text) {
			return name, true
		}
	}
	return "", false
}

func resolvePriority(text string) (string, bool) {
	i := slices.IndexFunc(Priorities, func(p string) bool { return strings.EqualFold(p, text) })
	return text, i >= 0
}

func priorityRank(name string) int {
	return slices.IndexFunc(Priorities, func(p string) bool { return strings.EqualFold(p, name) })
}

func comparePriorities(a, b *Issue) int {
	return cmp.Compare(priorityRank(a.Priority), priorityRank(b.Priority))
}

func keyNumber(key string) int {
	_, number, _ := strings.Cut(key, "-")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return n
}

func compareKeys(a, b *Issue) int {
	return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(keyNumber(a.Key), keyNumber(b.Key)))
}
