package audit

import "sallyport/services/internal/activity"

// confluenceRecord is a record of Confluence's audit log, as GET /wiki/rest/api/audit returns them.
// Sallyport knows no value before and after, so that there are no changed values.
type confluenceRecord struct {
	Author            confluenceAuthor   `json:"author"`
	RemoteAddress     string             `json:"remoteAddress"`
	CreationDate      int64              `json:"creationDate"`
	Summary           string             `json:"summary"`
	Description       string             `json:"description"`
	Category          string             `json:"category"`
	SysAdmin          bool               `json:"sysAdmin"`
	SuperAdmin        bool               `json:"superAdmin"`
	AffectedObject    confluenceObject   `json:"affectedObject"`
	ChangedValues     []struct{}         `json:"changedValues"`
	AssociatedObjects []confluenceObject `json:"associatedObjects"`
}

type confluenceAuthor struct {
	Type                   string    `json:"type"`
	DisplayName            string    `json:"displayName"`
	Operations             *struct{} `json:"operations"`
	IsExternalCollaborator bool      `json:"isExternalCollaborator"`
	Username               string    `json:"username"`
	UserKey                string    `json:"userKey"`
	AccountID              string    `json:"accountId"`
	AccountType            string    `json:"accountType"`
	PublicName             string    `json:"publicName"`
	ExternalCollaborator   bool      `json:"externalCollaborator"`
}

type confluenceObject struct {
	Name       string `json:"name"`
	ObjectType string `json:"objectType"`
}

func newConfluenceRecord(r activity.Record) confluenceRecord {
	u := userOf(r)
	c := confluenceRecord{
		Author: confluenceAuthor{
			Type: "user", DisplayName: u.Name, Username: u.ID, AccountID: u.ID, PublicName: "Unknown user",
		},
		RemoteAddress: remoteAddress(r), CreationDate: r.Timestamp.UnixMilli(), Summary: summary(r), Description: sentence(r), Category: category,
		ChangedValues: []struct{}{}, AssociatedObjects: []confluenceObject{},
	}
	called := confluenceObject{Name: tool(r), ObjectType: "MCP tool"}
	about := touchedBy(r)
	switch {
	case about.page != "":
		c.AffectedObject = confluenceObject{Name: about.page, ObjectType: "Page"}
		c.AssociatedObjects = append(c.AssociatedObjects, called)
	case about.space != "":
		c.AffectedObject = confluenceObject{Name: about.space, ObjectType: "Space"}
		c.AssociatedObjects = append(c.AssociatedObjects, called)
	default:
		c.AffectedObject = called
	}
	if name := assistant(r); name != "" {
		c.AssociatedObjects = append(c.AssociatedObjects, confluenceObject{Name: name, ObjectType: "AI assistant"})
	}
	return c
}
