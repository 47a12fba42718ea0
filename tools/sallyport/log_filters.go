package main

import (
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// logFilters say which records; a record has to pass all of them.
type logFilters struct {
	User           string `help:"Only this person: e-mail, account id, or name."`
	Client         string `help:"Only this assistant: its key or name."`
	Group          string `help:"Only people who were in this group then: its name or id."`
	Operation      string `help:"Only this operation; * stands for any characters."`
	Family         string `help:"Only what a rule for this family denies: read*, create*, update*, delete*, manage*, write*; the star may be left out." placeholder:"FAMILY"`
	Product        string `help:"Only this product: jira, confluence, ..."`
	Project        string `help:"Only calls whose arguments name this Jira project, by its key or an issue's."`
	Decision       string `help:"Only these: allowed or blocked." enum:"allowed,blocked," default:"" placeholder:"allowed|blocked"`
	Rule           string `help:"Only what this rule decided: its number then, its id, or words of its note; default where no rule did." placeholder:"RULE"`
	Outcome        string `help:"Only what ended so: ok, error, tool_error, http_error, in_flight, unknown, or the status of an http_error, such as 429; of admins success, failure, unknown." placeholder:"OUTCOME"`
	Since          since  `help:"Only since then: 15m, 2h, 7d ago, a day as 2026-11-23, or a time as 2026-11-23T09:00:00Z." placeholder:"TIME"`
	Until          since  `help:"Only before then, written like --since." placeholder:"TIME"`
	Query          string `help:"Only those with all of these words, or words that begin so, in names, notes or arguments; \"in quotes\" only together. An issue key is found whole." short:"q"`
	Session        string `help:"Only calls of this MCP session, as log show has it." placeholder:"HASH"`
	Administrative bool   `help:"What admins did, instead of what assistants did."`
}

// check refuses filters that don't go together.
func (f *logFilters) check() error {
	if f.Administrative && f.Client+f.Decision+f.Group+f.Product+f.Project+f.Rule+f.Family+f.Session != "" {
		return errors.New("--client, --decision, --group, --product, --project, --rule, --family and --session are of what assistants did: leave them out with --administrative")
	}
	return nil
}

// empty says that nothing is filtered, but for whether it is of assistants or of admins.
func (f *logFilters) empty() bool {
	all := *f
	all.Administrative = false
	return all == logFilters{}
}

func (f *logFilters) request(now time.Time) *adminv1.SearchActivityRequest {
	request := &adminv1.SearchActivityRequest{
		Query: f.Query, User: f.User, Client: f.Client, Operation: f.Operation, Decision: f.Decision,
		Group: f.Group, Product: f.Product, Project: f.Project, Outcome: f.Outcome, Rule: f.Rule, Family: f.Family, Session: f.Session,
		Administrative: f.Administrative,
	}
	if at := f.Until.before(now); !at.IsZero() {
		request.Until = timestamppb.New(at)
	}
	if at := f.Since.before(now); !at.IsZero() {
		request.Since = timestamppb.New(at)
	}
	return request
}
