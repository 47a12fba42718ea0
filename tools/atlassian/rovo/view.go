package rovo

import (
	"slices"
	"time"

	"sallyport/tools/atlassian/site"
)

// stamp writes a time as Jira's REST API does, without a colon in the zone.
func stamp(at time.Time) string { return at.Format("2006-01-02T15:04:05.000-0700") }

func issueSelf(i site.Issue) string {
	return "https://api.atlassian.com/ex/jira/" + site.CloudID + "/rest/api/3/issue/" + i.ID
}

// user is a person as Jira shows them, nil for nobody.
func (c call) user(accountID string) any {
	p, ok := c.site.Person(accountID)
	if !ok {
		return nil
	}
	return map[string]any{
		"accountId": p.AccountID, "accountType": "atlassian", "displayName": p.Name, "emailAddress": p.Email,
		"active": true, "timeZone": "Europe/Berlin", "locale": "en_US",
	}
}

func status(name string) map[string]any {
	s, _ := site.StatusNamed(name)
	keys := map[string]string{"To Do": "new", "In Progress": "indeterminate", "Done": "done"}
	return map[string]any{"id": s.ID, "name": s.Name, "statusCategory": map[string]any{"key": keys[s.Category], "name": s.Category}}
}

// issue is an issue with the named fields; none, or "*all", means all.
func (c call) issue(i site.Issue, names []string) map[string]any {
	fields := map[string]any{
		"summary": i.Summary, "description": i.Description, "status": status(i.Status),
		"issuetype": map[string]any{"id": site.IssueTypes[i.Type], "name": i.Type, "subtask": i.Type == "Sub-task"},
		"priority":  map[string]any{"name": i.Priority}, "labels": nonNil(i.Labels),
		"assignee": c.user(i.Assignee), "reporter": c.user(i.Reporter), "creator": c.user(i.Reporter),
		"created": stamp(i.Created), "updated": stamp(i.Updated), "duedate": orNull(i.Due),
		"resolution": nil, "parent": nil, "issuelinks": c.links(i),
		"comment":   map[string]any{"comments": c.comments(i.Comments), "total": len(i.Comments)},
		"watches":   map[string]any{"watchCount": len(i.Watchers), "isWatching": slices.Contains(i.Watchers, c.person.AccountID)},
		"worklog":   map[string]any{"total": len(i.Worklogs)},
		"timespent": spent(i),
	}
	if p, err := c.site.Project(i.Project); err == nil {
		fields["project"] = map[string]any{"id": p.ID, "key": p.Key, "name": p.Name}
	}
	if i.Resolution != "" {
		fields["resolution"] = map[string]any{"name": i.Resolution}
	}
	if i.Parent != "" {
		fields["parent"] = map[string]any{"key": i.Parent}
	}
	if len(names) > 0 && !slices.Contains(names, "*all") {
		for name := range fields {
			if !slices.Contains(names, name) {
				delete(fields, name)
			}
		}
	}
	return map[string]any{"id": i.ID, "key": i.Key, "self": issueSelf(i), "webUrl": site.URL + "/browse/" + i.Key, "fields": fields}
}

func (c call) links(i site.Issue) []any {
	list := []any{}
	for _, l := range i.Links {
		end := "inwardIssue"
		if l.Outward {
			end = "outwardIssue"
		}
		list = append(list, map[string]any{"id": l.ID, "type": map[string]any{"name": l.Type}, "phrase": l.Phrase, end: map[string]any{"key": l.Other}})
	}
	return list
}

func spent(i site.Issue) any {
	sum := 0
	for _, w := range i.Worklogs {
		sum += w.Seconds
	}
	if sum == 0 {
		return nil
	}
	return sum
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (c call) comment(m site.Comment) map[string]any {
	return map[string]any{"id": m.ID, "author": c.user(m.Author), "body": m.Body, "created": stamp(m.Created), "updated": stamp(m.Updated)}
}

func (c call) comments(all []site.Comment) []any {
	list := []any{}
	for _, m := range all {
		list = append(list, c.comment(m))
	}
	return list
}

func (c call) worklog(w site.Worklog) map[string]any {
	return map[string]any{
		"id": w.ID, "author": c.user(w.Author), "comment": w.Comment, "timeSpent": w.TimeSpent,
		"timeSpentSeconds": w.Seconds, "started": stamp(w.Started),
	}
}

func (c call) project(p site.Project) map[string]any {
	return map[string]any{"id": p.ID, "key": p.Key, "name": p.Name, "projectTypeKey": "software", "lead": c.user(p.Lead), "issueTypes": issueTypes(p)}
}

func issueTypes(p site.Project) []any {
	list := []any{}
	for _, name := range p.IssueTypes {
		list = append(list, map[string]any{"id": site.IssueTypes[name], "name": name, "subtask": name == "Sub-task"})
	}
	return list
}

func space(s site.Space) map[string]any {
	return map[string]any{
		"id": s.ID, "key": s.Key, "name": s.Name, "type": s.Type, "status": "current", "homepageId": s.HomepageID,
		"_links": map[string]any{"webui": "/spaces/" + s.Key},
	}
}

func webui(p site.Content) string { return "/spaces/" + p.Space + "/pages/" + p.ID }

// page is a page or blog post; its body only where one asks for the page itself.
func (c call) page(p site.Content, withBody bool) map[string]any {
	v := p.Current()
	m := map[string]any{
		"id": p.ID, "type": p.Type, "status": p.Status, "title": p.Title, "spaceKey": p.Space, "parentId": orNull(p.Parent), "authorId": p.Author,
		"createdAt": p.Created.UTC().Format(time.RFC3339), "labels": nonNil(p.Labels),
		"version": map[string]any{"number": v.Number, "message": v.Message, "authorId": v.Author, "createdAt": v.At.UTC().Format(time.RFC3339)},
		"_links":  map[string]any{"webui": webui(p)}, "webUrl": site.URL + "/wiki" + webui(p),
	}
	if spaces := c.site.Spaces(p.Space); len(spaces) == 1 {
		m["spaceId"] = spaces[0].ID
	}
	if withBody {
		m["body"] = map[string]any{"markdown": p.Body}
		m["appliedContentFormat"] = "markdown"
	}
	return m
}
