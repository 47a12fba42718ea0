package site

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed seed.yaml
var seedYAML []byte

// seed is the form of seed.yaml. People are named there by the part of their e-mail before the @.
type seed struct {
	People []struct {
		ID, Email, Name, Title string
		Groups                 []string
	}
	Projects []struct {
		ID, Key, Name, Lead string
		Types               []string
	}
	Issues []struct {
		Key, Type, Summary, Description, Status, Priority string
		Assignee, Reporter, Parent, Due, Age              string
		Labels, Comments                                  []string
	}
	Links    []struct{ Type, Inward, Outward string }
	Spaces   []struct{ ID, Key, Name, Type, Home string }
	Contents []struct {
		ID, Space, Type, Title, Parent, Author, Body string
		Age                                          int
		Labels, Comments                             []string
	}
}

// Reset brings the site back to its seed, people's groups included.
func (s *Site) Reset() error {
	var from seed
	if err := yaml.Unmarshal(seedYAML, &from); err != nil {
		return fmt.Errorf("reading the site's seed: %w", err)
	}
	s.mu.Lock()
	s.people, s.projects, s.issues, s.spaces, s.contents = nil, nil, nil, nil, nil
	s.lastID, s.nextKey, s.seededGroups = 20000, map[string]int{}, map[string][]Group{}
	err := s.seedPeople(from)
	if err == nil {
		err = s.seedIssues(from)
	}
	if err == nil {
		err = s.seedContents(from)
	}
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("reading the site's seed: %w", err)
	}
	for _, l := range from.Links {
		if err := s.LinkIssues(l.Type, l.Inward, l.Outward); err != nil {
			return fmt.Errorf("reading the site's seed: %w", err)
		}
	}
	return nil
}

func (s *Site) seedPeople(from seed) error {
	for _, p := range from.People {
		groups, err := groupsNamed(p.Groups)
		if err != nil {
			return err
		}
		s.seededGroups[p.Email] = slices.Clone(groups)
		s.people = append(s.people, &Person{p.ID, p.Email, p.Name, p.Title, groups, []string{Host}})
	}
	for _, sp := range from.Spaces {
		s.spaces = append(s.spaces, Space{sp.ID, sp.Key, sp.Name, sp.Type, sp.Home})
	}
	for _, p := range from.Projects {
		s.projects = append(s.projects, Project{p.ID, p.Key, p.Name, s.account(p.Lead), p.Types})
	}
	return nil
}

// account returns the account id of ana, bo or cy; of nobody for an empty name.
func (s *Site) account(name string) string {
	id, _ := s.resolvePerson(name + "@acme.test")
	return id
}

func (s *Site) seedIssues(from seed) error {
	now := s.now()
	for n, i := range from.Issues {
		var created, updated int
		if _, err := fmt.Sscanf(i.Age, "%d/%d", &created, &updated); err != nil {
			return fmt.Errorf("age of %s: %w", i.Key, err)
		}
		project, _, _ := strings.Cut(i.Key, "-")
		s.nextKey[project]++
		issue := &Issue{
			ID: fmt.Sprint(10101 + n), Key: i.Key, Project: project, Type: i.Type, Status: i.Status, Priority: i.Priority,
			Summary: i.Summary, Description: i.Description, Assignee: s.account(i.Assignee), Reporter: s.account(i.Reporter),
			Parent: i.Parent, Labels: i.Labels, Watchers: []string{s.account(i.Reporter)}, Due: i.Due,
			Created: daysBefore(now, created), Updated: daysBefore(now, updated), Comments: s.seedComments(i.Comments, daysBefore(now, updated)),
		}
		if category(i.Status) == "Done" {
			issue.Resolution = "Done"
		}
		s.issues = append(s.issues, issue)
	}
	return nil
}

// daysBefore leaves an hour, so that `-7d` decides the same way whenever a test runs.
func daysBefore(now time.Time, days int) time.Time {
	return now.AddDate(0, 0, -days).Add(-time.Hour)
}

func (s *Site) seedComments(texts []string, at time.Time) []Comment {
	var all []Comment
	for _, text := range texts {
		name, body, _ := strings.Cut(text, ": ")
		all = append(all, Comment{s.newID(), s.account(name), body, at, at})
	}
	return all
}

func (s *Site) seedContents(from seed) error {
	for _, c := range from.Contents {
		author, at := s.account(c.Author), daysBefore(s.now(), c.Age)
		if c.Type == "" {
			c.Type = "page"
		}
		if _, ok := s.resolveSpace(c.Space); !ok {
			return fmt.Errorf("page %s: no space %s", c.ID, c.Space)
		}
		s.contents = append(s.contents, &Content{
			ID: c.ID, Type: c.Type, Status: "current", Title: c.Title, Body: c.Body, Space: c.Space, Parent: c.Parent,
			Author: author, Labels: c.Labels, Created: at, Versions: []Version{{1, author, "", at}}, Comments: s.seedComments(c.Comments, at),
		})
	}
	return nil
}
