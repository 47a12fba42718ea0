package rovo

import (
	"strconv"
	"strings"

	"sallyport/tools/atlassian/site"
)

// pageSize bounds of a JQL or CQL search.
const (
	defaultResults = 50
	maxResults     = 100
)

var searchFields = []string{"summary", "description", "status", "issuetype", "priority", "created"}

func getJiraIssue(c call) (any, error) {
	i, err := c.site.Issue(c.text("issueIdOrKey"))
	if err != nil {
		return nil, err
	}
	v := c.issue(i, c.list("fields"))
	v["appliedContentFormat"] = "markdown"
	return v, nil
}

func searchJira(c call) (any, error) {
	found, err := c.site.SearchIssues(c.person.AccountID, c.text("jql"))
	if err != nil {
		return nil, err
	}
	fields := c.list("fields")
	if len(fields) == 0 {
		fields = searchFields
	}
	start := 0
	if token := c.text("nextPageToken"); token != "" {
		if start, err = strconv.Atoi(token); err != nil || start < 0 {
			return nil, &site.Error{Status: 400, Messages: []string{"The provided next page token is invalid or expired."}}
		}
	}
	low := min(start, len(found))
	high := min(low+c.number("maxResults", defaultResults, maxResults), len(found))
	list := []any{}
	for _, i := range found[low:high] {
		list = append(list, c.issue(i, fields))
	}
	answer := map[string]any{"issues": list, "isLast": high == len(found)}
	if high < len(found) {
		answer["nextPageToken"] = strconv.Itoa(high)
	}
	return answer, nil
}

func createJiraIssue(c call) (any, error) {
	f := issueFields(c.object("additional_fields"))
	for name, into := range map[string]**string{
		"summary": &f.Summary, "description": &f.Description, "issueType": &f.Type,
		"assignee": &f.Assignee, "parent": &f.Parent, "priority": &f.Priority,
	} {
		if text := c.text(name); text != "" {
			*into = &text
		}
	}
	i, err := c.site.CreateIssue(c.person.AccountID, c.text("projectKey"), f)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": i.ID, "key": i.Key, "self": issueSelf(i)}, nil
}

// issueFields reads the fields object of Jira's REST API, in which values come as {"name": …} or bare.
func issueFields(given map[string]any) site.Fields {
	var f site.Fields
	for name, into := range map[string]**string{
		"summary": &f.Summary, "description": &f.Description, "issuetype": &f.Type,
		"priority": &f.Priority, "assignee": &f.Assignee, "parent": &f.Parent, "duedate": &f.Due,
	} {
		if value, ok := given[name]; ok {
			text := named(name, value)
			*into = &text
		}
	}
	if value, ok := given["labels"]; ok {
		labels := texts(value)
		f.Labels = &labels
	}
	return f
}

func named(field string, value any) string {
	m, ok := value.(map[string]any)
	if !ok || field == "description" {
		return plain(value)
	}
	for _, key := range []string{"accountId", "id", "key", "name", "value"} {
		if text, ok := m[key].(string); ok {
			return text
		}
	}
	return ""
}

func editJiraIssue(c call) (any, error) {
	i, err := c.site.EditIssue(c.person.AccountID, c.text("issueIdOrKey"), issueFields(c.object("fields")))
	if err != nil {
		return nil, err
	}
	v := c.issue(i, nil)
	v["appliedContentFormat"] = "markdown"
	return v, nil
}

func deleteJiraIssue(c call) (any, error) {
	if err := c.site.DeleteIssue(c.text("issueIdOrKey")); err != nil {
		return nil, err
	}
	return map[string]any{"success": true, "message": "Issue " + c.text("issueIdOrKey") + " was deleted."}, nil
}

func transitionJiraIssue(c call) (any, error) {
	wanted := plain(c.object("transition")["id"])
	if wanted == "" {
		wanted = c.text("transitionName")
	}
	i, err := c.site.Transition(c.person.AccountID, c.text("issueIdOrKey"), wanted)
	if err != nil {
		return nil, err
	}
	return map[string]any{"success": true, "key": i.Key, "status": status(i.Status)}, nil
}

func listTransitions(c call) (any, error) {
	if _, err := c.site.Issue(c.text("issueIdOrKey")); err != nil {
		return nil, err
	}
	list := []any{}
	for _, s := range site.Statuses {
		list = append(list, map[string]any{"id": s.TransitionID, "name": s.TransitionTo, "to": status(s.Name), "hasScreen": false, "isAvailable": true})
	}
	return list, nil
}

func putComment(c call) (any, error) {
	comment, err := c.site.PutComment(c.person.AccountID, c.text("issueIdOrKey"), c.text("commentId"), c.text("commentBody"))
	if err != nil {
		return nil, err
	}
	return c.comment(comment), nil
}

func deleteComment(c call) (any, error) {
	if err := c.site.DeleteComment(c.text("issueIdOrKey"), c.text("commentId")); err != nil {
		return nil, err
	}
	return map[string]any{"success": true, "message": "Comment " + c.text("commentId") + " was deleted."}, nil
}

func listComments(c call) (any, error) {
	i, err := c.site.Issue(c.text("issueIdOrKey"))
	return map[string]any{"comments": c.comments(i.Comments), "total": len(i.Comments)}, err
}

func putWorklog(c call) (any, error) {
	w, err := c.site.PutWorklog(c.person.AccountID, c.text("issueIdOrKey"), c.text("worklogId"), c.text("timeSpent"), c.text("comment"))
	return c.worklog(w), err
}

func listWorklogs(c call) (any, error) {
	i, err := c.site.Issue(c.text("issueIdOrKey"))
	list := []any{}
	for _, w := range i.Worklogs {
		list = append(list, c.worklog(w))
	}
	return map[string]any{"worklogs": list, "total": len(list)}, err
}

func createLink(c call) (any, error) {
	kind := named("type", c.args["type"])
	if err := c.site.LinkIssues(kind, c.text("inwardIssue"), c.text("outwardIssue")); err != nil {
		return nil, err
	}
	return map[string]any{"success": true}, nil
}

func listLinkTypes(call) (any, error) {
	list := []any{}
	for _, t := range site.LinkTypes {
		list = append(list, map[string]any{"id": t.ID, "name": t.Name, "inward": t.Inward, "outward": t.Outward})
	}
	return map[string]any{"issueLinkTypes": list}, nil
}

func listRemoteLinks(c call) (any, error) {
	_, err := c.site.Issue(c.text("issueIdOrKey"))
	return []any{}, err
}

func listChangelogs(c call) (any, error) {
	i, err := c.site.Issue(c.text("issueIdOrKey"))
	list := []any{}
	for _, change := range i.Changes {
		list = append(list, map[string]any{
			"id": change.ID, "author": c.user(change.Author), "created": stamp(change.At),
			"items": []any{map[string]any{"field": change.Field, "fromString": change.From, "toString": change.To}},
		})
	}
	return map[string]any{"values": list, "total": len(list), "isLast": true}, err
}

func watchIssue(c call) (any, error) {
	id := c.text("accountId")
	if id == "" {
		id = c.person.AccountID
	}
	i, err := c.site.Watch(c.text("issueIdOrKey"), id)
	return map[string]any{"isWatching": true, "watchCount": len(i.Watchers)}, err
}

func listProjects(c call) (any, error) {
	list := []any{}
	for _, p := range c.site.Projects(c.text("query")) {
		list = append(list, c.project(p))
	}
	return map[string]any{"values": list, "startAt": 0, "maxResults": defaultResults, "total": len(list), "isLast": true}, nil
}

func listIssueTypes(c call) (any, error) {
	p, err := c.site.Project(c.text("projectIdOrKey"))
	return map[string]any{"issueTypes": issueTypes(p), "startAt": 0, "total": len(p.IssueTypes)}, err
}

func issueTypeFields(c call) (any, error) {
	if _, err := c.site.Project(c.text("projectIdOrKey")); err != nil {
		return nil, err
	}
	list := []any{}
	for _, id := range []string{"summary", "description", "priority", "assignee", "labels", "duedate", "parent"} {
		list = append(list, map[string]any{"fieldId": id, "key": id, "name": strings.ToUpper(id[:1]) + id[1:], "required": id == "summary"})
	}
	return map[string]any{"fields": list, "startAt": 0, "total": len(list)}, nil
}

func lookupPeople(c call) (any, error) {
	list := []any{}
	for _, p := range c.site.People() {
		if strings.Contains(strings.ToLower(p.Name+" "+p.Email+" "+p.AccountID), strings.ToLower(c.text("query"))) {
			list = append(list, c.user(p.AccountID))
		}
	}
	return map[string]any{"users": map[string]any{"users": list, "total": len(list)}}, nil
}

func currentUser(c call) (any, error) { return c.user(c.person.AccountID), nil }

func getUser(c call) (any, error) {
	if _, ok := c.site.Person(c.text("accountId")); !ok {
		return nil, &site.Error{Status: 404, Messages: []string{"Specified user does not exist or you do not have required permissions"}}
	}
	return c.user(c.text("accountId")), nil
}

func listStatuses(call) (any, error) {
	list := []any{}
	for _, s := range site.Statuses {
		list = append(list, status(s.Name))
	}
	return list, nil
}
