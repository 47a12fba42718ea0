package admin

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// OperationServer knows the operations that rules are about.
type OperationServer struct {
	adminv1.UnsafeOperationServiceServer
	policies  policies
	catalogue catalogue
	log       *slog.Logger
}

// ListOperations returns the known operations that a pattern matches.
func (s *OperationServer) ListOperations(ctx context.Context, request *adminv1.ListOperationsRequest) (*adminv1.ListOperationsResponse, error) {
	effect := policy.Deny
	if request.GetEffect() == policyv1.Effect_EFFECT_ALLOW {
		effect = policy.Allow
	}
	all, unknown, err := s.catalogue.all(ctx)
	if err != nil {
		return nil, err
	}
	_, engine, err := s.policies.engine(ctx, nil)
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListOperationsResponse{Known: int32(len(all)), Unknown: unknown}
	for _, o := range all {
		if request.GetPattern() == "" || len(policy.Matching(request.GetPattern(), effect, []policy.Call{o.call})) > 0 {
			answer.Operations = append(answer.Operations, operationMessage(o, engine))
		}
	}
	return answer, nil
}

// notices returns those of the site's tools that admins should look at, with a status as the error.
func (s *OperationServer) notices(ctx context.Context, tools []state.Tool) ([]*adminv1.Operation, error) {
	_, engine, err := s.policies.engine(ctx, nil)
	if err != nil {
		return nil, err
	}
	var list []*adminv1.Operation
	for i := range tools {
		if tools[i].Notice != "" {
			list = append(list, operationMessage(offered(&tools[i]), engine))
		}
	}
	return list, nil
}

func operationMessage(o known, engine *policy.Engine) *adminv1.Operation {
	op := o.call.Operation
	m := &adminv1.Operation{
		Name: op.Name, OtherName: op.Other, Product: op.Product, Families: op.Families(),
		Calls: o.calls, DecidedBy: engine.DecidedBy(o.call),
	}
	if o.tool != nil {
		m.Offered = o.tool.Notice != state.NoticeGone
		m.Description = o.tool.Description
		m.Notice = string(o.tool.Notice)
		m.Changed = slices.Clone(o.tool.Changed)
		if !o.tool.NoticedAt.IsZero() {
			m.NoticedAt = timestamppb.New(o.tool.NoticedAt)
		}
	}
	return m
}

// ReviewOperations clears notices.
func (s *OperationServer) ReviewOperations(ctx context.Context, request *adminv1.ReviewOperationsRequest) (*adminv1.ReviewOperationsResponse, error) {
	tools, err := s.catalogue.store.Tools(ctx)
	if err == nil {
		err = s.catalogue.store.ReviewTools(ctx, request.GetNames())
	}
	if errors.Is(err, state.ErrNotFound) {
		return nil, status.Errorf(codes.NotFound, "The site offers no tool of one of these names, so nothing was reviewed. `sallyport policy operations` lists those it offers. (%v)", err)
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis doesn't answer, so nothing was reviewed. Start it again, and try once more. (%v)", err)
	}
	answer := &adminv1.ReviewOperationsResponse{}
	for _, tool := range tools {
		if tool.Notice != "" && (len(request.GetNames()) == 0 || slices.Contains(request.GetNames(), tool.Name)) {
			answer.Reviewed++
			s.log.Info("tool reviewed", "by", callerOf(ctx).name, "tool", tool.Name, "notice", tool.Notice)
		}
	}
	return answer, nil
}
