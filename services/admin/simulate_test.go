package admin_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/policy"
)

// message is a policy as the API takes it.
func message(p *policy.Policy) *policyv1.Policy {
	effects := map[policy.Effect]policyv1.Effect{policy.Allow: allow, policy.Deny: deny}
	modes := map[policy.Mode]policyv1.Mode{policy.Monitor: policyv1.Mode_MODE_MONITOR}
	m := &policyv1.Policy{DefaultEffect: effects[p.Default]}
	for _, r := range p.Rules {
		m.Rules = append(m.Rules, &policyv1.Rule{
			Id: r.ID, Client: r.Client, Who: r.Who, Operation: r.Operation, Effect: effects[r.Effect], Mode: modes[r.Mode], Note: r.Note, Verified: r.Verified,
		})
	}
	return m
}

// day is a range of recorded calls.
type day struct {
	since, until time.Time
	records      []activity.Record
	decisions    []policy.Decision
}

// day is a day of calls that acme's engine decided.
func (a *acme) day(t *testing.T, n, calls int) day {
	t.Helper()
	d := day{since: noon.AddDate(0, 0, -n), until: noon.AddDate(0, 0, 1-n)}
	for i := range calls {
		r, decision := a.record(t, fmt.Sprintf("%d-%d", n, i), d.since.Add(time.Duration(i)*time.Second), 40)
		d.records, d.decisions = append(d.records, r), append(d.decisions, decision)
	}
	return d
}

func (d day) request(p *policy.Policy) *adminv1.SimulatePolicyRequest {
	return &adminv1.SimulatePolicyRequest{Policy: ofPolicy(message(p)), Since: timestamppb.New(d.since), Until: timestamppb.New(d.until), MaxRecords: 1000}
}

func TestTheSamePolicyChangesNothing(t *testing.T) {
	cfg, client := withEverything(t)
	seed := uint64(time.Now().UnixNano())
	for n := range 8 {
		a := &acme{rand: rand.New(rand.NewPCG(seed, uint64(n)))}
		p := a.anyPolicy()
		a.engine = compiled(t, p)
		d := a.day(t, n, 400)
		index(t, cfg.Elasticsearch, d.records...)
		result, _ := simulate(asAdmin(t), t, client, d.request(p))
		if result.GetNewlyAllowed() != 0 || result.GetNewlyBlocked() != 0 {
			t.Errorf("seed %d: %d newly allowed, %d newly blocked, such as %v, by\n%s", seed, result.GetNewlyAllowed(), result.GetNewlyBlocked(), result.GetRecords()[0], indented(p))
		}
		decided, monitored, not := make([]int64, len(p.Rules)+1), make([]int64, len(p.Rules)+1), int64(0)
		for i, r := range d.records {
			if r.Sallyport.Ungoverned || r.Sallyport.Refusal != "" {
				not++
				continue
			}
			decided[d.decisions[i].Rule]++
			if rule := d.decisions[i].MonitorRule; rule > 0 {
				monitored[rule]++
			}
		}
		for _, rule := range result.GetRules() {
			number := rule.GetRuleNumber()
			if rule.GetDecided() != decided[number] || rule.GetMonitored() != monitored[number] {
				t.Errorf("seed %d: rule %d decided %d and monitored %d; want %d and %d, by\n%s", seed, number, rule.GetDecided(), rule.GetMonitored(), decided[number], monitored[number], indented(p))
			}
		}
		if result.GetNotDecided() != not || not == 0 || result.GetCalls() != int64(len(d.records)) {
			t.Errorf("seed %d: %d of %d calls aren't decided, want %d of %d", seed, result.GetNotDecided(), result.GetCalls(), not, len(d.records))
		}
	}
}

// TestSimulationsAddUp simulates another policy than the one in force, and one where none was.
func TestSimulationsAddUp(t *testing.T) {
	cfg, client := withEverything(t)
	seed := uint64(time.Now().UnixNano())
	for n := range 6 {
		a := &acme{rand: rand.New(rand.NewPCG(seed, uint64(n)))}
		p := a.anyPolicy()
		if n > 0 {
			a.engine = compiled(t, a.anyPolicy())
		}
		of := func(engine *policy.Engine) day {
			same := &acme{rand: rand.New(rand.NewPCG(seed, 0)), engine: engine}
			return same.day(t, n, 300)
		}
		d, would := of(a.engine), of(compiled(t, p))
		index(t, cfg.Elasticsearch, d.records...)
		all := [2]int64{}
		for i, r := range d.records {
			switch r.Sallyport.Decision {
			case would.records[i].Sallyport.Decision:
			case activity.Allowed:
				all[0]++
			default:
				all[1]++
			}
		}
		result, _ := simulate(asAdmin(t), t, client, d.request(p))
		got := [2]int64{result.GetNewlyBlocked(), result.GetNewlyAllowed()}
		sums := map[string][2]int64{}
		for name, counts := range map[string][]*adminv1.ChangedCount{"users": result.GetUsers(), "clients": result.GetClients(), "operations": result.GetOperations()} {
			sum := [2]int64{}
			for _, c := range counts {
				sum[0] += c.GetNewlyBlocked()
				sum[1] += c.GetNewlyAllowed()
			}
			sums[name] = sum
		}
		ofRules, decided := [2]int64{}, result.GetNotDecided()
		for _, r := range result.GetRules() {
			ofRules[0] += r.GetNewlyBlocked()
			ofRules[1] += r.GetNewlyAllowed()
			decided += r.GetDecided()
		}
		ofRecords := [2]int64{}
		for _, r := range result.GetRecords() {
			if r.GetWas() == activity.Allowed {
				ofRecords[0]++
			} else {
				ofRecords[1]++
			}
		}
		if diff := cmp.Diff(map[string][2]int64{"users": all, "clients": all, "operations": all}, sums); diff != "" || got != all || ofRules != all || ofRecords != all {
			t.Errorf("seed %d: %v changed, told are %v, by rules %v, of records %v (-want +got):\n%s", seed, all, got, ofRules, ofRecords, diff)
		}
		if decided != result.GetCalls() {
			t.Errorf("seed %d: %d calls are decided or not, of %d", seed, decided, result.GetCalls())
		}
		newest := func(a, b *adminv1.ChangedRecord) int { return b.GetTime().AsTime().Compare(a.GetTime().AsTime()) }
		if !slices.IsSortedFunc(result.GetRecords(), newest) {
			t.Errorf("seed %d: the records aren't newest first", seed)
		}
	}
}
