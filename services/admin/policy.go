package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// PolicyServer reads and saves the policy.
type PolicyServer struct {
	adminv1.UnsafePolicyServiceServer
	store *state.Store
	log   *slog.Logger
}

// GetPolicy returns the policy in force; one of version 0 without rules, which denies everything,
// where none was ever saved.
func (s *PolicyServer) GetPolicy(ctx context.Context, _ *adminv1.GetPolicyRequest) (*adminv1.GetPolicyResponse, error) {
	inForce, saved, err := s.inForce(ctx)
	if err != nil {
		return nil, err
	}
	answer := &adminv1.GetPolicyResponse{Policy: policyMessage(inForce), Version: saved.Version}
	if saved.Version > 0 {
		answer.SavedAt = timestamppb.New(saved.SavedAt)
	}
	return answer, nil
}

func (s *PolicyServer) inForce(ctx context.Context) (*policy.Policy, state.Policy, error) {
	saved, err := s.store.Policy(ctx)
	if err != nil {
		return nil, saved, status.Errorf(codes.Unavailable, "Redis doesn't answer, so the policy can't be read. Start it again, and try once more. (%v)", err)
	}
	if saved.Version == 0 {
		return &policy.Policy{Default: policy.Deny}, saved, nil
	}
	document := &policy.Policy{}
	err = json.Unmarshal(saved.Document, document)
	if err != nil {
		return &policy.Policy{}, saved, status.Errorf(codes.DataLoss, "Policy version %d in Redis can't be read, so every call is refused. Save a whole policy without a base version. (%v)", saved.Version, err)
	}
	return document, saved, nil
}

// SavePolicy validates a policy and puts it in force.
func (s *PolicyServer) SavePolicy(ctx context.Context, request *adminv1.SavePolicyRequest) (*adminv1.SavePolicyResponse, error) {
	if request.GetBaseVersion() < 0 {
		return nil, status.Errorf(codes.InvalidArgument, "base_version is %d: it must be the version that the change started from, or 0 to replace whatever is in force.", request.GetBaseVersion())
	}
	inForce, _, err := s.inForce(ctx)
	if err != nil && status.Code(err) != codes.DataLoss { // Saving a whole policy is the way out of that.
		return nil, err
	}
	document, violations := policyFrom(request.GetPolicy())
	document.Normalize()
	fillIDs(document, inForce.Rules)
	violations = append(violations, document.Validate()...)
	if len(violations) > 0 {
		return nil, badRequest(violations)
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	version, err := s.store.SavePolicy(ctx, text, request.GetBaseVersion())
	if errors.Is(err, state.ErrConflict) {
		return nil, status.Errorf(codes.Aborted, "Version %d of the policy is in force, and this change started from version %d, so it was not saved. Read the policy again, and make the change there.", version, request.GetBaseVersion())
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm that the policy is saved. Read the policy again to see which one is in force. (%v)", err)
	}
	s.log.Info("policy saved", "version", version, "rules", len(document.Rules), "default", document.Default)
	return &adminv1.SavePolicyResponse{Policy: policyMessage(document), Version: version}, nil
}

// badRequest is INVALID_ARGUMENT with each field that is wrong (google.rpc.BadRequest).
func badRequest(violations []policy.Violation) error {
	details := &errdetails.BadRequest{}
	for _, v := range violations {
		details.FieldViolations = append(details.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.Field, Description: v.Sentence})
	}
	message := fmt.Sprintf("The policy was not saved: %s: %s", violations[0].Field, violations[0].Sentence)
	if more := len(violations) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	refused, err := status.New(codes.InvalidArgument, message).WithDetails(details)
	if err != nil {
		return status.Error(codes.InvalidArgument, message)
	}
	return refused.Err()
}
