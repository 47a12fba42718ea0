package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

type logShow struct {
	ID     string `arg:"" help:"The record's id: from log --json, or the x-request-id of an answer." name:"id"`
	JSON   bool   `help:"One JSON object: a sallyport.admin.v1.GetRecordResponse with its own field names; 64-bit numbers are strings." name:"json"`
	Format string `help:"One JSON object as in Atlassian's audit logs: an event of the organization's (atlassian), or a record of Jira's or Confluence's." enum:"atlassian,jira,confluence," default:"" placeholder:"atlassian|jira|confluence"`
}

// auditFormats are Atlassian's formats by their names here.
var auditFormats = map[string]adminv1.AuditFormat{
	"atlassian":  adminv1.AuditFormat_AUDIT_FORMAT_ORGANIZATION,
	"jira":       adminv1.AuditFormat_AUDIT_FORMAT_JIRA,
	"confluence": adminv1.AuditFormat_AUDIT_FORMAT_CONFLUENCE,
}

// Help is the examples of --help.
func (logShow) Help() string {
	return `All that was recorded of one thing: who and in which groups at that time, with which arguments, which rule of which version decided, what came of it, how long that took here and at Atlassian, and what it is called in the logs of both. The rule is shown as it was.

A viewer sees no arguments.

Examples:

  sallyport log show 6f1d2c34-8a7b-4e0f-9c11-2b3d4e5f6a7b
  sallyport log show "$(sallyport log --decision blocked --limit 1 --json | jq -r .id)"
  sallyport log show 6f1d2c34-8a7b-4e0f-9c11-2b3d4e5f6a7b --json | jq .policy.rule
  sallyport log show 6f1d2c34-8a7b-4e0f-9c11-2b3d4e5f6a7b --format jira`
}

// Validate refuses an id that can't be.
func (l *logShow) Validate() error {
	if strings.TrimSpace(l.ID) == "" {
		return errors.New("the record's id is missing")
	}
	if l.JSON && l.Format != "" {
		return errors.New("--json and --format are two forms: leave one out")
	}
	return nil
}

// Run shows the record.
func (l *logShow) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	request := &adminv1.GetRecordRequest{Id: l.ID}
	if l.Format != "" {
		request.Formats = append(request.Formats, auditFormats[l.Format])
	}
	found, err := adminv1.NewActivityServiceClient(conn).GetRecord(ctx, request)
	if err != nil {
		return err
	}
	if len(found.GetForms()) == 1 {
		return showForm(t, found.GetForms()[0])
	}
	if l.JSON {
		return writeLine(t, found, protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true})
	}
	showRecord(t, found)
	return nil
}

// showForm shows a record in a format of Atlassian's.
func showForm(t *terminal, form *adminv1.AuditForm) error {
	if form.GetMissing() != "" {
		return answeredNo("%s", form.GetMissing())
	}
	t.printf("%s\n", form.GetJson())
	return nil
}

// showRecord shows all of a record, one line for each thing to know.
func showRecord(t *terminal, found *adminv1.GetRecordResponse) {
	r := found.GetRecord()
	line := func(name, text string, c tint) {
		if text != "" {
			t.printf("%-10s %s\n", name, t.paint(printable(text), c))
		}
	}
	line("Record", r.GetId(), plain)
	line("Time", r.GetTime().AsTime().Local().Format("2006-01-02 15:04:05.000 -07:00"), plain)
	line("Person", personLine(r), plain)
	if r.GetAct() != nil {
		showAct(r, line)
		return
	}
	line("Assistant", assistantLine(r.GetClient()), plain)
	line("From", strings.Trim(r.GetSourceIp()+", "+r.GetUserAgent(), ", "), plain)
	line("Operation", operationLine(r.GetOperation()), plain)
	line("Site", r.GetSite(), plain)
	decision, c := decisionCell(r.GetDecision())
	if r.GetDecision().GetUngoverned() {
		decision = r.GetDecision().GetEffect() + ": no rule decides about it"
	}
	line("Decision", decision, c)
	showPolicy(found.GetPolicy(), r.GetDecision(), line)
	result := resultCell(r.GetOutcome())
	line("Result", joined(result.text, r.GetOutcome().GetReason(), prefixed("JSON-RPC error ", r.GetOutcome().GetErrorCode())), result.tint)
	line("Bytes", bytesCell(r)+" (request / answer)", plain)
	line("Latency", latencyLine(r.GetOutcome()), plain)
	line("Traces", joined(prefixed("traceparent ", r.GetTraceId()), prefixed("Atlassian's atl-traceid ", r.GetUpstreamTraceId()), prefixed("atl-request-id ", r.GetUpstreamRequestId())), plain)
	line("Session", r.GetMcpSession(), plain)
	showArguments(t, r)
}

func personLine(r *activityv1.Record) string {
	u := r.GetUser()
	groups := ""
	switch {
	case r.GetAct() != nil:
	case r.GetDecision().GetGroupsUnknown():
		groups = "groups unknown"
	default:
		groups = "in " + firstOf(strings.Join(u.GetGroups(), ", "), "no group")
	}
	name := u.GetName()
	if u.GetEmail() != "" {
		name = strings.TrimSpace(name + " <" + u.GetEmail() + ">")
	}
	return joined(name, u.GetId(), groups)
}

func assistantLine(c *activityv1.Client) string {
	calls := prefixed("calls itself ", c.GetInfo())
	if c.GetMismatch() {
		calls += ", which is another assistant"
	}
	return joined(firstOf(c.GetName(), c.GetKey()), prefixed("key ", c.GetKey()), c.GetClass(), calls)
}

func operationLine(o *activityv1.Operation) string {
	return joined(operationCell(o), prefixed("product ", o.GetProduct()), prefixed("family ", strings.Join(o.GetActions(), " and ")))
}

// latencyLine splits how long a call took.
func latencyLine(o *activityv1.Outcome) string {
	if o.GetDuration() == nil {
		return ""
	}
	upstream := "none of it at Atlassian"
	if o.GetUpstreamLatency() != nil {
		upstream = roundly(o.GetUpstreamLatency().AsDuration()) + " of it at Atlassian"
	}
	return roundly(o.GetDuration().AsDuration()) + ": " + upstream + ", " + roundly(o.GetOwnLatency().AsDuration()) + " here and with the assistant"
}

// showPolicy shows the version that decided, and its rules that did.
func showPolicy(p *adminv1.DecidingPolicy, d *activityv1.Decision, line func(name, text string, c tint)) {
	if p == nil {
		return
	}
	if p.GetMissing() != "" {
		line("Policy", fmt.Sprintf("version %d. %s", p.GetVersion(), p.GetMissing()), yellow)
		return
	}
	saved := ""
	if p.GetSavedAt() != nil {
		saved = "saved " + p.GetSavedAt().AsTime().Local().Format(time.DateTime) + " by " + firstOf(p.GetSavedBy(), "an unknown person")
	}
	line("Policy", joined(fmt.Sprintf("version %d", p.GetVersion()), saved, p.GetMessage()), plain)
	if p.GetRule() == nil {
		line("Rule", "none matched: the default is "+effectWords[p.GetDefaultEffect()], plain)
	} else {
		line("Rule", ruleLine(d.GetRuleNumber(), p.GetRule()), plain)
	}
	if p.GetMonitorRule() != nil {
		line("Monitors", ruleLine(d.GetMonitorRule(), p.GetMonitorRule()), plain)
	}
}

func ruleLine(number int32, r *policyv1.Rule) string {
	verified := ""
	if r.GetVerified() {
		verified = ", verified"
	}
	return fmt.Sprintf("%d (%s): client %s%s, who %s, operation %s, %s%s", number, r.GetId(), r.GetClient(), verified, r.GetWho(), r.GetOperation(),
		effectWords[r.GetEffect()], prefixed("; ", r.GetNote()))
}

// showArguments shows what was asked for with, or why it isn't shown.
func showArguments(t *terminal, r *activityv1.Record) {
	switch {
	case len(r.GetArguments().GetFields()) > 0:
		t.printf("Arguments\n%s\n", printableLines(indentedArguments(r.GetArguments())))
	case r.GetUnreadableBody() != "":
		t.printf("Body, which couldn't be read as MCP\n%s\n", printableLines(r.GetUnreadableBody()))
	case r.GetArgumentsWithheld():
		t.printf("%s\n", t.paint("Arguments are withheld: you are a viewer, and an auditor may see them.", faint))
	}
}

func indentedArguments(arguments *structpb.Struct) string {
	text, err := protojson.Marshal(arguments)
	var indented bytes.Buffer
	if err != nil || json.Indent(&indented, text, "", "  ") != nil {
		return "?"
	}
	return indented.String()
}

// showAct shows what an admin did.
func showAct(r *activityv1.Record, line func(name, text string, c tint)) {
	a := r.GetAct()
	line("By", joined(firstOf(actCallers[a.GetCaller()], a.GetCaller()), "role "+firstOf(a.GetRole(), "none")), plain)
	line("From", strings.Trim(r.GetSourceIp()+", "+r.GetUserAgent(), ", "), plain)
	line("Act", a.GetAction(), plain)
	result, c := actResult(a)
	line("Result", joined(result, a.GetErrorMessage()), c)
	line("On", strings.Join(a.GetTargets(), ", "), plain)
	line("Why", a.GetReason(), plain)
	var details []string
	for name, text := range a.GetDetails() {
		details = append(details, name+" "+text)
	}
	slices.Sort(details)
	for _, detail := range details {
		line("Detail", detail, plain)
	}
}

// joined are those of some texts that say something.
func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), "; ")
}

// prefixed is a text with words before it, or nothing.
func prefixed(words, text string) string {
	if text == "" {
		return ""
	}
	return words + text
}
