package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// maxMessage is how many characters the message of a save may have.
const maxMessage = 1000

// PolicyServer reads and saves the policy, and keeps its history.
type PolicyServer struct {
	adminv1.UnsafePolicyServiceServer
	policies policies
	log      *slog.Logger
}

// GetPolicy returns the policy in force, or an older version. Where none was ever saved it is one of
// version 0 without rules, which denies everything.
func (s *PolicyServer) GetPolicy(ctx context.Context, request *adminv1.GetPolicyRequest) (*adminv1.GetPolicyResponse, error) {
	document, saved, err := s.policies.version(ctx, request.GetVersion())
	if err != nil {
		return nil, err
	}
	return savedMessage(document, saved), nil
}

func savedMessage(document *policy.Policy, saved state.Policy) *adminv1.GetPolicyResponse {
	m := &adminv1.GetPolicyResponse{Policy: policyMessage(document), Version: saved.Version, SavedBy: saved.By, Message: saved.Message}
	if !saved.At.IsZero() {
		m.SavedAt = timestamppb.New(saved.At)
	}
	return m
}

// SavePolicy validates a policy and puts it in force.
func (s *PolicyServer) SavePolicy(ctx context.Context, request *adminv1.SavePolicyRequest) (*adminv1.SavePolicyResponse, error) {
	message := strings.TrimSpace(request.GetMessage())
	if utf8.RuneCountInString(message) > maxMessage {
		return nil, status.Errorf(codes.InvalidArgument, "message has %d characters, and %d are the most: say why in fewer.", utf8.RuneCountInString(message), maxMessage)
	}
	inForce, saved, err := s.policies.version(ctx, 0)
	if err != nil && status.Code(err) != codes.DataLoss { // Saving a whole policy is the way out of that.
		return nil, err
	}
	document, err := draft(request.GetPolicy(), inForce)
	if err != nil {
		return nil, err
	}
	base := request.GetBaseVersion()
	if base != saved.Version {
		return nil, s.conflict(ctx, base, inForce, saved, document)
	}
	answer := &adminv1.SavePolicyResponse{Policy: policyMessage(document), Version: saved.Version, Changes: changeMessages(inForce, document)}
	if request.GetValidateOnly() {
		return answer, nil
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	by := state.Save{At: time.Now().UTC(), By: callerOf(ctx).name, Message: message}
	answer.Version, err = s.policies.store.SavePolicy(ctx, base, text, by)
	if errors.Is(err, state.ErrConflict) {
		inForce, saved, err = s.policies.version(ctx, 0)
		if err != nil {
			return nil, err
		}
		return nil, s.conflict(ctx, base, inForce, saved, document)
	}
	if errors.Is(err, state.ErrNotOnDisk) {
		return nil, unsure{fmt.Sprintf("The policy is in force as version %d", answer.GetVersion()), "`sallyport policy history` shows whether it still is.", err}
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm that the policy is saved. Read the policy again to see which one is in force. (%v)", err)
	}
	s.log.Info("policy saved", "version", answer.GetVersion(), "by", by.By, "message", message, "rules", len(document.Rules), "default", document.Default)
	return answer, nil
}

// conflict is the error of a save that started from another version than the one in force. It shows
// both sides: what the others changed since, and what this save would have.
func (s *PolicyServer) conflict(ctx context.Context, base int64, inForce *policy.Policy, saved state.Policy, document *policy.Policy) error {
	sides := &adminv1.PolicyConflict{InForce: savedMessage(inForce, saved)}
	message := fmt.Sprintf("Version %d of the policy is in force, and this change started from version %d, so it was not saved. Read the policy again, and make the change there.", saved.Version, base)
	if base <= 0 && saved.Version > 0 {
		message = fmt.Sprintf("This change doesn't say which version of the policy it started from, so it was not saved: send base_version. Version %d is in force.", saved.Version)
	}
	started, _, err := s.policies.version(ctx, base)
	if err == nil && base > 0 {
		sides.TheirChanges = changeMessages(started, inForce)
		sides.YourChanges = changeMessages(started, document)
	}
	refused, err := status.New(codes.Aborted, message).WithDetails(sides)
	if err != nil {
		return status.Error(codes.Aborted, message)
	}
	return refused.Err()
}

// badRequest is INVALID_ARGUMENT with each field that is wrong (google.rpc.BadRequest).
func badRequest(violations []policy.Violation) error {
	details := &errdetails.BadRequest{}
	for _, v := range violations {
		details.FieldViolations = append(details.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.Field, Description: v.Sentence})
	}
	message := fmt.Sprintf("The policy has errors and is not in force: %s: %s", violations[0].Field, violations[0].Sentence)
	if more := len(violations) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	refused, err := status.New(codes.InvalidArgument, message).WithDetails(details)
	if err != nil {
		return status.Error(codes.InvalidArgument, message)
	}
	return refused.Err()
}
