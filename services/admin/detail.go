package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/audit"
	"sallyport/services/policy"
)

// historyTimeout is how long the history of the policy is waited for: the record is there without it.
const historyTimeout = 2 * time.Second

// GetRecord returns one record, and the policy that decided it.
func (s *ActivityServer) GetRecord(ctx context.Context, request *adminv1.GetRecordRequest) (*adminv1.GetRecordResponse, error) {
	id := strings.TrimSpace(request.GetId())
	if id == "" || len(id) > maxFilter {
		return nil, status.Error(codes.InvalidArgument, "id is missing: send that of a record, as a search or the x-request-id of an answer has it.")
	}
	arguments := callerOf(ctx).role >= auditor
	stored, err := s.one(ctx, id, arguments)
	if err != nil {
		return nil, err
	}
	answer := &adminv1.GetRecordResponse{Record: recordMessage(stored, time.Now())}
	answer.Record.ArgumentsWithheld = !arguments
	own := stored.Sallyport
	// What another message of its batch blocked was decided too.
	if own.PolicyVersion > 0 && !own.Ungoverned && (own.Refusal == "" || own.Refusal == "batch") {
		answer.Policy = s.policies.deciding(ctx, own)
	}
	answer.Forms, err = formsOf(stored, request.GetFormats())
	return answer, err
}

// auditFormats are Atlassian's formats, by the API's.
var auditFormats = map[adminv1.AuditFormat]audit.Format{
	adminv1.AuditFormat_AUDIT_FORMAT_ORGANIZATION: audit.Organization,
	adminv1.AuditFormat_AUDIT_FORMAT_JIRA:         audit.Jira,
	adminv1.AuditFormat_AUDIT_FORMAT_CONFLUENCE:   audit.Confluence,
}

// formsOf is a record in Atlassian's formats.
func formsOf(r activity.Record, asked []adminv1.AuditFormat) ([]*adminv1.AuditForm, error) {
	if len(asked) > len(auditFormats) {
		return nil, status.Errorf(codes.InvalidArgument, "formats has %d: each of the %d can be asked for once.", len(asked), len(auditFormats))
	}
	var forms []*adminv1.AuditForm
	for _, format := range asked {
		known, ok := auditFormats[format]
		if !ok {
			return nil, status.Errorf(codes.InvalidArgument, "there is no format %d: it may be AUDIT_FORMAT_ORGANIZATION, AUDIT_FORMAT_JIRA or AUDIT_FORMAT_CONFLUENCE.", format)
		}
		form := &adminv1.AuditForm{Format: format}
		text, err := audit.JSON(r, known)
		switch {
		case errors.Is(err, audit.ErrOtherProduct):
			form.Missing = fmt.Sprintf("The record isn't of a call of a %s tool, so that it has no form in %s's audit log. It has one in the organization's.", known, known)
		case err != nil:
			return nil, status.Errorf(codes.Internal, "The record %s can't be written as JSON: %v.", r.Event.ID, err)
		}
		form.Json = string(text)
		forms = append(forms, form)
	}
	return forms, nil
}

// one is the record of an id, of any day.
func (s *ActivityServer) one(ctx context.Context, id string, arguments bool) (activity.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	var answer struct{ Hits hits }
	// An outcome can be indexed a moment before its decision; only together are they a record.
	query := object{"bool": object{"filter": []object{{"term": object{"event.id": id}}, exists("@timestamp")}}}
	request := esapi.SearchRequest{Index: recordPatterns, AllowNoIndices: &yes, IgnoreUnavailable: &yes}
	err := find(ctx, s.elastic, request, object{"size": 1, "query": query}, func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&answer)
	})
	if err != nil {
		return activity.Record{}, err
	}
	if len(answer.Hits.Hits) == 0 {
		return activity.Record{}, status.Errorf(codes.NotFound, "No record has the id %q. Ids are whole, as `sallyport log --json` and the x-request-id of an answer have them; the messages of a batch have -1, -2 and so on behind it. What was just done is found within two seconds, or when Elasticsearch is back.", id)
	}
	return answer.Hits.Hits[0].stored(arguments)
}

// deciding is the version of the policy that decided a call, with the rules that did, as far as it is known.
func (p policies) deciding(ctx context.Context, own activity.Sallyport) *adminv1.DecidingPolicy {
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	m := &adminv1.DecidingPolicy{Version: own.PolicyVersion}
	document, saved, err := p.version(ctx, own.PolicyVersion)
	if err != nil {
		// The record has the rule's number, id and note all the same.
		m.Missing = status.Convert(err).Message()
		return m
	}
	m.SavedBy, m.Message, m.DefaultEffect = saved.By, saved.Message, effectMessage(document.Default)
	if !saved.At.IsZero() {
		m.SavedAt = timestamppb.New(saved.At)
	}
	if own.Rule != nil {
		m.Rule = ruleNumbered(document, own.Rule.Number)
	}
	if own.Monitor != nil {
		m.MonitorRule = ruleNumbered(document, own.Monitor.Rule)
	}
	if own.Rule != nil && m.GetRule().GetId() != own.Rule.ID {
		m.Rule, m.MonitorRule = nil, nil
		m.Missing = "The history's version of the policy isn't the one that decided: its rules are others. It may be that of a Redis that was set up anew."
	}
	return m
}

func ruleNumbered(document *policy.Policy, number int) *policyv1.Rule {
	if number < 1 || number > len(document.Rules) {
		return nil
	}
	return ruleMessage(document.Rules[number-1])
}
