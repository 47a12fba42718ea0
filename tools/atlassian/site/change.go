package site

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fields are an issue's fields as a caller gives them; nil leaves a field as it is.
type Fields struct {
	Summary, Description, Type *string
	Priority, Assignee         *string
	Parent, Due                *string
	Labels                     *[]string
}

// CreateIssue files an issue in the project, reported by the actor.
func (s *Site) CreateIssue(actor, project string, f Fields) (Issue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := slices.IndexFunc(s.projects, func(p Project) bool { return strings.EqualFold(p.Key, project) || p.ID == project })
	if p < 0 {
		return Issue{}, refuse(400, "valid project is required")
	}
	now := s.now()
	i := &Issue{
		Project: s.projects[p].Key, Type: "Task", Status: "To Do", Priority: "Medium",
		Reporter: actor, Watchers: []string{actor}, Created: now, Updated: now,
	}
	if f.Summary == nil || strings.TrimSpace(*f.Summary) == "" {
		return Issue{}, refuse(400, "You must specify a summary of the issue.")
	}
	if err := s.apply(i, f); err != nil {
		return Issue{}, err
	}
	s.nextKey[i.Project]++
	i.ID, i.Key = s.newID(), fmt.Sprintf("%s-%d", i.Project, s.nextKey[i.Project])
	s.issues = append(s.issues, i)
	return i.clone(), nil
}

// EditIssue changes the given fields and writes the change into the issue's history.
func (s *Site) EditIssue(actor, idOrKey string, f Fields) (Issue, error) {
	return s.change(idOrKey, func(i *Issue) error {
		before := i.clone()
		if err := s.apply(i, f); err != nil {
			*i = before
			return err
		}
		s.record(i, actor, "summary", before.Summary, i.Summary)
		s.record(i, actor, "description", before.Description, i.Description)
		s.record(i, actor, "priority", before.Priority, i.Priority)
		s.record(i, actor, "assignee", before.Assignee, i.Assignee)
		s.record(i, actor, "labels", strings.Join(before.Labels, " "), strings.Join(i.Labels, " "))
		return nil
	})
}

// change runs the edit on one issue and marks it updated. The site is locked meanwhile.
func (s *Site) change(idOrKey string, edit func(*Issue) error) (Issue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.find(idOrKey)
	if err != nil {
		return Issue{}, err
	}
	if err := edit(i); err != nil {
		return Issue{}, err
	}
	i.Updated = s.now()
	return i.clone(), nil
}

func (s *Site) record(i *Issue, actor, field, from, to string) {
	if from != to {
		i.Changes = append(i.Changes, Change{s.newID(), actor, s.now(), field, from, to})
	}
}

func (s *Site) apply(i *Issue, f Fields) error {
	if f.Type != nil {
		name, ok := foldedKey(IssueTypes, *f.Type)
		if !ok {
			return refuse(400, "Specify a valid issue type")
		}
		i.Type = name
	}
	if f.Priority != nil {
		p := slices.IndexFunc(Priorities, func(p string) bool { return strings.EqualFold(p, *f.Priority) })
		if p < 0 {
			return refuse(400, "Specify the Priority (name) as a string")
		}
		i.Priority = Priorities[p]
	}
	if f.Assignee != nil {
		id, ok := s.resolvePerson(*f.Assignee)
		if !ok && *f.Assignee != "" {
			return refuse(400, "Specify a valid value for assignee")
		}
		i.Assignee = id
	}
	if f.Parent != nil {
		parent, err := s.find(*f.Parent)
		if err != nil {
			return refuse(400, "Given parent issue does not exist.")
		}
		i.Parent = parent.Key
	}
	assign(&i.Summary, f.Summary)
	assign(&i.Description, f.Description)
	assign(&i.Due, f.Due)
	if f.Labels != nil {
		i.Labels = slices.Clone(*f.Labels)
	}
	return nil
}

func assign(to, from *string) {
	if from != nil {
		*to = *from
	}
}

func foldedKey(m map[string]string, name string) (string, bool) {
	for key := range m {
		if strings.EqualFold(key, name) {
			return key, true
		}
	}
	return "", false
}

// DeleteIssue removes an issue and the links to it.
func (s *Site) DeleteIssue(idOrKey string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone, err := s.find(idOrKey)
	if err != nil {
		return err
	}
	s.issues = slices.DeleteFunc(s.issues, func(i *Issue) bool { return i == gone })
	for _, i := range s.issues {
		i.Links = slices.DeleteFunc(i.Links, func(l Link) bool { return l.Other == gone.Key })
	}
	return nil
}

// Transition moves an issue through the workflow by a transition's id or name, or by the name of the
// status it leads to.
func (s *Site) Transition(actor, idOrKey, transition string) (Issue, error) {
	return s.change(idOrKey, func(i *Issue) error {
		for _, status := range Statuses {
			if status.TransitionID == transition || strings.EqualFold(status.TransitionTo, transition) || strings.EqualFold(status.Name, transition) {
				s.record(i, actor, "status", i.Status, status.Name)
				i.Status, i.Resolution = status.Name, ""
				if status.Category == "Done" {
					i.Resolution = "Done"
				}
				return nil
			}
		}
		return refuse(400, "Transition id '%s' is not valid for this issue.", transition)
	})
}

// LinkIssues links two issues by a type's name or id: with Blocks, "inward blocks outward". The names
// are those of Jira's REST API, where the inward issue is the one the link starts from.
func (s *Site) LinkIssues(typeName, inward, outward string) error {
	t := slices.IndexFunc(LinkTypes, func(t LinkType) bool { return strings.EqualFold(t.Name, typeName) || t.ID == typeName })
	if t < 0 {
		return refuse(404, "No issue link type with name '%s' found.", typeName)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in, err := s.find(inward)
	if err != nil {
		return err
	}
	out, err := s.find(outward)
	if err != nil {
		return err
	}
	id := s.newID()
	in.Links = append(in.Links, Link{id, LinkTypes[t].Name, LinkTypes[t].Outward, out.Key, true})
	out.Links = append(out.Links, Link{id, LinkTypes[t].Name, LinkTypes[t].Inward, in.Key, false})
	return nil
}

// Watch adds the person to the issue's watchers.
func (s *Site) Watch(idOrKey, accountID string) (Issue, error) {
	return s.change(idOrKey, func(i *Issue) error {
		if !slices.Contains(i.Watchers, accountID) {
			i.Watchers = append(i.Watchers, accountID)
		}
		return nil
	})
}

// PutComment adds a comment, or changes the one with the id.
func (s *Site) PutComment(actor, idOrKey, id, body string) (Comment, error) {
	var comment Comment
	_, err := s.change(idOrKey, func(i *Issue) error {
		var err error
		comment, err = s.putComment(&i.Comments, actor, id, body)
		return err
	})
	return comment, err
}

func (s *Site) putComment(all *[]Comment, actor, id, body string) (Comment, error) {
	now := s.now()
	if id == "" {
		c := Comment{s.newID(), actor, body, now, now}
		*all = append(*all, c)
		return c, nil
	}
	at := slices.IndexFunc(*all, func(c Comment) bool { return c.ID == id })
	if at < 0 {
		return Comment{}, refuse(404, "Can not find a comment for the id: %s.", id)
	}
	(*all)[at].Body, (*all)[at].Updated = body, now
	return (*all)[at], nil
}

// DeleteComment removes a comment of an issue.
func (s *Site) DeleteComment(idOrKey, id string) error {
	_, err := s.change(idOrKey, func(i *Issue) error {
		left := slices.DeleteFunc(slices.Clone(i.Comments), func(c Comment) bool { return c.ID == id })
		if len(left) == len(i.Comments) {
			return refuse(404, "Can not find a comment for the id: %s.", id)
		}
		i.Comments = left
		return nil
	})
	return err
}

// PutWorklog logs time such as "1h 30m", or changes the worklog with the id.
func (s *Site) PutWorklog(actor, idOrKey, id, spent, comment string) (Worklog, error) {
	seconds, ok := workSeconds(spent)
	if !ok {
		return Worklog{}, refuse(400, "You must indicate the time spent working.")
	}
	var log Worklog
	_, err := s.change(idOrKey, func(i *Issue) error {
		at := slices.IndexFunc(i.Worklogs, func(w Worklog) bool { return w.ID == id })
		if id != "" && at < 0 {
			return refuse(404, "Cannot find worklog with id: '%s'.", id)
		}
		if id == "" {
			i.Worklogs = append(i.Worklogs, Worklog{ID: s.newID(), Author: actor, Started: s.now()})
			at = len(i.Worklogs) - 1
		}
		w := &i.Worklogs[at]
		w.TimeSpent, w.Seconds, w.Comment = spent, seconds, comment
		log = *w
		return nil
	})
	return log, err
}

var workPart = regexp.MustCompile(`(\d+)([wdhm])`)

// workSeconds reads Jira's durations, with its working days of eight hours and weeks of five days.
func workSeconds(text string) (int, bool) {
	units := map[string]time.Duration{"w": 40 * time.Hour, "d": 8 * time.Hour, "h": time.Hour, "m": time.Minute}
	var sum time.Duration
	for _, part := range workPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(part[1])
		if err != nil {
			return 0, false
		}
		sum += time.Duration(n) * units[part[2]]
	}
	return int(sum.Seconds()), sum > 0
}
