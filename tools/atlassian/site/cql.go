package site

import (
	"time"

	"sallyport/tools/atlassian/query"
)

// SearchContent answers a CQL search. Without ORDER BY the last changed page comes first.
func (s *Site) SearchContent(viewer, cql string) ([]Content, error) {
	q, err := query.Parse(query.CQL, cql)
	if err != nil {
		return nil, badQuery(err)
	}
	if q.Order == nil {
		q.Order = []query.Sort{{Field: "lastmodified", Desc: true}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.contentFields().Select(q, query.Env{Viewer: viewer, Now: s.now()}, s.contents)
	if err != nil {
		return nil, badQuery(err)
	}
	copies := make([]Content, len(found))
	for n, c := range found {
		copies[n] = c.clone()
	}
	return copies, nil
}

func (s *Site) contentFields() query.Schema[*Content] {
	everything := func(c *Content) string { return c.Title + "\n" + c.Body + "\n" + commentsText(c.Comments) }
	fields := query.Schema[*Content]{
		"space":        {Values: one(func(c *Content) string { return c.Space }), Resolve: s.resolveSpace, Compare: by(func(c *Content) string { return c.Space })},
		"type":         {Values: one(func(c *Content) string { return c.Type }), Compare: by(func(c *Content) string { return c.Type })},
		"title":        textField(func(c *Content) string { return c.Title }),
		"text":         {Text: everything},
		"label":        {Values: func(c *Content) []string { return c.Labels }},
		"id":           {Values: one(func(c *Content) string { return c.ID }), Compare: by(func(c *Content) string { return c.ID })},
		"parent":       {Values: one(func(c *Content) string { return c.Parent })},
		"ancestor":     {Values: s.ancestors},
		"creator":      {Values: one(func(c *Content) string { return c.Author }), Resolve: s.resolvePerson, Compare: by(func(c *Content) string { return c.Author })},
		"contributor":  {Values: contributors, Resolve: s.resolvePerson},
		"created":      timeField(func(c *Content) time.Time { return c.Created }),
		"lastmodified": timeField(func(c *Content) time.Time { return c.Current().At }),
	}
	for alias, name := range map[string]string{"space.key": "space", "content": "id", "sitesearch": "text", "space.id": "space"} {
		fields[alias] = fields[name]
	}
	return fields
}

// ancestors lists the pages above a page, nearest first. The caller holds mu.
func (s *Site) ancestors(c *Content) []string {
	var above []string
	for c.Parent != "" {
		parent, err := s.findContent(c.Parent)
		if err != nil {
			return above
		}
		above = append(above, parent.ID)
		c = parent
	}
	return above
}

func contributors(c *Content) []string {
	all := make([]string, len(c.Versions))
	for i, v := range c.Versions {
		all[i] = v.Author
	}
	return all
}
