package audit

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/services/internal/activity"
)

// maxName is how many bytes of what an argument names are taken.
const maxName = 255

// touched is what a call's arguments name: empty where they don't, or aren't in the record.
type touched struct{ issue, project, page, space string }

// named are the members of arguments that name something, as Atlassian's tools and others write them.
var named = struct{ issue, project, page, space []string }{
	issue:   []string{"issueIdOrKey", "issueKey", "issue_key", "issue"},
	project: []string{"projectIdOrKey", "projectKey", "project_key"},
	page:    []string{"pageId", "contentId", "content_id", "page_id"},
	space:   []string{"spaceId", "spaceKey", "space_id", "space_key"},
}

// touchedBy reads the arguments of a call; those inside an execute call are in its inputs.
func touchedBy(r activity.Record) touched {
	members := object(r.Sallyport.Arguments)
	if r.Sallyport.Operation != nil && r.Sallyport.Operation.Outer != "" && members["inputs"] != nil {
		members = object(members["inputs"])
	}
	t := touched{
		issue: first(members, named.issue), project: first(members, named.project),
		page: first(members, named.page), space: first(members, named.space),
	}
	if project, _, ok := strings.Cut(t.issue, "-"); ok && t.project == "" {
		t.project = project
	}
	return t
}

func object(text jsontext.Value) map[string]jsontext.Value {
	var members map[string]jsontext.Value
	if text.Kind() != '{' || json.Unmarshal(text, &members) != nil {
		return nil
	}
	return members
}

// first is the first of some members that is a text or a number.
func first(members map[string]jsontext.Value, names []string) string {
	for _, name := range names {
		value := members[name]
		if value.Kind() == '0' {
			return activity.CutTo(value, maxName)
		}
		var text string
		if value.Kind() == '"' && json.Unmarshal(value, &text) == nil && text != "" {
			return activity.CutTo([]byte(text), maxName)
		}
	}
	return ""
}
