package operation

import "strings"

// The tables of the rule language, section 2.

// Family is a kind of action.
type Family string

// The families. Write isn't one of its own: it is everything but read.
const (
	Read   Family = "read"
	Create Family = "create"
	Update Family = "update"
	Delete Family = "delete"
	Manage Family = "manage"
)

var verbsOf = map[Family]string{
	Read:   "get list search find fetch lookup read view query download export count show describe discover diff check resolve scan",
	Create: "create add new insert clone copy duplicate import upload publish post reply attach log",
	Update: "update edit set change transition move assign rename link restore archive approve merge complete watch run request put patch modify convert",
	Delete: "delete remove trash purge destroy erase discard wipe clear unlink",
	Manage: "manage administer grant revoke",
}

// families is the family of each verb.
var families = func() map[string]Family {
	table := map[string]Family{}
	for family, verbs := range verbsOf {
		for verb := range strings.FieldsSeq(verbs) {
			table[verb] = family
		}
	}
	return table
}()

var (
	products        = set("jira confluence bitbucket compass jsm loom trello")
	jiraWords       = set("issue issues jql sprint sprints board boards epic worklog worklogs")
	confluenceWords = set("page pages space spaces cql blogpost whiteboard")
	joins           = set("or and")
)

func set(words string) map[string]bool {
	table := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		table[word] = true
	}
	return table
}

// readNames are operations without a verb in their name that read.
var readNames = map[string]bool{"atlassianuserinfo": true, "completion/complete": true}

// renames are the operations that Atlassian renamed between its v1 and v2 servers.
var renames = [][2]string{
	{"getConfluencePage", "getConfluenceContent"},
	{"createConfluencePage", "createConfluenceContent"},
	{"updateConfluencePage", "updateConfluenceContent"},
	{"searchConfluenceUsingCql", "searchConfluence"},
	{"getVisibleJiraProjects", "listJiraProjects"},
	{"getJiraProjectIssueTypesMetadata", "listJiraProjectIssueTypesMetadata"},
	{"getConfluenceSpaces", "listConfluenceSpaces"},
	{"addCommentToJiraIssue", "addOrEditJiraIssueComment"},
	{"getTransitionsForJiraIssue", "listJiraIssueTransitions"},
	{"getIssueLinkTypes", "listJiraIssueLinkTypes"},
	{"createIssueLink", "createJiraIssueLink"},
	{"addWorklogToJiraIssue", "addOrEditJiraIssueWorklog"},
	{"getJiraIssueRemoteIssueLinks", "listJiraIssueRemoteIssueLinks"},
}

var otherNames = func() map[string]string {
	table := map[string]string{}
	for _, pair := range renames {
		table[Fold(pair[0])] = pair[1]
		table[Fold(pair[1])] = pair[0]
	}
	return table
}()
