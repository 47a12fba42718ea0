package main

import (
	"context"
	"fmt"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type policyLint struct {
	Policy string `arg:"" optional:"" help:"A POLICY; left out, the one in force."`
	JSON   bool   `help:"Answer with one JSON object: findings (kind, field, rule, sentence, near) and unchecked." name:"json"`
}

// Help is the examples of --help.
func (policyLint) Help() string {
	return `It finds rules that are never reached, patterns that match no operation that the site offers or that was called, allow rules that let through what a deny rule below them is about, and groups that the site doesn't have.

Exits with 0 if nothing is found, 1 if something is, 3 if Sallyport can't be asked.

Examples:

  sallyport policy lint
  sallyport policy lint policy.yaml
  sallyport policy lint policy.yaml --json | jq -r '.findings[].sentence'`
}

// finding is a finding as JSON.
type finding struct {
	Kind     string   `json:"kind"`
	Field    string   `json:"field"`
	Rule     int32    `json:"rule"`
	Sentence string   `json:"sentence"`
	Near     []string `json:"near"`
}

// Run shows the findings.
func (l *policyLint) Run(ctx context.Context, c *connection, t *terminal) error {
	policy, err := readDraft(l.Policy)
	if err != nil {
		return err
	}
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewTrialServiceClient(conn).LintPolicy(ctx, &adminv1.LintPolicyRequest{Policy: policy.source()})
	if err != nil {
		return policy.blame(err)
	}
	if l.JSON {
		text := struct {
			Findings  []finding `json:"findings"`
			Unchecked []string  `json:"unchecked"`
		}{[]finding{}, listed(answer.GetUnchecked())}
		for _, f := range answer.GetFindings() {
			text.Findings = append(text.Findings, finding{f.GetKind(), f.GetField(), f.GetRuleNumber(), f.GetSentence(), listed(f.GetNear())})
		}
		err = writeJSON(t.out, text)
		if err != nil {
			return err
		}
	} else {
		showFindings(t, policy, answer)
	}
	if len(answer.GetFindings()) > 0 {
		return errShown
	}
	return nil
}

func showFindings(t *terminal, policy draft, answer *adminv1.LintPolicyResponse) {
	for _, f := range answer.GetFindings() {
		where := fmt.Sprintf("rule %d", f.GetRuleNumber())
		if policy.file != nil {
			where = policy.file.Where(f.GetField())
		}
		t.printf("%s: %s\n", t.paint(printable(where), yellow), printable(f.GetSentence()))
	}
	if len(answer.GetFindings()) == 0 {
		t.printf("Nothing is found in %s.\n", printable(policy.String()))
	}
	for _, text := range answer.GetUnchecked() {
		t.printf("%s\n", t.paint("Not checked: "+printable(text), faint))
	}
}
