package site

import (
	"slices"
	"strings"
	"time"
)

// Space is a Confluence space.
type Space struct {
	ID, Key, Name, Type string
	HomepageID          string
}

// Content is a page or a blog post. Body is markdown.
type Content struct {
	ID, Type, Status string
	Title, Body      string
	Space, Parent    string
	Author           string
	Labels           []string
	Created          time.Time
	Versions         []Version
	Comments         []Comment
}

// Version is one state of a page's text; the last is the current one.
type Version struct {
	Number  int
	Author  string
	Message string
	At      time.Time
}

// Current returns the newest version.
func (c *Content) Current() Version { return c.Versions[len(c.Versions)-1] }

func (c *Content) clone() Content {
	copied := *c
	copied.Labels = slices.Clone(c.Labels)
	copied.Versions = slices.Clone(c.Versions)
	copied.Comments = slices.Clone(c.Comments)
	return copied
}

// Spaces lists the spaces with one of the keys; none means all.
func (s *Site) Spaces(keys ...string) []Space {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.spaces), func(sp Space) bool {
		return len(keys) > 0 && !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, sp.Key) })
	})
}

func (s *Site) resolveSpace(idOrKey string) (string, bool) {
	for _, sp := range s.spaces {
		if sp.ID == idOrKey || strings.EqualFold(sp.Key, idOrKey) {
			return sp.Key, true
		}
	}
	return "", false
}

func (s *Site) findContent(id string) (*Content, error) {
	i := slices.IndexFunc(s.contents, func(c *Content) bool { return c.ID == id })
	if i < 0 {
		return nil, refuse(404, "No content found with id: %s", id)
	}
	return s.contents[i], nil
}

// Content returns a page by its id.
func (s *Site) Content(id string) (Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.findContent(id)
	if err != nil {
		return Content{}, err
	}
	return c.clone(), nil
}

// Contents lists what is in a space (key or id) or below a page; an empty text leaves that open.
func (s *Site) Contents(space, parent string) ([]Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := s.resolveSpace(space)
	if space != "" && !ok {
		return nil, refuse(404, "No space with key or id : %s", space)
	}
	var found []Content
	for _, c := range s.contents {
		if (space == "" || c.Space == key) && (parent == "" || c.Parent == parent) {
			found = append(found, c.clone())
		}
	}
	return found, nil
}

// NewContent is what a caller says of a page to create. Space may be left empty when Parent is a page.
type NewContent struct {
	Type, Title, Body string
	Space, Parent     string
}

// CreateContent writes a page as the actor. A title is unique in its space.
func (s *Site) CreateContent(actor string, n NewContent) (Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Parent != "" {
		parent, err := s.findContent(n.Parent)
		if err != nil {
			return Content{}, err
		}
		n.Space = parent.Space
	}
	space, ok := s.resolveSpace(n.Space)
	if !ok {
		return Content{}, refuse(404, "No space with key or id : %s", n.Space)
	}
	if strings.TrimSpace(n.Title) == "" {
		return Content{}, refuse(400, "Title is required to create a page.")
	}
	if slices.ContainsFunc(s.contents, func(c *Content) bool { return c.Space == space && strings.EqualFold(c.Title, n.Title) }) {
		return Content{}, refuse(400, "A page with this title already exists: A page already exists with the same TITLE in this space")
	}
	now := s.now()
	c := &Content{
		ID: s.newID(), Type: n.Type, Status: "current", Title: n.Title, Body: n.Body, Space: space, Parent: n.Parent,
		Author: actor, Created: now, Versions: []Version{{1, actor, "", now}},
	}
	s.contents = append(s.contents, c)
	return c.clone(), nil
}

// UpdateContent gives a page a new version. Empty title or body leave them as they are.
func (s *Site) UpdateContent(actor, id, title, body, message string) (Content, error) {
	return s.changeContent(id, func(c *Content) error {
		if title != "" {
			c.Title = title
		}
		if body != "" {
			c.Body = body
		}
		c.Versions = append(c.Versions, Version{c.Current().Number + 1, actor, message, s.now()})
		return nil
	})
}

// LabelContent adds labels to a page.
func (s *Site) LabelContent(id string, labels []string) (Content, error) {
	return s.changeContent(id, func(c *Content) error {
		for _, label := range labels {
			if !slices.Contains(c.Labels, label) {
				c.Labels = append(c.Labels, label)
			}
		}
		return nil
	})
}

// PutContentComment adds a comment to a page, or changes the one with the comment id.
func (s *Site) PutContentComment(actor, id, commentID, body string) (Comment, error) {
	var comment Comment
	_, err := s.changeContent(id, func(c *Content) error {
		var err error
		comment, err = s.putComment(&c.Comments, actor, commentID, body)
		return err
	})
	return comment, err
}

func (s *Site) changeContent(id string, edit func(*Content) error) (Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.findContent(id)
	if err != nil {
		return Content{}, err
	}
	if err := edit(c); err != nil {
		return Content{}, err
	}
	return c.clone(), nil
}
