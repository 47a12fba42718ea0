package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

type policyOperations struct {
	Pattern string `arg:"" optional:"" help:"An operation pattern as in rules; left out, all operations."`
	Effect  string `help:"The effect of the rule that the pattern is in, which families are read by: deny or allow." enum:"deny,allow" default:"deny"`
	Notices bool   `help:"Only tools that are new, changed or gone and that nobody has reviewed yet."`
	JSON    bool   `help:"One JSON object a line: name, other_name, product, families, offered, calls, notice, noticed_at, changed, decided_by, description." name:"json"`
}

// Help is the examples of --help.
func (policyOperations) Help() string {
	return `Known are the tools that the site offers, and what was called in the last 30 days.

Examples:

  sallyport policy operations
  sallyport policy operations 'delete*'
  sallyport policy operations 'jira create*' --effect allow
  sallyport policy operations --notices`
}

// operationText is an operation as JSON.
type operationText struct {
	Name        string     `json:"name"`
	OtherName   string     `json:"other_name"`
	Product     string     `json:"product"`
	Families    []string   `json:"families"`
	Offered     bool       `json:"offered"`
	Calls       int64      `json:"calls"`
	Notice      string     `json:"notice"`
	NoticedAt   *time.Time `json:"noticed_at"`
	Changed     []string   `json:"changed"`
	DecidedBy   string     `json:"decided_by"`
	Description string     `json:"description"`
}

func newOperationText(o *adminv1.Operation) operationText {
	text := operationText{
		Name: o.GetName(), OtherName: o.GetOtherName(), Product: o.GetProduct(), Families: listed(o.GetFamilies()), Offered: o.GetOffered(),
		Calls: o.GetCalls(), Notice: o.GetNotice(), Changed: listed(o.GetChanged()), DecidedBy: o.GetDecidedBy(), Description: o.GetDescription(),
	}
	if o.GetNoticedAt() != nil {
		at := o.GetNoticedAt().AsTime()
		text.NoticedAt = &at
	}
	return text
}

// Run shows the operations.
func (p *policyOperations) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	request := &adminv1.ListOperationsRequest{Pattern: p.Pattern}
	if p.Effect == effectWords[policyv1.Effect_EFFECT_ALLOW] {
		request.Effect = policyv1.Effect_EFFECT_ALLOW
	}
	answer, err := adminv1.NewOperationServiceClient(conn).ListOperations(ctx, request)
	if err != nil {
		return err
	}
	operations := answer.GetOperations()
	if p.Notices {
		operations = noticed(operations)
	}
	if p.JSON {
		for _, o := range operations {
			err = writeJSONLine(t.out, newOperationText(o))
			if err != nil {
				return err
			}
		}
		return nil
	}
	switch {
	case p.Notices && len(operations) == 0:
		t.printf("No tool waits to be reviewed.\n")
	case p.Notices:
		showNotices(t, operations)
	case len(operations) == 0 && answer.GetKnown() == 0:
		t.printf("No operation is known yet.\n")
	case len(operations) == 0:
		t.printf("%q matches none of the %s that are known. `sallyport policy operations` lists them.\n", p.Pattern, count(int(answer.GetKnown()), "operation"))
	default:
		showOperations(t, operations)
		if p.Pattern != "" {
			t.printf("%s\n", t.paint(fmt.Sprintf("%d of %s that are known.", len(operations), count(int(answer.GetKnown()), "operation")), faint))
		}
	}
	for _, text := range answer.GetUnknown() {
		t.printf("%s\n", t.paint(printable(text), faint))
	}
	return nil
}

func noticed(operations []*adminv1.Operation) []*adminv1.Operation {
	var list []*adminv1.Operation
	for _, o := range operations {
		if o.GetNotice() != "" {
			list = append(list, o)
		}
	}
	return list
}

func showOperations(t *terminal, operations []*adminv1.Operation) {
	shown := table{columns: []column{
		{title: "OPERATION", least: 16}, {title: "PRODUCT", drop: 2}, {title: "FAMILY"}, {title: "CALLS", drop: 1}, {title: "NOTICE", drop: 3}, {title: "IN FORCE", least: 16},
	}}
	for _, o := range operations {
		shown.add(cell{text: o.GetName()}, cell{text: firstOf(o.GetProduct(), "-")}, cell{text: firstOf(strings.Join(o.GetFamilies(), ", "), "-")},
			cell{text: groupDigits(o.GetCalls())}, cell{text: noticeWords(o), tint: yellow}, cell{text: o.GetDecidedBy()})
	}
	shown.write(t)
}

// noticeWords is what is new about a tool.
func noticeWords(o *adminv1.Operation) string {
	if len(o.GetChanged()) > 0 {
		return o.GetNotice() + ": " + strings.Join(o.GetChanged(), ", ")
	}
	return o.GetNotice()
}

// showNotices shows tools that wait to be reviewed, with the rule that would decide each.
func showNotices(t *terminal, operations []*adminv1.Operation) {
	for _, o := range operations {
		since := ""
		if o.GetNoticedAt() != nil {
			since = ", noticed " + o.GetNoticedAt().AsTime().Local().Format(time.DateTime)
		}
		t.printf("%s  %s%s\n", printable(o.GetName()), t.paint(printable(noticeWords(o)), yellow), since)
		t.printf("  %s\n", printable(o.GetDecidedBy()))
		if o.GetDescription() != "" {
			t.printf("  %s\n", t.paint(screens.Truncate(printable(o.GetDescription()), descriptionMost, "…"), faint))
		}
	}
}

// descriptionMost is how many columns of a tool's description are shown; --json has all of it.
const descriptionMost = 160

type policyReview struct {
	Tools []string `arg:"" optional:"" help:"The tools that you have looked at."`
	All   bool     `help:"All tools that wait to be reviewed."`
	JSON  bool     `help:"Answer with one JSON object: reviewed, how many notices were cleared." name:"json"`
}

// Help is the examples of --help.
func (policyReview) Help() string {
	return `Tools that the site began to offer, that describe themselves otherwise or take other arguments than before, or that are gone, have a notice in "sallyport status" until they are reviewed. Reviewing changes no rule.

Examples:

  sallyport policy operations --notices
  sallyport policy review purgeJiraProject
  sallyport policy review --all`
}

// Validate refuses to guess which tools are meant.
func (r *policyReview) Validate() error {
	if r.All == (len(r.Tools) > 0) {
		return fmt.Errorf("name the tools that you have looked at, or say --all")
	}
	return nil
}

// Run clears the notices.
func (r *policyReview) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewOperationServiceClient(conn).ReviewOperations(ctx, &adminv1.ReviewOperationsRequest{Names: r.Tools})
	if err != nil {
		return err
	}
	if r.JSON {
		return writeJSON(t.out, struct {
			Reviewed int32 `json:"reviewed"`
		}{answer.GetReviewed()})
	}
	if answer.GetReviewed() == 0 {
		t.printf("No tool waited to be reviewed.\n")
		return nil
	}
	t.printf("%s reviewed.\n", count(int(answer.GetReviewed()), "notice"))
	return nil
}
