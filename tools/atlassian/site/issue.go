package site

import (
	"slices"
	"strings"
	"time"
)

// Project is a Jira project.
type Project struct {
	ID, Key, Name string
	Lead          string
	IssueTypes    []string
}

// Issue is a Jira issue. People are account ids; an empty Assignee is nobody.
type Issue struct {
	ID, Key, Project     string
	Type, Status         string
	Priority, Resolution string
	Summary, Description string
	Assignee, Reporter   string
	Parent               string
	Labels, Watchers     []string
	Created, Updated     time.Time
	Due                  string
	Comments             []Comment
	Worklogs             []Worklog
	Links                []Link
	Changes              []Change
}

// Comment is a comment on an issue or on a page.
type Comment struct {
	ID, Author, Body string
	Created, Updated time.Time
}

// Worklog is time spent on an issue.
type Worklog struct {
	ID, Author, Comment string
	TimeSpent           string
	Seconds             int
	Started             time.Time
}

// Link is one end of a link between two issues: Phrase reads from the holder to Other.
type Link struct {
	ID, Type, Phrase string
	Other            string
	Outward          bool
}

// Change is one entry of an issue's history.
type Change struct {
	ID, Author      string
	At              time.Time
	Field, From, To string
}

// Status of the one workflow all projects share, and the transition that leads to it.
type Status struct {
	ID, Name, Category         string
	TransitionID, TransitionTo string
}

// Statuses of the workflow; every one can be reached from every other.
var Statuses = []Status{
	{"10000", "To Do", "To Do", "11", "To Do"},
	{"3", "In Progress", "In Progress", "21", "Start Progress"},
	{"10001", "In Review", "In Progress", "31", "Send to Review"},
	{"10002", "Done", "Done", "41", "Done"},
}

// Priorities from lowest to highest.
var Priorities = []string{"Lowest", "Low", "Medium", "High", "Highest"}

// LinkType says how two issues are linked, read from either end.
type LinkType struct{ ID, Name, Inward, Outward string }

// LinkTypes of the site.
var LinkTypes = []LinkType{
	{"10000", "Blocks", "is blocked by", "blocks"},
	{"10001", "Cloners", "is cloned by", "clones"},
	{"10002", "Duplicate", "is duplicated by", "duplicates"},
	{"10003", "Relates", "relates to", "relates to"},
}

// IssueTypes by name, with their ids.
var IssueTypes = map[string]string{"Task": "10003", "Story": "10004", "Bug": "10005", "Epic": "10000", "Sub-task": "10006"}

// StatusNamed finds a status without regard to case.
func StatusNamed(name string) (Status, bool) {
	i := slices.IndexFunc(Statuses, func(s Status) bool { return strings.EqualFold(s.Name, name) })
	if i < 0 {
		return Status{}, false
	}
	return Statuses[i], true
}

func (i *Issue) clone() Issue {
	c := *i
	c.Labels, c.Watchers = slices.Clone(i.Labels), slices.Clone(i.Watchers)
	c.Comments, c.Worklogs = slices.Clone(i.Comments), slices.Clone(i.Worklogs)
	c.Links, c.Changes = slices.Clone(i.Links), slices.Clone(i.Changes)
	return c
}

// find returns the issue with the id or key. The caller holds mu.
func (s *Site) find(idOrKey string) (*Issue, error) {
	for _, i := range s.issues {
		if i.ID == idOrKey || strings.EqualFold(i.Key, idOrKey) {
			return i, nil
		}
	}
	return nil, refuse(404, "Issue does not exist or you do not have permission to see it.")
}

// Issue returns an issue by its id or key.
func (s *Site) Issue(idOrKey string) (Issue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.find(idOrKey)
	if err != nil {
		return Issue{}, err
	}
	return i.clone(), nil
}

// Projects lists the projects whose key or name contains the text; an empty text means all.
func (s *Site) Projects(contains string) []Project {
	s.mu.Lock()
	defer s.mu.Unlock()
	contains = strings.ToLower(contains)
	var found []Project
	for _, p := range s.projects {
		if strings.Contains(strings.ToLower(p.Key+" "+p.Name), contains) {
			found = append(found, p)
		}
	}
	return found
}

// Project returns a project by its id or key.
func (s *Site) Project(idOrKey string) (Project, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.projects {
		if p.ID == idOrKey || strings.EqualFold(p.Key, idOrKey) {
			return p, nil
		}
	}
	return Project{}, refuse(404, "No project could be found with key '%s'.", idOrKey)
}
