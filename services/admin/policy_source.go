package admin

import (
	"context"
	"encoding/json"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// policies finds policies: saved ones and drafts.
type policies struct{ store *state.Store }

// version returns a saved policy, 0 for the one in force, with a status as the error. DATA_LOSS
// means that it can't be read; the policy is an empty one then, which denies everything.
func (p policies) version(ctx context.Context, version int64) (*policy.Policy, state.Policy, error) {
	empty := &policy.Policy{Default: policy.Deny}
	saved, err := p.read(ctx, version)
	if errors.Is(err, state.ErrNotFound) {
		return empty, saved, status.Errorf(codes.NotFound, "The policy has no version %d in its history. `sallyport policy history` lists those it has.", version)
	}
	if err != nil {
		return empty, saved, status.Errorf(codes.Unavailable, "Redis doesn't answer, so the policy can't be read. Start it again, and try once more. (%v)", err)
	}
	if saved.Version == 0 {
		return empty, saved, nil
	}
	document := &policy.Policy{}
	err = json.Unmarshal(saved.Document, document)
	if err != nil {
		return empty, saved, status.Errorf(codes.DataLoss, "Policy version %d in Redis can't be read; while it is in force, every call is refused. Save a whole policy with base_version %d. (%v)", saved.Version, saved.Version, err)
	}
	return document, saved, nil
}

func (p policies) read(ctx context.Context, version int64) (state.Policy, error) {
	if version == 0 {
		return p.store.Policy(ctx)
	}
	return p.store.PolicyVersion(ctx, version)
}

// from returns the policy that a source names, with a status as the error. A draft's rules get ids
// as they would when it is saved.
func (p policies) from(ctx context.Context, source *adminv1.PolicySource) (*policy.Policy, error) {
	if source.GetDraft() == nil {
		document, _, err := p.version(ctx, source.GetVersion())
		return document, err
	}
	inForce, _, err := p.version(ctx, 0)
	if err != nil && status.Code(err) != codes.DataLoss {
		return nil, err
	}
	return draft(source.GetDraft(), inForce)
}

// engine is from, compiled. The number of the version is that of what is in force or was.
func (p policies) engine(ctx context.Context, source *adminv1.PolicySource) (*policy.Policy, *policy.Engine, error) {
	document, err := p.from(ctx, source)
	if err != nil {
		return nil, nil, err
	}
	engine, err := policy.Compile(document)
	if err != nil {
		return nil, nil, status.Error(codes.DataLoss, err.Error())
	}
	return document, engine, nil
}

// draft reads a policy that was sent, as it would be saved: whole, with ids, and without errors.
func draft(sent *policyv1.Policy, inForce *policy.Policy) (*policy.Policy, error) {
	document, violations := policyFrom(sent)
	document.Normalize()
	fillIDs(document, inForce.Rules)
	violations = append(violations, document.Validate()...)
	if len(violations) > 0 {
		return nil, badRequest(violations)
	}
	return document, nil
}
