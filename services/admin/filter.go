package admin

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
)

const (
	// maxWords and maxFilter bound what a search may cost, in words and in bytes of one field.
	maxWords  = 32
	maxFilter = 1024
	// mostRules is how many rules a policy may have.
	mostRules = 1000
)

// recordKind is where in the index the records of one kind have what is searched for.
type recordKind struct {
	// mark is a field that all of them have, and no others.
	mark string
	// names are what was done, whole what is found only whole, texts what words are looked for in, and
	// arguments those of them that only auditors may search.
	names, whole, texts, arguments []string
	// facets are what the records are counted by.
	facets map[adminv1.Facet]facet
}

var (
	calls = recordKind{
		mark:  "sallyport.decision",
		names: []string{"sallyport.operation.name", "sallyport.operation.outer"},
		whole: []string{"event.id", "trace.id", "sallyport.upstream_trace", "user.id", "sallyport.client.key", "sallyport.rule.id", "sallyport.refusal"},
		texts: []string{
			"user.name.text", "user.email.text", "sallyport.client.name.text", "sallyport.operation.name.text", "sallyport.rule.note.text",
		},
		arguments: []string{"sallyport.arguments_text", "http.request.body.content"},
		facets: map[adminv1.Facet]facet{
			adminv1.Facet_FACET_DECISION:  {field: "sallyport.decision"},
			adminv1.Facet_FACET_OUTCOME:   {values: callOutcomes},
			adminv1.Facet_FACET_CLIENT:    {field: "sallyport.client.key", labels: []string{"sallyport.client.name"}},
			adminv1.Facet_FACET_PERSON:    {field: "user.id", labels: []string{"user.email", "user.name"}},
			adminv1.Facet_FACET_OPERATION: {field: "sallyport.operation.name"},
			adminv1.Facet_FACET_RULE:      {field: "sallyport.rule.id", labels: []string{"sallyport.rule.note"}},
		},
	}
	acts = recordKind{
		mark:  "sallyport.act.caller",
		names: []string{"event.action"},
		whole: []string{"event.id", "user.id"},
		texts: []string{"user.name.text", "user.email.text", "sallyport.act.targets.text", "sallyport.act.reason.text", "error.message"},
		facets: map[adminv1.Facet]facet{
			adminv1.Facet_FACET_OUTCOME:   {values: actOutcomes},
			adminv1.Facet_FACET_PERSON:    {field: "user.name"},
			adminv1.Facet_FACET_OPERATION: {field: "event.action"},
		},
	}
)

// kindOf is the kind of records that a request asks for. It refuses what that kind doesn't have.
func kindOf(request *adminv1.SearchActivityRequest) (recordKind, error) {
	if !request.GetAdministrative() {
		return calls, nil
	}
	for _, filter := range filtersIn(request) {
		if filter.calls && filter.value != "" {
			return acts, status.Errorf(codes.InvalidArgument, "%s can't be asked for together with administrative: no assistant acts there, and no rule decides.", filter.name)
		}
	}
	return acts, nil
}

// textFilter is a filter that is a text; calls says that only calls have it.
type textFilter struct {
	name, value string
	calls       bool
}

func filtersIn(r *adminv1.SearchActivityRequest) []textFilter {
	return []textFilter{
		{"query", r.GetQuery(), false}, {"user", r.GetUser(), false}, {"operation", r.GetOperation(), false}, {"outcome", r.GetOutcome(), false},
		{"client", r.GetClient(), true}, {"decision", r.GetDecision(), true}, {"group", r.GetGroup(), true}, {"product", r.GetProduct(), true},
		{"project", r.GetProject(), true}, {"rule", r.GetRule(), true}, {"family", r.GetFamily(), true}, {"session", r.GetSession(), true},
	}
}

// filtersOf are the filters of a request. What came of a call is judged as at the time at.
func filtersOf(request *adminv1.SearchActivityRequest, arguments bool, at time.Time) (recordKind, []object, error) {
	kind, err := kindOf(request)
	if err != nil {
		return kind, nil, err
	}
	for _, filter := range filtersIn(request) {
		if len(filter.value) > maxFilter {
			return kind, nil, status.Errorf(codes.InvalidArgument, "%s is longer than %d bytes.", filter.name, maxFilter)
		}
	}
	// An outcome can be indexed a moment before its decision; only together are they a record.
	filters := []object{exists(kind.mark), exists("@timestamp")}
	filters = append(filters, plainFilters(request, kind)...)
	for _, read := range []func(*adminv1.SearchActivityRequest) (object, error){
		decisionFilter, ruleFilter, familyFilter, timeFilter,
		func(r *adminv1.SearchActivityRequest) (object, error) { return projectFilter(r, arguments) },
		func(r *adminv1.SearchActivityRequest) (object, error) { return outcomeFilter(r, at) },
	} {
		filter, err := read(request)
		if err != nil {
			return kind, nil, err
		}
		if filter != nil {
			filters = append(filters, filter)
		}
	}
	words, err := wordFilters(request.GetQuery(), kind, arguments)
	return kind, append(filters, words...), err
}

// plainFilters are those that can't be wrong.
func plainFilters(request *adminv1.SearchActivityRequest, kind recordKind) []object {
	var filters []object
	if user := strings.TrimSpace(request.GetUser()); user != "" {
		filters = append(filters, anyOf(equal("user.email", user), equal("user.id", user), words("user.name.text", user)))
	}
	if client := strings.TrimSpace(request.GetClient()); client != "" {
		filters = append(filters, anyOf(equal("sallyport.client.key", client), words("sallyport.client.name.text", client)))
	}
	if operation := glob.Replace(strings.TrimSpace(request.GetOperation())); operation != "" {
		var named []object
		for _, field := range kind.names {
			named = append(named, like(field, operation))
		}
		filters = append(filters, anyOf(named...))
	}
	if group := strings.TrimSpace(request.GetGroup()); group != "" {
		filters = append(filters, anyOf(equal("user.group.id", group), equal("user.group.name", group)))
	}
	if product := strings.TrimSpace(request.GetProduct()); product != "" {
		filters = append(filters, equal("sallyport.operation.product", product))
	}
	if session := strings.TrimSpace(request.GetSession()); session != "" {
		filters = append(filters, equal("sallyport.mcp_session", session))
	}
	return filters
}

func decisionFilter(request *adminv1.SearchActivityRequest) (object, error) {
	switch decision := request.GetDecision(); decision {
	case "":
		return nil, nil
	case activity.Allowed, activity.Blocked:
		return equal("sallyport.decision", decision), nil
	default:
		return nil, status.Errorf(codes.InvalidArgument, "decision is %q: it may be %s or %s.", decision, activity.Allowed, activity.Blocked)
	}
}

// projectFilter is of what is found in arguments: that a record is found by it would tell of them.
func projectFilter(request *adminv1.SearchActivityRequest, arguments bool) (object, error) {
	project := strings.TrimSpace(request.GetProject())
	if project == "" {
		return nil, nil
	}
	if !arguments {
		return nil, status.Error(codes.PermissionDenied, "project is found in the arguments of calls, which a viewer may not see: leave it out, or ask an admin for the role auditor.")
	}
	return equal("sallyport.project_key", project), nil
}

func ruleFilter(request *adminv1.SearchActivityRequest) (object, error) {
	rule := strings.TrimSpace(request.GetRule())
	if rule == "" {
		return nil, nil
	}
	if strings.EqualFold(rule, "default") {
		return object{"bool": object{"must_not": []object{exists("sallyport.rule.id"), exists("sallyport.refusal"), equal("sallyport.ungoverned", "true")}}}, nil
	}
	named := []object{equal("sallyport.rule.id", rule)}
	number, err := strconv.Atoi(rule)
	switch {
	case err != nil:
		named = append(named, words("sallyport.rule.note.text", rule))
	case number >= 1 && number <= mostRules:
		named = append(named, object{"term": object{"sallyport.rule.number": number}})
	}
	return anyOf(named...), nil
}

// families are those of the language of rules.
var families = []string{"read", "create", "update", "delete", "manage"}

func familyFilter(request *adminv1.SearchActivityRequest) (object, error) {
	const field = "sallyport.operation.actions"
	family := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(request.GetFamily())), "*")
	switch {
	case request.GetFamily() == "":
		return nil, nil
	case family == "write":
		return anyOf(object{"terms": object{field: families[1:]}}, object{"bool": object{"must_not": exists(field)}}), nil
	case slices.Contains(families, family):
		return equal(field, family), nil
	}
	return nil, status.Errorf(codes.InvalidArgument, "family is %q: it may be read*, create*, update*, delete*, manage* or write*. Other patterns are for operation.", request.GetFamily())
}

func timeFilter(request *adminv1.SearchActivityRequest) (object, error) {
	span := object{}
	for _, end := range []struct {
		name, is string
		at       *timestamppb.Timestamp
	}{{"since", "gte", request.GetSince()}, {"until", "lt", request.GetUntil()}} {
		if end.at == nil {
			continue
		}
		if end.at.CheckValid() != nil {
			return nil, status.Errorf(codes.InvalidArgument, "%s is not a time.", end.name)
		}
		span[end.is] = end.at.AsTime().Format(time.RFC3339Nano)
	}
	if len(span) == 0 {
		return nil, nil
	}
	return object{"range": object{"@timestamp": span}}, nil
}

// callOutcomes and actOutcomes are what came of a record, each with what has it at a time. They say what
// recordMessage says of one record.
func callOutcomes(at time.Time) map[string]object {
	const field = "sallyport.outcome"
	late := object{"range": object{"@timestamp": object{"lt": at.Add(-activity.OutcomeTimeout).Format(time.RFC3339Nano)}}}
	open := []object{equal("sallyport.decision", activity.Allowed), anyOf(equal(field, activity.OutcomeInFlight), object{"bool": object{"must_not": exists(field)}})}
	return map[string]object{
		activity.OutcomeOK:        equal(field, activity.OutcomeOK),
		activity.OutcomeToolError: equal(field, activity.OutcomeToolError),
		activity.OutcomeHTTPError: equal(field, activity.OutcomeHTTPError),
		activity.OutcomeInFlight:  {"bool": object{"filter": open, "must_not": late}},
		activity.OutcomeUnknown:   anyOf(equal(field, activity.OutcomeUnknown), object{"bool": object{"filter": append(open[:2:2], late)}}),
	}
}

func actOutcomes(time.Time) map[string]object {
	const field = "event.outcome"
	return map[string]object{
		"success": equal(field, "success"), "failure": equal(field, "failure"),
		"unknown": anyOf(equal(field, "unknown"), object{"bool": object{"must_not": exists(field)}}),
	}
}

func outcomeFilter(request *adminv1.SearchActivityRequest, at time.Time) (object, error) {
	outcome := request.GetOutcome()
	if outcome == "" {
		return nil, nil
	}
	known, names := callOutcomes(at), "ok, tool_error, http_error, error for both, in_flight or unknown, or an HTTP status of 400 to 599"
	known["error"] = anyOf(known[activity.OutcomeToolError], known[activity.OutcomeHTTPError])
	if request.GetAdministrative() {
		known, names = actOutcomes(at), "success, failure or unknown"
	}
	code, err := strconv.Atoi(outcome)
	if err == nil && code >= 400 && code < 600 && !request.GetAdministrative() {
		status := object{"term": object{"http.response.status_code": code}}
		return object{"bool": object{"filter": []object{known[activity.OutcomeHTTPError], status}}}, nil
	}
	filter, ok := known[outcome]
	if !ok {
		return nil, status.Errorf(codes.InvalidArgument, "outcome is %q: it may be %s.", outcome, names)
	}
	return filter, nil
}
