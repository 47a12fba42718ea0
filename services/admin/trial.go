package admin

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/mcp"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

// TrialServer answers what a policy would do.
type TrialServer struct {
	adminv1.UnsafeTrialServiceServer
	policies  policies
	people    people
	catalogue catalogue
	replay    replay
}

// ExplainDecision decides about one call, and says how each rule was read.
func (s *TrialServer) ExplainDecision(ctx context.Context, request *adminv1.ExplainDecisionRequest) (*adminv1.ExplainDecisionResponse, error) {
	call, err := readCall(request.GetOperation(), request.GetArguments())
	if err != nil {
		return nil, err
	}
	client, err := readClient(request)
	if err != nil {
		return nil, err
	}
	if request.GetUser() == "" && request.GetGroups() == nil {
		return nil, status.Error(codes.InvalidArgument, "user is empty: name a person by e-mail address or account id.")
	}
	document, engine, err := s.policies.engine(ctx, request.GetPolicy())
	if err != nil {
		return nil, err
	}
	subject, err := s.people.subject(ctx, request.GetUser())
	if err != nil {
		return nil, err
	}
	if assumed := request.GetGroups(); assumed != nil {
		subject.Groups, subject.GroupsKnown = nil, true
		for _, name := range assumed.GetGroups() {
			subject.Groups = append(subject.Groups, policy.Group{ID: name, Name: name})
		}
	}
	decision, steps := engine.Explain(client, subject, call)
	answer := explanationMessage(client, subject, call, decision)
	answer.Summary = summary(document, call, decision)
	for _, step := range steps {
		answer.Steps = append(answer.Steps, &adminv1.RuleStep{
			RuleNumber: int32(step.Rule), RuleId: step.RuleID, Matches: step.Matches, Decides: step.Decides, Reason: step.Reason,
		})
	}
	return answer, nil
}

// readCall reads an operation with its arguments as a request is read, so that an execute call is
// what it executes.
func readCall(name string, arguments *structpb.Struct) (policy.Call, error) {
	if strings.TrimSpace(name) == "" {
		return policy.Call{}, status.Error(codes.InvalidArgument, "operation is empty: name a tool, such as getJiraIssue.")
	}
	message := &structpb.Struct{Fields: map[string]*structpb.Value{
		"jsonrpc": structpb.NewStringValue("2.0"), "id": structpb.NewNumberValue(1),
		"method": structpb.NewStringValue("tools/call"),
	}}
	if strings.Contains(name, "/") {
		message.Fields["method"] = structpb.NewStringValue(name)
	} else {
		if arguments == nil {
			arguments = &structpb.Struct{}
		}
		message.Fields["params"] = structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
			"name": structpb.NewStringValue(name), "arguments": structpb.NewStructValue(arguments),
		}})
	}
	body, err := protojson.Marshal(message)
	if err != nil {
		return policy.Call{}, status.Errorf(codes.InvalidArgument, "The operation can't be written as a message: %v.", err)
	}
	read, err := mcp.Parse(body)
	if err != nil {
		return policy.Call{}, status.Errorf(codes.InvalidArgument, "Sallyport would refuse this call, whatever the policy says: %v", err)
	}
	m := read.Messages[0]
	if !m.Governed() {
		return policy.Call{}, status.Errorf(codes.InvalidArgument, "No rule decides about %q: it is allowed to everybody who is signed in.", name)
	}
	inner, outer, ok := m.Operation()
	if !ok {
		return policy.Call{}, status.Errorf(codes.InvalidArgument, `Sallyport would block this call, whatever the policy says: %q executes what its argument "name" says, and that is missing, or an execute tool again.`, name)
	}
	return policy.Call{Operation: operation.Parse(inner, m.FetchID), Outer: outer}, nil
}

func readClient(request *adminv1.ExplainDecisionRequest) (policy.Client, error) {
	c := policy.Client{Key: strings.TrimSpace(request.GetClient()), Name: request.GetClientName(), Class: policy.Class(request.GetClientClass())}
	switch c.Class {
	case policy.Verified, policy.Claimed, policy.Unknown:
	case "":
		c.Class = policy.Unknown
	default:
		return c, status.Errorf(codes.InvalidArgument, "client_class is %q: it may be verified, claimed or unknown.", c.Class)
	}
	if c.Key == "" {
		return c, status.Error(codes.InvalidArgument, "client is empty: name an assistant, such as claude.")
	}
	if c.Name == "" {
		c.Name = c.Key
	}
	return c, nil
}

func explanationMessage(c policy.Client, s policy.Subject, call policy.Call, d policy.Decision) *adminv1.ExplainDecisionResponse {
	m := &adminv1.ExplainDecisionResponse{
		Decision: &activityv1.Decision{
			Effect: effectOf(d), RuleNumber: int32(d.Rule), RuleId: d.RuleID, RuleNote: d.Note,
			MonitorRule: int32(d.MonitorRule), MonitorEffect: string(d.MonitorEffect), GroupsUnknown: d.GroupsUnknown,
		},
		User:        &activityv1.User{Id: s.AccountID, Email: s.Email},
		GroupsKnown: s.GroupsKnown,
		Client:      &activityv1.Client{Key: c.Key, Name: c.Name, Class: string(c.Class)},
		Operation:   &activityv1.Operation{Name: call.Operation.Name, Outer: call.Outer, Product: call.Operation.Product, Actions: call.Operation.Families()},
		Verbs:       call.Operation.Verbs,
	}
	for _, g := range s.Groups {
		m.User.Groups = append(m.User.Groups, g.Name)
	}
	return m
}

// summary says a decision in a sentence.
func summary(document *policy.Policy, call policy.Call, d policy.Decision) string {
	text := call.Operation.Name + " would be " + effectOf(d)
	switch {
	case d.Rule == 0:
		text += fmt.Sprintf(": no rule matches, and the default is %s.", document.Default)
	case d.Note == "":
		text += fmt.Sprintf(" by rule %d.", d.Rule)
	default:
		text += fmt.Sprintf(" by rule %d: %s.", d.Rule, strings.TrimRight(d.Note, "."))
	}
	if d.MonitorRule > 0 {
		text += fmt.Sprintf(" Rule %d, which only monitors, would %s it.", d.MonitorRule, d.MonitorEffect)
	}
	return text
}

// LintPolicy returns what is probably not meant.
func (s *TrialServer) LintPolicy(ctx context.Context, request *adminv1.LintPolicyRequest) (*adminv1.LintPolicyResponse, error) {
	_, engine, err := s.policies.engine(ctx, request.GetPolicy())
	if err != nil {
		return nil, err
	}
	answer := &adminv1.LintPolicyResponse{}
	var known policy.Known
	operations, unknown, err := s.catalogue.all(ctx)
	if err != nil {
		return nil, err
	}
	answer.Unchecked = append(answer.Unchecked, unknown...)
	if len(operations) > 0 {
		known.Operations = callsOf(operations)
	}
	known.Groups, err = s.people.groups(ctx, "")
	if err != nil {
		answer.Unchecked = append(answer.Unchecked, "Groups weren't checked: "+status.Convert(err).Message())
	}
	for _, f := range engine.Lint(known) {
		answer.Findings = append(answer.Findings, &adminv1.LintFinding{
			Kind: string(f.Kind), Field: f.Field, RuleNumber: int32(f.Rule), Sentence: f.Sentence, Near: f.Near,
		})
	}
	return answer, nil
}
