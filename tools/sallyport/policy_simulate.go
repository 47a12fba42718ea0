package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

type policySimulate struct {
	Policy   string `arg:"" optional:"" help:"A POLICY, such as a file that isn't in force yet; left out, the one in force."`
	Since    since  `help:"Calls since then: 15m, 2h, 7d ago, a day as 2026-11-23, or a time as 2026-11-23T09:00:00Z." default:"7d" placeholder:"TIME"`
	Until    since  `help:"Calls before then; now, if left out." placeholder:"TIME"`
	Records  int    `help:"How many of the calls that would change to show, newest first." default:"20" short:"n"`
	ExitCode bool   `help:"Exit with 1 if any call would be decided otherwise."`
	JSON     bool   `help:"Answer with one JSON object: calls, newly_blocked, newly_allowed, not_decided, and the same by rules, users, clients and operations, and the records." name:"json"`
}

// maxSimulatedRecords is how many records the admin API returns.
const maxSimulatedRecords = 1000

// Help is the examples of --help.
func (policySimulate) Help() string {
	return `It takes the calls that were recorded, with the groups that people had then, and decides each again. Nothing is sent to Atlassian, and nothing is put in force. Calls that couldn't be read stay blocked by any policy; they are counted as not decided.

Examples:

  sallyport policy simulate policy.yaml
  sallyport policy simulate policy.yaml --since 30d --records 1000
  sallyport policy simulate 6 --since 2026-11-01 --until 2026-11-08
  sallyport policy simulate policy.yaml --exit-code --json | jq '.newly_blocked'`
}

// Validate refuses a number of records that can't be.
func (s *policySimulate) Validate() error {
	if s.Records < 1 || s.Records > maxSimulatedRecords {
		return fmt.Errorf("--records is %d: it may be 1 to %d", s.Records, maxSimulatedRecords)
	}
	return nil
}

// Run shows what would have been different.
func (s *policySimulate) Run(ctx context.Context, c *connection, t *terminal) error {
	policy, err := readDraft(s.Policy)
	if err != nil {
		return err
	}
	now := time.Now()
	request := &adminv1.SimulatePolicyRequest{Policy: policy.source(), Since: timestamppb.New(s.Since.before(now)), MaxRecords: int32(s.Records)}
	if until := s.Until.before(now); !until.IsZero() {
		request.Until = timestamppb.New(until)
	}
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	rules, err := rulesOf(ctx, adminv1.NewPolicyServiceClient(conn), policy)
	if err != nil {
		return err
	}
	result, err := simulated(ctx, adminv1.NewTrialServiceClient(conn), request, newProgress())
	if err != nil {
		return policy.blame(err)
	}
	if s.JSON {
		err = writeJSON(t.out, newSimulation(result))
		if err != nil {
			return err
		}
	} else {
		showSimulation(t, result, rules, request.GetSince().AsTime())
	}
	if s.ExitCode && result.GetNewlyBlocked()+result.GetNewlyAllowed() > 0 {
		return errShown
	}
	return nil
}

// rulesOf are the rules of a policy, by number counted from 1, as people read them.
func rulesOf(ctx context.Context, client adminv1.PolicyServiceClient, d draft) ([]string, error) {
	var read *policyv1.Policy
	if d.file != nil {
		filled := d.file.Policy
		filled.Normalize()
		read = policyMessage(filled)
	} else {
		saved, err := client.GetPolicy(ctx, &adminv1.GetPolicyRequest{Version: d.version})
		if err != nil {
			return nil, err
		}
		read = saved.GetPolicy()
	}
	rules := []string{"default " + effectWords[read.GetDefaultEffect()]}
	for i, r := range read.GetRules() {
		rules = append(rules, fmt.Sprintf("%d %s", i+1, newRuleText(r)))
	}
	return rules, nil
}

// simulated waits for the result and says how far it is meanwhile.
func simulated(ctx context.Context, client adminv1.TrialServiceClient, request *adminv1.SimulatePolicyRequest, p *progress) (*adminv1.SimulationResult, error) {
	stream, err := client.SimulatePolicy(ctx, request)
	if err != nil {
		return nil, err
	}
	defer p.done()
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, advice("The simulation ended without a result: try it again.")
		}
		if err != nil {
			return nil, err
		}
		if result := answer.GetResult(); result != nil {
			return result, nil
		}
		p.say(fmt.Sprintf("Decided %s of %s again", groupDigits(answer.GetProgress().GetDone()), count64(answer.GetProgress().GetTotal(), "call")))
	}
}

// simulation is the result as JSON.
type simulation struct {
	Calls           int64           `json:"calls"`
	NewlyBlocked    int64           `json:"newly_blocked"`
	NewlyAllowed    int64           `json:"newly_allowed"`
	NotDecided      int64           `json:"not_decided"`
	WithoutGroupIDs int64           `json:"without_group_ids"`
	Rules           []simulatedRule `json:"rules"`
	Users           []changedCount  `json:"users"`
	Clients         []changedCount  `json:"clients"`
	Operations      []changedCount  `json:"operations"`
	Records         []changedRecord `json:"records"`
}

type simulatedRule struct {
	Rule         int32  `json:"rule"`
	RuleID       string `json:"rule_id"`
	Decided      int64  `json:"decided"`
	NewlyBlocked int64  `json:"newly_blocked"`
	NewlyAllowed int64  `json:"newly_allowed"`
	Monitored    int64  `json:"monitored"`
}

type changedCount struct {
	Key          string `json:"key"`
	NewlyBlocked int64  `json:"newly_blocked"`
	NewlyAllowed int64  `json:"newly_allowed"`
}

type changedRecord struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	User      string    `json:"user"`
	Client    string    `json:"client"`
	Operation string    `json:"operation"`
	Was       string    `json:"was"`
	WouldBe   string    `json:"would_be"`
	Rule      int32     `json:"rule"`
}

func newSimulation(r *adminv1.SimulationResult) simulation {
	s := simulation{
		Calls: r.GetCalls(), NewlyBlocked: r.GetNewlyBlocked(), NewlyAllowed: r.GetNewlyAllowed(),
		NotDecided: r.GetNotDecided(), WithoutGroupIDs: r.GetWithoutGroupIds(),
		Rules: []simulatedRule{}, Users: changedCounts(r.GetUsers()), Clients: changedCounts(r.GetClients()), Operations: changedCounts(r.GetOperations()),
		Records: []changedRecord{},
	}
	for _, e := range r.GetRules() {
		s.Rules = append(s.Rules, simulatedRule{e.GetRuleNumber(), e.GetRuleId(), e.GetDecided(), e.GetNewlyBlocked(), e.GetNewlyAllowed(), e.GetMonitored()})
	}
	for _, c := range r.GetRecords() {
		s.Records = append(s.Records, changedRecord{
			c.GetId(), c.GetTime().AsTime(), c.GetUser(), c.GetClient(), c.GetOperation(), c.GetWas(), c.GetWouldBe(), c.GetRuleNumber(),
		})
	}
	return s
}

func changedCounts(counts []*adminv1.ChangedCount) []changedCount {
	list := []changedCount{}
	for _, c := range counts {
		list = append(list, changedCount{c.GetKey(), c.GetNewlyBlocked(), c.GetNewlyAllowed()})
	}
	return list
}
