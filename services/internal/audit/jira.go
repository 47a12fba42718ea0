package audit

import "sallyport/services/internal/activity"

// jiraRecord is a record of Jira's audit log, as GET /rest/api/3/auditing/record returns them.
type jiraRecord struct {
	ID              int64      `json:"id"`
	Summary         string     `json:"summary"`
	RemoteAddress   string     `json:"remoteAddress,omitzero"`
	AuthorAccountID string     `json:"authorAccountId,omitzero"`
	Created         string     `json:"created"`
	Category        string     `json:"category"`
	EventSource     string     `json:"eventSource"`
	Description     string     `json:"description,omitzero"`
	ObjectItem      jiraItem   `json:"objectItem"`
	AssociatedItems []jiraItem `json:"associatedItems,omitempty"`
}

// jiraItem is something that a record is about.
type jiraItem struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	TypeName   string `json:"typeName"`
	ParentID   string `json:"parentId,omitzero"`
	ParentName string `json:"parentName,omitzero"`
}

func newJiraRecord(r activity.Record) jiraRecord {
	j := jiraRecord{
		ID: numberOf(r.Event.ID), Summary: summary(r), RemoteAddress: remoteAddress(r), AuthorAccountID: userOf(r).ID,
		Created: r.Timestamp.UTC().Format("2006-01-02T15:04:05.000-0700"), Category: category, EventSource: "Sallyport", Description: sentence(r),
	}
	called := jiraItem{ID: tool(r), Name: tool(r), TypeName: "MCP_TOOL"}
	about := touchedBy(r)
	switch {
	case about.issue != "":
		j.ObjectItem = jiraItem{ID: about.issue, Name: about.issue, TypeName: "ISSUE", ParentID: about.project, ParentName: about.project}
		j.AssociatedItems = append(j.AssociatedItems, called)
	case about.project != "":
		j.ObjectItem = jiraItem{ID: about.project, Name: about.project, TypeName: "PROJECT"}
		j.AssociatedItems = append(j.AssociatedItems, called)
	default:
		j.ObjectItem = called
	}
	if c := r.Sallyport.Client; c != nil {
		j.AssociatedItems = append(j.AssociatedItems, jiraItem{ID: c.Key, Name: assistant(r), TypeName: "AI_ASSISTANT"})
	}
	return j
}
