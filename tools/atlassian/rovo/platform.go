package rovo

import (
	"strings"

	"sallyport/tools/atlassian/rest"
	"sallyport/tools/atlassian/site"
)

// handlers run the operations of the catalogue, by name.
var handlers = map[string]handler{
	"atlassianUserInfo": userInfo, "getAccessibleAtlassianResources": resources, "search": search, "fetch": fetch,
	"getJiraIssue": getJiraIssue, "searchJiraIssuesUsingJql": searchJira, "createJiraIssue": createJiraIssue,
	"editJiraIssue": editJiraIssue, "deleteJiraIssue": deleteJiraIssue, "transitionJiraIssue": transitionJiraIssue,
	"listJiraIssueTransitions": listTransitions, "addOrEditJiraIssueComment": putComment, "deleteJiraComment": deleteComment,
	"listJiraIssueComments": listComments, "addOrEditJiraIssueWorklog": putWorklog, "listJiraIssueWorklogs": listWorklogs,
	"createJiraIssueLink": createLink, "listJiraIssueLinkTypes": listLinkTypes, "listJiraIssueRemoteIssueLinks": listRemoteLinks,
	"listJiraIssueChangelogs": listChangelogs, "watchJiraIssue": watchIssue, "listJiraProjects": listProjects,
	"listJiraProjectIssueTypesMetadata": listIssueTypes, "getJiraIssueTypeMetaWithFields": issueTypeFields,
	"lookupJiraAccountId": lookupPeople, "findJiraIssueAssignableUsers": lookupPeople, "getJiraCurrentUser": currentUser,
	"getJiraUser": getUser, "listJiraStatuses": listStatuses,
	"getConfluenceContent": getContent, "listConfluenceContent": listContent, "getConfluenceContentAncestors": listAncestors,
	"listConfluenceContentVersions": listVersions, "searchConfluence": searchContent, "createConfluenceContent": createContent,
	"updateConfluenceContent": updateContent, "listConfluenceSpaces": listSpaces, "getConfluenceSpace": getSpace,
	"createConfluenceComment": putContentComment, "updateConfluenceComment": putContentComment,
	"listConfluenceComments": listContentComments, "addLabelsToConfluenceContent": labelContent,
}

func userInfo(c call) (any, error) { return rest.Profile(c.person), nil }

func resources(c call) (any, error) { return rest.Resources(c.person, c.grant.Scopes), nil }

// Atlassian resource identifiers of what search finds and fetch takes.
const (
	issueARI = "ari:cloud:jira:" + site.CloudID + ":issue/"
	pageARI  = "ari:cloud:confluence:" + site.CloudID + ":page/"
)

// search finds issues and pages by words. Quotation marks would end the text of the query below.
func search(c call) (any, error) {
	words := strings.NewReplacer(`"`, " ", `\`, " ").Replace(c.text("query"))
	issues, err := c.site.SearchIssues(c.person.AccountID, `text ~ "`+words+`"`)
	if err != nil {
		return nil, err
	}
	pages, err := c.site.SearchContent(c.person.AccountID, `text ~ "`+words+`"`)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, i := range issues {
		list = append(list, map[string]any{"id": issueARI + i.ID, "title": i.Key + " " + i.Summary, "type": "issue", "text": excerpt(i.Description), "url": site.URL + "/browse/" + i.Key})
	}
	for _, p := range pages {
		list = append(list, map[string]any{"id": pageARI + p.ID, "title": p.Title, "type": p.Type, "text": excerpt(p.Body), "url": site.URL + "/wiki" + webui(p)})
	}
	return map[string]any{"results": list[:min(len(list), c.number("limit", 25, maxResults))]}, nil
}

func fetch(c call) (any, error) {
	if id, ok := strings.CutPrefix(c.text("id"), issueARI); ok {
		i, err := c.site.Issue(id)
		if err != nil {
			return nil, err
		}
		return c.issue(i, nil), nil
	}
	if id, ok := strings.CutPrefix(c.text("id"), pageARI); ok {
		p, err := c.site.Content(id)
		if err != nil {
			return nil, err
		}
		return c.page(p, true), nil
	}
	return nil, &site.Error{Status: 400, Messages: []string{"id must be the ARI of an issue or a page of this site."}}
}
