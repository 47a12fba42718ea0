package admin

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	"sallyport/services/internal/activity"
)

// csvRecord is a record as the columns of a table read it: as the API shows it, and its arguments as they
// were sent.
type csvRecord struct {
	*activityv1.Record
	arguments string
}

// csvColumns are the columns of an export, in their order (docs/log.md). New ones come at the end.
var csvColumns = []struct {
	title string
	text  func(r csvRecord) string
}{
	{"time", func(r csvRecord) string { return r.GetTime().AsTime().Format(time.RFC3339Nano) }},
	{"id", func(r csvRecord) string { return r.GetId() }},
	{"user_id", func(r csvRecord) string { return r.GetUser().GetId() }},
	{"user_name", func(r csvRecord) string { return r.GetUser().GetName() }},
	{"user_email", func(r csvRecord) string { return r.GetUser().GetEmail() }},
	{"groups", func(r csvRecord) string { return strings.Join(r.GetUser().GetGroups(), "; ") }},
	{"groups_unknown", func(r csvRecord) string { return csvBool(r.GetDecision().GetGroupsUnknown()) }},
	{"client", func(r csvRecord) string { return r.GetClient().GetKey() }},
	{"client_name", func(r csvRecord) string { return r.GetClient().GetName() }},
	{"client_class", func(r csvRecord) string { return r.GetClient().GetClass() }},
	{"client_info", func(r csvRecord) string { return r.GetClient().GetInfo() }},
	{"client_mismatch", func(r csvRecord) string { return csvBool(r.GetClient().GetMismatch()) }},
	{"operation", func(r csvRecord) string { return r.GetOperation().GetName() }},
	{"outer_operation", func(r csvRecord) string { return r.GetOperation().GetOuter() }},
	{"product", func(r csvRecord) string { return r.GetOperation().GetProduct() }},
	{"families", func(r csvRecord) string { return strings.Join(r.GetOperation().GetActions(), "; ") }},
	{"decision", func(r csvRecord) string { return r.GetDecision().GetEffect() }},
	{"refusal", func(r csvRecord) string { return r.GetDecision().GetReason() }},
	{"rule_number", func(r csvRecord) string { return csvNumber(int64(r.GetDecision().GetRuleNumber())) }},
	{"rule_id", func(r csvRecord) string { return r.GetDecision().GetRuleId() }},
	{"rule_note", func(r csvRecord) string { return r.GetDecision().GetRuleNote() }},
	{"monitor_rule", func(r csvRecord) string { return csvNumber(int64(r.GetDecision().GetMonitorRule())) }},
	{"monitor_effect", func(r csvRecord) string { return r.GetDecision().GetMonitorEffect() }},
	{"policy_version", func(r csvRecord) string { return csvNumber(r.GetDecision().GetPolicyVersion()) }},
	{"outcome", func(r csvRecord) string { return r.GetOutcome().GetResult() }},
	{"outcome_reason", func(r csvRecord) string { return r.GetOutcome().GetReason() }},
	{"status_code", func(r csvRecord) string { return csvNumber(int64(r.GetOutcome().GetStatusCode())) }},
	{"error_code", func(r csvRecord) string { return r.GetOutcome().GetErrorCode() }},
	{"request_bytes", func(r csvRecord) string { return csvNumber(r.GetRequestBytes()) }},
	{"response_bytes", func(r csvRecord) string { return csvNumber(r.GetOutcome().GetResponseBytes()) }},
	{"duration_ms", func(r csvRecord) string { return csvMilliseconds(r.GetOutcome().GetDuration()) }},
	{"atlassian_ms", func(r csvRecord) string { return csvMilliseconds(r.GetOutcome().GetUpstreamLatency()) }},
	{"own_ms", func(r csvRecord) string { return csvMilliseconds(r.GetOutcome().GetOwnLatency()) }},
	{"source_ip", func(r csvRecord) string { return r.GetSourceIp() }},
	{"user_agent", func(r csvRecord) string { return r.GetUserAgent() }},
	{"site", func(r csvRecord) string { return r.GetSite() }},
	{"mcp_session", func(r csvRecord) string { return r.GetMcpSession() }},
	{"trace_id", func(r csvRecord) string { return r.GetTraceId() }},
	{"upstream_trace_id", func(r csvRecord) string { return r.GetUpstreamTraceId() }},
	{"upstream_request_id", func(r csvRecord) string { return r.GetUpstreamRequestId() }},
	{"arguments", func(r csvRecord) string { return r.arguments }},
	{"act", func(r csvRecord) string { return r.GetAct().GetAction() }},
	{"act_caller", func(r csvRecord) string { return r.GetAct().GetCaller() }},
	{"act_role", func(r csvRecord) string { return r.GetAct().GetRole() }},
	{"act_targets", func(r csvRecord) string { return strings.Join(r.GetAct().GetTargets(), "; ") }},
	{"act_reason", func(r csvRecord) string { return r.GetAct().GetReason() }},
	{"act_details", func(r csvRecord) string { return csvDetails(r.GetAct().GetDetails()) }},
	{"act_outcome", func(r csvRecord) string { return r.GetAct().GetOutcome() }},
	{"act_error_code", func(r csvRecord) string { return r.GetAct().GetErrorCode() }},
	{"act_error_message", func(r csvRecord) string { return r.GetAct().GetErrorMessage() }},
}

func csvTitle() string {
	titles := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		titles[i] = c.title
	}
	return strings.Join(titles, ",") + "\r\n"
}

func writeCSVLine(into *bytes.Buffer, r activity.Record, _ bool) error {
	row := csvRecord{recordMessage(r, time.Now()), string(r.Sallyport.Arguments)}
	for i, c := range csvColumns {
		if i > 0 {
			into.WriteByte(',')
		}
		into.WriteString(csvCell(c.text(row)))
	}
	into.WriteString("\r\n")
	return nil
}

// csvCell is a text as a cell (RFC 4180). encoding/csv would change line breaks in it. What a spreadsheet
// would take for a formula has an apostrophe before it, so that it is a text there
// (https://owasp.org/www-community/attacks/CSV_Injection).
func csvCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		text = "'" + text
	}
	if strings.ContainsAny(text, "\",;\t\r\n ") {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}

func csvBool(is bool) string {
	if is {
		return "true"
	}
	return ""
}

// csvNumber is a number, or nothing where it is 0.
func csvNumber(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func csvMilliseconds(d *durationpb.Duration) string {
	if d == nil {
		return ""
	}
	return strconv.FormatFloat(float64(d.AsDuration().Microseconds())/1000, 'f', -1, 64)
}

func csvDetails(details map[string]string) string {
	if len(details) == 0 {
		return ""
	}
	text, err := json.Marshal(details)
	if err != nil {
		return ""
	}
	return string(text)
}
