package admin

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

const (
	defaultVersions = 20
	maxVersions     = 100
)

// ListPolicyVersions returns who saved what when, newest first.
func (s *PolicyServer) ListPolicyVersions(ctx context.Context, request *adminv1.ListPolicyVersionsRequest) (*adminv1.ListPolicyVersionsResponse, error) {
	size := int64(request.GetPageSize())
	switch {
	case size < 0 || size > maxVersions:
		return nil, status.Errorf(codes.InvalidArgument, "page_size is %d: it may be 1 to %d, or 0 for %d.", size, maxVersions, defaultVersions)
	case size == 0:
		size = defaultVersions
	}
	last, err := s.lastOfPage(ctx, request.GetPageToken())
	if err != nil {
		return nil, err
	}
	first := max(1, last-size+1)
	// One more than shown: a version's changes are those since the one before.
	saved, err := s.policies.store.PolicyVersions(ctx, first-1, last)
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis doesn't answer, so the history can't be read. Start it again, and try once more. (%v)", err)
	}
	page := &adminv1.ListPolicyVersionsResponse{}
	for i, version := range slices.Backward(saved) {
		if version.Version < first {
			continue
		}
		before := &policy.Policy{Default: policy.Deny}
		if i > 0 {
			before = documentOf(saved[i-1])
		}
		page.Versions = append(page.Versions, versionMessage(version, before))
	}
	if first > 1 {
		page.NextPageToken = strconv.FormatInt(first-1, 10)
	}
	return page, nil
}

// lastOfPage is the newest version of a page: the token's, or the one in force.
func (s *PolicyServer) lastOfPage(ctx context.Context, token string) (int64, error) {
	if token != "" {
		last, err := strconv.ParseInt(token, 10, 64)
		if err != nil || last < 1 {
			return 0, status.Error(codes.InvalidArgument, "page_token is none that ListPolicyVersions returned: send next_page_token of the page before, or nothing for the first page.")
		}
		return last, nil
	}
	_, saved, err := s.policies.version(ctx, 0)
	if err != nil && status.Code(err) != codes.DataLoss {
		return 0, err
	}
	return saved.Version, nil
}

// documentOf is a version's policy; one that can't be read says nothing.
func documentOf(saved state.Policy) *policy.Policy {
	document := &policy.Policy{}
	err := json.Unmarshal(saved.Document, document)
	if err != nil {
		return &policy.Policy{}
	}
	return document
}

func versionMessage(saved state.Policy, before *policy.Policy) *adminv1.PolicyVersion {
	return &adminv1.PolicyVersion{
		Version: saved.Version, SavedAt: timestamppb.New(saved.At), SavedBy: saved.By, Message: saved.Message,
		Changes: changeMessages(before, documentOf(saved)),
	}
}

// ComparePolicies returns the differences between two policies.
func (s *PolicyServer) ComparePolicies(ctx context.Context, request *adminv1.ComparePoliciesRequest) (*adminv1.ComparePoliciesResponse, error) {
	before, err := s.policies.from(ctx, request.GetBefore())
	if err != nil {
		return nil, err
	}
	after, err := s.policies.from(ctx, request.GetAfter())
	if err != nil {
		return nil, err
	}
	return &adminv1.ComparePoliciesResponse{
		Changes: changeMessages(before, after), Before: policyMessage(before), After: policyMessage(after),
	}, nil
}

// changeKinds are the kinds of changes, as the API names them.
var changeKinds = map[policy.ChangeKind]adminv1.PolicyChangeKind{
	policy.DefaultChanged: adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_DEFAULT,
	policy.RuleAdded:      adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_ADDED,
	policy.RuleRemoved:    adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_REMOVED,
	policy.RuleChanged:    adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_CHANGED,
	policy.RuleMoved:      adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_MOVED,
}

func changeMessages(before, after *policy.Policy) []*adminv1.PolicyChange {
	var messages []*adminv1.PolicyChange
	for _, c := range policy.Compare(before, after) {
		m := &adminv1.PolicyChange{Kind: changeKinds[c.Kind], NumberBefore: int32(c.Before), NumberAfter: int32(c.After)}
		if c.Kind == policy.DefaultChanged {
			m.DefaultBefore, m.DefaultAfter = effectMessage(before.Default), effectMessage(after.Default)
		}
		if c.Before > 0 {
			m.Before = ruleMessage(before.Rules[c.Before-1])
		}
		if c.After > 0 {
			m.After = ruleMessage(after.Rules[c.After-1])
		}
		messages = append(messages, m)
	}
	return messages
}
