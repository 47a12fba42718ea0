// Package doctor finds what is wrong with a Sallyport: from outside, as an assistant comes to it, and from what
// the admin service sees of its parts. Each check ends in a Finding, a sentence and what to do.
package doctor

import (
	"context"
	"sync"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// A State is what came of a check.
type State string

const (
	// OK says that nothing is wrong there.
	OK State = "ok"
	// Problem says that something is.
	Problem State = "problem"
	// Skipped says that it couldn't be looked at, or not be told.
	Skipped State = "skipped"
)

// A Finding is what one check found.
type Finding struct {
	// Area is what it belongs to, one of the areas below.
	Area string `json:"area"`
	// Check is its name, such as "certificate".
	Check string `json:"check"`
	State State  `json:"state"`
	// Sentence says what was found, or why it couldn't be looked at.
	Sentence string `json:"sentence"`
	// Remedy says what to do, in the imperative; empty where there is nothing to do.
	Remedy string `json:"remedy"`
}

// The areas, in the order in which they are shown.
const (
	// MCP is the way of an assistant, from the name of the MCP URL to where it is sent to sign in.
	MCP = "MCP URL"
	// Console is the way of an admin's browser.
	Console = "Console URL"
	// Admin is the admin API, which this program asks about what is inside.
	Admin = "Admin API"
	// Inside is what the admin service sees of its parts.
	Inside = "Parts"
	// Atlassian is what the other side lets Sallyport do.
	Atlassian = "Atlassian"
)

// stepTimeout bounds each step of the way from outside.
const stepTimeout = 5 * time.Second

// Sallyport is what is known of the one that is looked at.
type Sallyport struct {
	// MCPURL and ConsoleURL are those that were named; empty, those that the admin service says count.
	MCPURL, ConsoleURL string
	// Outside says whether they are looked at from here.
	Outside bool
	// Status asks the admin service; nil where there is none to ask.
	Status func(context.Context) (*adminv1.GetStatusResponse, *Unanswered)
	// Unasked is why there is none to ask.
	Unasked error
}

// Unanswered is why the admin service didn't say how everything is.
type Unanswered struct {
	// Fault and Remedy are a sentence each.
	Fault, Remedy string
	// Token says that it answered, and refused the token; Unsent that it wasn't asked, since there is no token.
	Token, Unsent bool
}

// Examine looks at everything, what doesn't depend on each other at once, and returns the findings in order.
func Examine(ctx context.Context, s Sallyport) []Finding {
	var admin, mcp, console, inside []Finding
	var status *adminv1.GetStatusResponse
	answered := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		defer close(answered)
		status, admin = s.askAdmin(ctx)
	})
	looking.Go(func() {
		mcp = s.examineDoor(ctx, door{MCP, s.MCPURL, func() string { return status.GetMcpUrl() }, mcpSteps}, answered)
	})
	looking.Go(func() {
		console = s.examineDoor(ctx, door{Console, s.ConsoleURL, func() string { return status.GetConsoleUrl() }, consoleSteps}, answered)
	})
	looking.Go(func() {
		<-answered
		inside = examineInside(status)
	})
	looking.Wait()
	var all []Finding
	for _, some := range [][]Finding{mcp, console, admin, inside} {
		all = append(all, some...)
	}
	return all
}

// askAdmin asks the admin service how everything is.
func (s Sallyport) askAdmin(ctx context.Context) (*adminv1.GetStatusResponse, []Finding) {
	if s.Status == nil {
		return nil, []Finding{{Admin, "answer", Skipped, s.Unasked.Error(), ""}}
	}
	asked := time.Now()
	status, unanswered := s.Status(ctx)
	switch {
	case unanswered != nil && unanswered.Unsent:
		return nil, []Finding{{Admin, "answer", Skipped, unanswered.Fault, unanswered.Remedy}}
	case unanswered != nil && unanswered.Token:
		return nil, []Finding{{Admin, "answer", OK, "The admin API answers.", ""}, {Admin, "token", Problem, unanswered.Fault, unanswered.Remedy}}
	case unanswered != nil:
		return nil, []Finding{{Admin, "answer", Problem, unanswered.Fault, unanswered.Remedy}, skipped(Admin, "token", "It depends on answer, which failed.")}
	}
	findings := []Finding{{Admin, "answer", OK, "The admin API answers.", ""}, {Admin, "token", OK, "It takes the token.", ""}}
	if at := status.GetAnsweredAt(); at != nil {
		findings = append(findings, clockFinding(Admin, "the admin service", at.AsTime(), asked, time.Now()))
	}
	return status, findings
}

// skipped is a check that depends on another one that failed.
func skipped(area, check, why string) Finding { return Finding{area, check, Skipped, why, ""} }
