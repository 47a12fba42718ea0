package policyfile

import (
	"fmt"

	"sallyport/services/mcp"
	"sallyport/services/operation"
	"sallyport/services/policy"
)

// Outcome is what became of a message.
type Outcome string

// The outcomes.
const (
	Allowed    Outcome = "allowed"
	Blocked    Outcome = "blocked"
	Ungoverned Outcome = "ungoverned"
)

// Answer is what was decided about a message: the outcome, and the numbers of the rule that decided
// and of the one that monitored, counted from 1 and 0 where there was none.
type Answer struct {
	Outcome       Outcome
	Rule, Monitor int
}

func (a Answer) String() string {
	text := string(a.Outcome)
	if a.Rule > 0 {
		text += fmt.Sprintf(" by rule %d", a.Rule)
	}
	if a.Monitor > 0 {
		text += fmt.Sprintf(", rule %d monitoring", a.Monitor)
	}
	return text
}

// Run decides about the message of a case as the gateway does.
func (c Case) Run(engine *policy.Engine) Answer {
	read, err := mcp.Parse(c.Message)
	if err != nil || len(read.Messages) != 1 {
		// What can't be read is blocked whatever the policy says.
		return Answer{Outcome: Blocked}
	}
	message := read.Messages[0]
	if !message.Governed() {
		return Answer{Outcome: Ungoverned}
	}
	name, outer, ok := message.Operation()
	if !ok {
		return Answer{Outcome: Blocked}
	}
	decision := engine.Decide(c.Client, c.Subject, policy.Call{Operation: operation.Parse(name, message.FetchID), Outer: outer})
	answer := Answer{Outcome: Blocked, Rule: decision.Rule, Monitor: decision.MonitorRule}
	if decision.Allowed {
		answer.Outcome = Allowed
	}
	return answer
}
