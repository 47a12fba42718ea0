package policy_test

import (
	"fmt"
	"testing"

	"sallyport/services/operation"
	"sallyport/services/policy"
)

// BenchmarkDecide asks policies of which the last rule decides, so that every rule is looked at.
func BenchmarkDecide(b *testing.B) {
	patterns := []policy.Rule{
		{Operation: "jira delete*", Client: "cursor"},
		{Operation: "confluence create*", Who: "group:writers"},
		{Operation: "searchJira*", Who: "user:bo@acme.test"},
		{Who: "group:contractors"},
		{Operation: "*Worklog*", Client: "*desktop*"},
		{Operation: "deleteConfluencePage"},
		{Client: "claude desktop", Verified: true},
		{Operation: "write*", Who: "group:id-of-auditors"},
	}
	who := policy.Subject{AccountID: "712020:ana", Email: "ana@acme.test", GroupsKnown: true}
	for i := range 20 {
		who.Groups = append(who.Groups, policy.Group{ID: fmt.Sprint("id-", i), Name: fmt.Sprint("Developers ", i)})
	}
	call := policy.Call{Operation: operation.Parse("editJiraIssue", ""), Outer: "executeWrite"}
	for _, rules := range []int{10, 100, 1000} {
		p := policy.Policy{Default: policy.Deny}
		for i := range rules - 1 {
			r := patterns[i%len(patterns)]
			r.Effect = policy.Deny
			p.Rules = append(p.Rules, r)
		}
		p.Rules = append(p.Rules, policy.Rule{Operation: "jira write*", Effect: policy.Allow})
		engine, err := policy.Compile(&p)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%d rules", rules), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d := engine.Decide(policy.Client{Key: "claude-code", Name: "Claude Code", Class: policy.Claimed}, who, call)
				if d.Rule != rules {
					b.Fatal(d)
				}
			}
		})
	}
}
