package audit

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/services/internal/activity"
)

// organizationEvent is an event of the organization's audit log, as GET /admin/v1/orgs/{orgId}/events returns
// them.
type organizationEvent struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Attributes eventAttributes `json:"attributes"`
	Message    eventMessage    `json:"message"`
}

type eventAttributes struct {
	Time      string         `json:"time"`
	Action    string         `json:"action"`
	Actor     actor          `json:"actor"`
	Context   []entity       `json:"context"`
	Container []entity       `json:"container"`
	Location  *eventLocation `json:"location,omitzero"`
}

type actor struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitzero"`
}

// entity is something that an event is about; its attributes are free.
type entity struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Attributes any    `json:"attributes"`
}

type eventLocation struct {
	IP string `json:"ip"`
}

type eventMessage struct {
	Content string `json:"content"`
	Format  string `json:"format"`
}

// callAttributes are what an event says of a call.
type callAttributes struct {
	OuterTool     string         `json:"outerTool,omitzero"`
	Product       string         `json:"product,omitzero"`
	AIClient      string         `json:"aiClient,omitzero"`
	AIClientClass string         `json:"aiClientClass,omitzero"`
	Decision      string         `json:"decision"`
	Refusal       string         `json:"refusal,omitzero"`
	PolicyID      string         `json:"policyId,omitzero"`
	RuleID        string         `json:"ruleId,omitzero"`
	RuleNote      string         `json:"ruleNote,omitzero"`
	Groups        []string       `json:"groups,omitempty"`
	ProjectKey    string         `json:"projectKey,omitzero"`
	IssueKey      string         `json:"issueKey,omitzero"`
	SpaceID       string         `json:"spaceId,omitzero"`
	PageID        string         `json:"pageId,omitzero"`
	RequestBytes  int64          `json:"requestBytes"`
	ResponseBytes int64          `json:"responseBytes"`
	StatusCode    int            `json:"statusCode,omitzero"`
	Outcome       string         `json:"outcome,omitzero"`
	ErrorCode     string         `json:"errorCode,omitzero"`
	DurationMS    int64          `json:"durationMs"`
	AtlassianMS   int64          `json:"atlassianMs"`
	TraceID       string         `json:"traceId,omitzero"`
	AtlTraceID    string         `json:"atlTraceId,omitzero"`
	Arguments     jsontext.Value `json:"arguments,omitzero"`
}

// actAttributes are what an event says of what an admin did.
type actAttributes struct {
	Caller       string            `json:"caller,omitzero"`
	Roles        []string          `json:"roles,omitempty"`
	Targets      []string          `json:"targets,omitempty"`
	Reason       string            `json:"reason,omitzero"`
	Details      map[string]string `json:"details,omitempty"`
	Outcome      string            `json:"outcome,omitzero"`
	ErrorCode    string            `json:"errorCode,omitzero"`
	ErrorMessage string            `json:"errorMessage,omitzero"`
}

// siteAttributes are known of a site whose record has its host name rather than its id.
type siteAttributes struct {
	SiteHostName string `json:"siteHostName,omitzero"`
}

func newOrganizationEvent(r activity.Record) organizationEvent {
	e := organizationEvent{
		ID: uuidOf(r.Event.ID), Type: "events",
		Attributes: eventAttributes{
			Time: r.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z"), Actor: actorOf(r), Container: containerOf(r.Sallyport.Site),
		},
	}
	if ip := remoteAddress(r); ip != "" {
		e.Attributes.Location = &eventLocation{IP: ip}
	}
	if act := r.Sallyport.Act; act != nil {
		e.Attributes.Action = "sallyport_" + snake(r.Event.Action)
		e.Attributes.Context = []entity{{ID: r.Event.Action, Type: "sallyport_act", Attributes: actAttributesOf(r, act)}}
		e.Message = eventMessage{Content: r.Event.Action + " by " + e.Attributes.Actor.Name + ".", Format: "simple"}
		return e
	}
	e.Attributes.Action = "rovo_mcp_tool_called"
	if r.Sallyport.Decision == activity.Blocked {
		e.Attributes.Action = "rovo_mcp_tool_denied"
	}
	e.Attributes.Context = []entity{{ID: tool(r), Type: "mcp_tool", Attributes: callAttributesOf(r)}}
	e.Message = eventMessage{Content: sentence(r), Format: "simple"}
	return e
}

// actorOf is who did it. A token has no account id: it gets one that can't be taken for one.
func actorOf(r activity.Record) actor {
	u := userOf(r)
	if u.ID == "" {
		u.ID = "sallyport:" + u.Name
	}
	return actor{ID: u.ID, Name: u.Name, Email: u.Email}
}

func containerOf(site string) []entity {
	if site == "" {
		return []entity{}
	}
	var known siteAttributes
	if strings.Contains(site, ".") {
		known.SiteHostName = "https://" + site
	}
	return []entity{{ID: site, Type: "sites", Attributes: known}}
}

func callAttributesOf(r activity.Record) callAttributes {
	own, about := r.Sallyport, touchedBy(r)
	a := callAttributes{
		AIClient: assistant(r), Decision: own.Decision, Refusal: own.Refusal, Groups: userOf(r).Group.Name,
		ProjectKey: about.project, IssueKey: about.issue, SpaceID: about.space, PageID: about.page,
		Outcome: own.Outcome, DurationMS: r.Event.Duration / 1e6, AtlassianMS: own.UpstreamLatency / 1e6,
		AtlTraceID: own.UpstreamTrace, Arguments: own.Arguments,
	}
	if own.PolicyVersion > 0 {
		a.PolicyID = strconv.FormatInt(own.PolicyVersion, 10)
	}
	if own.Operation != nil {
		a.OuterTool, a.Product = own.Operation.Outer, own.Operation.Product
	}
	if own.Client != nil {
		a.AIClientClass = own.Client.Class
	}
	if own.Rule != nil {
		a.RuleID, a.RuleNote = own.Rule.ID, own.Rule.Note
	}
	if r.Error != nil {
		a.ErrorCode = r.Error.Code
	}
	if r.Trace != nil {
		a.TraceID = r.Trace.ID
	}
	if r.HTTP != nil && r.HTTP.Request != nil {
		a.RequestBytes = r.HTTP.Request.Body.Bytes
	}
	if r.HTTP != nil && r.HTTP.Response != nil {
		a.ResponseBytes, a.StatusCode = r.HTTP.Response.Body.Bytes, r.HTTP.Response.StatusCode
	}
	return a
}

func actAttributesOf(r activity.Record, act *activity.Act) actAttributes {
	a := actAttributes{
		Caller: act.Caller, Roles: userOf(r).Roles, Targets: act.Targets, Reason: act.Reason, Details: act.Details, Outcome: r.Event.Outcome,
	}
	if r.Error != nil {
		a.ErrorCode, a.ErrorMessage = r.Error.Code, r.Error.Message
	}
	return a
}

// snake writes an act as actions are written.
func snake(action string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}, strings.ToLower(action))
}
