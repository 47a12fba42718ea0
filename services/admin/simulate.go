package admin

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/policy"
)

const (
	// progressEvery is how often a simulation says how far it is.
	progressEvery = 500 * time.Millisecond
	// maxCounts is how many people, assistants and operations are told.
	maxCounts = 100
	// defaultChanged and maxChanged are how many changed records are returned.
	defaultChanged = 100
	maxChanged     = 1000
	// maxKeys is how many people, assistants and operations are told apart, so that memory is bounded:
	// assistants can make operations up.
	maxKeys = 10_000
)

// SimulatePolicy decides recorded calls again by another policy.
func (s *TrialServer) SimulatePolicy(request *adminv1.SimulatePolicyRequest, stream grpc.ServerStreamingServer[adminv1.SimulatePolicyResponse]) error {
	since, until, err := readRange(request)
	if err != nil {
		return err
	}
	keep := int(request.GetMaxRecords())
	switch {
	case keep < 0 || keep > maxChanged:
		return status.Errorf(codes.InvalidArgument, "max_records is %d: it may be 1 to %d, or 0 for %d.", keep, maxChanged, defaultChanged)
	case keep == 0:
		keep = defaultChanged
	}
	document, engine, err := s.policies.engine(stream.Context(), request.GetPolicy())
	if err != nil {
		return err
	}
	sim := newSimulation(document, engine, keep)
	var total int64
	told := time.Now()
	err = s.replay.read(stream.Context(), since, until, func(p page) error {
		total = max(total, p.Total)
		for i := range p.Records {
			sim.add(&p.Records[i])
		}
		if time.Since(told) < progressEvery {
			return nil
		}
		told = time.Now()
		return stream.Send(&adminv1.SimulatePolicyResponse{Answer: &adminv1.SimulatePolicyResponse_Progress{
			Progress: &adminv1.SimulationProgress{Done: sim.result.Calls, Total: total},
		}})
	})
	if err != nil {
		return err
	}
	return stream.Send(&adminv1.SimulatePolicyResponse{Answer: &adminv1.SimulatePolicyResponse_Result{Result: sim.finish()}})
}

func readRange(request *adminv1.SimulatePolicyRequest) (since, until time.Time, err error) {
	if request.GetSince() == nil || request.GetSince().CheckValid() != nil {
		return since, until, status.Error(codes.InvalidArgument, "since is missing: name the time from which on recorded calls are decided again.")
	}
	since, until = request.GetSince().AsTime(), time.Now()
	if request.GetUntil() != nil {
		until = request.GetUntil().AsTime()
	}
	if request.GetUntil().CheckValid() != nil && request.GetUntil() != nil || !since.Before(until) {
		return since, until, status.Error(codes.InvalidArgument, "until must be a time after since.")
	}
	return since, until, nil
}

// simulation counts what a policy would have decided otherwise.
type simulation struct {
	engine *policy.Engine
	result *adminv1.SimulationResult
	// users, clients and operations are by name.
	users, clients, operations map[string]*adminv1.ChangedCount
	keep                       int
}

func newSimulation(document *policy.Policy, engine *policy.Engine, keep int) *simulation {
	s := &simulation{
		engine: engine, keep: keep, result: &adminv1.SimulationResult{},
		users: map[string]*adminv1.ChangedCount{}, clients: map[string]*adminv1.ChangedCount{}, operations: map[string]*adminv1.ChangedCount{},
	}
	// The default is first, so that a rule's number is its place.
	s.result.Rules = append(s.result.Rules, &adminv1.RuleEffect{})
	for i, r := range document.Rules {
		s.result.Rules = append(s.result.Rules, &adminv1.RuleEffect{RuleNumber: int32(i + 1), RuleId: r.ID})
	}
	return s
}

// add decides one recorded call again.
func (s *simulation) add(r *recorded) {
	s.result.Calls++
	if !r.decided() {
		s.result.NotDecided++
		return
	}
	if len(r.GroupNames) > 0 && len(r.GroupIDs) == 0 {
		s.result.WithoutGroupIds++
	}
	decision := s.engine.Decide(r.client(), r.subject(), r.call())
	rule := s.result.Rules[decision.Rule]
	rule.Decided++
	if decision.MonitorRule > 0 {
		s.result.Rules[decision.MonitorRule].Monitored++
	}
	was := first(r.Decision) == activity.Allowed
	if was == decision.Allowed {
		return
	}
	who := cmp.Or(first(r.Email), first(r.User))
	counts := []*adminv1.ChangedCount{counted(s.users, who), counted(s.clients, first(r.ClientKey)), counted(s.operations, first(r.Operation))}
	if was {
		s.result.NewlyBlocked++
		rule.NewlyBlocked++
	} else {
		s.result.NewlyAllowed++
		rule.NewlyAllowed++
	}
	for _, c := range counts {
		if was {
			c.NewlyBlocked++
		} else {
			c.NewlyAllowed++
		}
	}
	s.keepRecord(&adminv1.ChangedRecord{
		Id: first(r.ID), Time: timestamppb.New(first(r.Time)), User: who, Client: first(r.ClientKey), Operation: first(r.Operation),
		Was: first(r.Decision), WouldBe: effectOf(decision), RuleNumber: int32(decision.Rule),
	})
}

func counted(counts map[string]*adminv1.ChangedCount, key string) *adminv1.ChangedCount {
	c := counts[key]
	if c == nil && len(counts) >= maxKeys {
		key = ""
		c = counts[key]
	}
	if c == nil {
		c = &adminv1.ChangedCount{Key: key}
		counts[key] = c
	}
	return c
}

// keepRecord keeps the newest changed records. It sorts when twice as many as needed have come, so
// that each costs little.
func (s *simulation) keepRecord(r *adminv1.ChangedRecord) {
	s.result.Records = append(s.result.Records, r)
	if len(s.result.Records) >= 2*s.keep {
		s.cutRecords()
	}
}

func (s *simulation) cutRecords() {
	slices.SortFunc(s.result.Records, func(a, b *adminv1.ChangedRecord) int {
		return cmp.Or(b.GetTime().AsTime().Compare(a.GetTime().AsTime()), cmp.Compare(b.GetId(), a.GetId()))
	})
	s.result.Records = s.result.Records[:min(len(s.result.Records), s.keep)]
}

// finish returns the result, with the default after the rules.
func (s *simulation) finish() *adminv1.SimulationResult {
	s.cutRecords()
	s.result.Rules = append(s.result.Rules[1:], s.result.Rules[0])
	s.result.Users, s.result.Clients, s.result.Operations = mostFirst(s.users), mostFirst(s.clients), mostFirst(s.operations)
	return s.result
}

func mostFirst(counts map[string]*adminv1.ChangedCount) []*adminv1.ChangedCount {
	var list []*adminv1.ChangedCount
	for _, c := range counts {
		list = append(list, c)
	}
	changed := func(c *adminv1.ChangedCount) int64 { return c.GetNewlyBlocked() + c.GetNewlyAllowed() }
	slices.SortFunc(list, func(a, b *adminv1.ChangedCount) int {
		return cmp.Or(cmp.Compare(changed(b), changed(a)), cmp.Compare(a.GetKey(), b.GetKey()))
	})
	return list[:min(len(list), maxCounts)]
}

// effectOf is a decision in the record's word.
func effectOf(d policy.Decision) string {
	if d.Allowed {
		return activity.Allowed
	}
	return activity.Blocked
}
