package policy_test

import (
	"fmt"
	"testing"

	"sallyport/services/operation"
	"sallyport/services/policy"
)

// benchCalls are what an assistant does in a day.
var benchCalls = []policy.Call{
	{Operation: operation.Parse("searchJiraIssuesUsingJql", "")},
	{Operation: operation.Parse("getConfluencePage", ""), Outer: "executeRead"},
	{Operation: operation.Parse("fetch", "ari:cloud:jira:acme:issue/10107")},
	{Operation: operation.Parse("editJiraIssue", ""), Outer: "executeWrite"},
	{Operation: operation.Parse("addOrEditJiraIssueComment", "")},
	{Operation: operation.Parse("jira_get_issue", "")},
	{Operation: operation.Parse("resources/read", "")},
}

// benchPolicy has as many rules, as people write them, of which none matches any of the calls for
// the person of the benchmark, so that each is looked at and the default decides.
func benchPolicy(rules int) *policy.Policy {
	patterns := []policy.Rule{
		{Operation: "delete*", Effect: policy.Deny},
		{Operation: "jira create*", Client: "cursor", Effect: policy.Allow},
		{Operation: "confluence create*", Who: "group:writers %d", Effect: policy.Allow},
		{Operation: "searchJira*", Who: "user:bo%d@acme.test", Effect: policy.Deny},
		{Who: "group:contractors %d", Effect: policy.Deny},
		{Operation: "*Worklog*", Client: "*desktop*", Effect: policy.Deny},
		{Operation: "getConfluenceSpace", Effect: policy.Deny},
		{Client: "claude desktop", Verified: true, Effect: policy.Allow},
		{Operation: "write*", Who: "group:id-of-auditors-%d", Effect: policy.Deny},
		{Operation: "jira *", Client: "claude", Who: "group:support %d", Effect: policy.Allow},
		{Operation: "manage*", Effect: policy.Deny, Mode: policy.Monitor},
	}
	p := &policy.Policy{Default: policy.Allow}
	for i := range rules {
		r := patterns[i%len(patterns)]
		if r.Who != "" {
			r.Who = fmt.Sprintf(r.Who, i)
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

// BenchmarkDecide asks in turn about different calls of a person with 50 groups; every rule is looked at.
func BenchmarkDecide(b *testing.B) {
	client := policy.Client{Key: "claude-code", Name: "Claude Code", Class: policy.Claimed}
	who := policy.Subject{AccountID: "712020:ana", Email: "Ana@acme.test", GroupsKnown: true}
	for i := range 50 {
		who.Groups = append(who.Groups, policy.Group{ID: fmt.Sprintf("276f955c-63d7-42c8-9520-%012d", i), Name: fmt.Sprint("Developers ", i)})
	}
	globs := &policy.Policy{Default: policy.Allow}
	for i := range policy.MaxRules {
		globs.Rules = append(globs.Rules, policy.Rule{Operation: fmt.Sprintf("*Work%d*", i), Effect: policy.Deny})
	}
	for _, c := range []struct {
		name   string
		policy *policy.Policy
	}{{"10_rules", benchPolicy(10)}, {"100_rules", benchPolicy(100)}, {"1000_rules", benchPolicy(1000)}, {"1000_globs", globs}} {
		engine, err := policy.Compile(c.policy)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				d := engine.Decide(client, who, benchCalls[i%len(benchCalls)])
				if d.Rule != 0 || d.MonitorRule != 0 {
					b.Fatal(d)
				}
			}
		})
	}
}

// BenchmarkLint looks at as many rules as there may be, and as many operations as Atlassian offers.
func BenchmarkLint(b *testing.B) {
	engine, err := policy.Compile(benchPolicy(policy.MaxRules))
	if err != nil {
		b.Fatal(err)
	}
	known := policy.Known{Operations: calls(knownTools(b)...), Groups: []policy.Group{}}
	b.ReportAllocs()
	for b.Loop() {
		engine.Lint(known)
	}
}
