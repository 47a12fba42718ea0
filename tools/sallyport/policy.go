package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// maxPolicyFile bounds a policy file: what the admin API takes in one message.
const maxPolicyFile = 2 << 20

type policyVerbs struct {
	Get   policyGet   `cmd:"" help:"Print the policy in force."`
	Apply policyApply `cmd:"" help:"Put a policy in force, whole, from a file."`
}

type policyGet struct {
	Output string `help:"The form: yaml or json." enum:"yaml,json" default:"yaml" short:"o"`
}

// Help is the examples of --help.
func (policyGet) Help() string {
	return `Both forms can be changed and given to "sallyport policy apply". Each rule has an id that stays with it when it is moved.

Examples:

  sallyport policy get
  sallyport policy get > policy.yaml
  sallyport policy get --output json | jq '.rules[] | select(.effect == "deny")'`
}

// Run prints the policy in force.
func (g *policyGet) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewPolicyServiceClient(conn).GetPolicy(ctx, &adminv1.GetPolicyRequest{})
	if err != nil {
		return err
	}
	if g.Output == "json" {
		return writeJSON(t.out, newPolicyText(answer.GetPolicy(), answer.GetVersion()))
	}
	text, err := policyYAML(answer)
	if err != nil {
		return err
	}
	_, err = t.out.Write(text)
	return err
}

type policyApply struct {
	File string `arg:"" help:"The policy, YAML or JSON; - reads standard input."`
	Base int64  `help:"Refuse unless this version is still in force, so that nobody's change is lost." placeholder:"VERSION"`
	JSON bool   `help:"Answer with one JSON object: version, default, rules, and changes with the ids of rules that were added, removed, changed and moved." name:"json"`
}

// Help is the examples of --help.
func (policyApply) Help() string {
	return `The file is the whole policy: a default, allow or deny, and the rules in their order. The first rule that matches decides. Rules without an id are given one. Once the command has answered, no call is decided by an older policy.

  default: allow
  rules:
    - operation: "delete*"    # any operation that deletes
      effect: deny            # allow or deny
      note: AI may never delete anything
    - client: claude          # which assistant; "*", any, if left out
      who: "group:developers" # any, group:NAME or user:EMAIL
      operation: "jira create*"
      effect: allow
      mode: monitor           # only record what the rule would do
      verified: true          # only a client whose identity is verified

Examples:

  sallyport policy apply policy.yaml
  sallyport policy get | sed 's/^default: allow/default: deny/' | sallyport policy apply -
  sallyport policy apply --base 6 policy.yaml`
}

// Validate refuses a version that can't be.
func (a *policyApply) Validate() error {
	if a.Base < 0 {
		return errors.New("--base is a version of the policy, such as 6")
	}
	return nil
}

// Run puts the file's policy in force and says what that changed.
func (a *policyApply) Run(ctx context.Context, c *connection, t *terminal) error {
	file, err := a.read()
	if err != nil {
		return err
	}
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewPolicyServiceClient(conn)
	before, err := client.GetPolicy(ctx, &adminv1.GetPolicyRequest{})
	// One that can't be read can still be replaced.
	if err != nil && status.Code(err) != codes.DataLoss {
		return err
	}
	base := a.Base
	if base == 0 {
		base = before.GetVersion()
	}
	after, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: file.policy, BaseVersion: base})
	if err != nil {
		return file.blame(err)
	}
	was := newPolicyText(before.GetPolicy(), before.GetVersion())
	is := newPolicyText(after.GetPolicy(), after.GetVersion())
	changes := compare(was, is)
	if a.JSON {
		return writeJSON(t.out, struct {
			policyText
			Changes policyChanges `json:"changes"`
		}{is, changes})
	}
	t.printf("Policy version %d is in force: %s, default %s.\n", is.Version, count(len(is.Rules), "rule"), is.Default)
	for _, line := range changes.lines(was, is) {
		t.printf("  %s\n", printable(line))
	}
	return nil
}

func (a *policyApply) read() (*policyFile, error) {
	if a.File == "-" {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, maxPolicyFile+1))
		if err != nil {
			return nil, advice("Standard input can't be read: %w.", err)
		}
		return readPolicy("standard input", text)
	}
	file, err := os.Open(a.File)
	if err != nil {
		return nil, advice("The policy can't be read: %w. Name a file, or - for standard input.", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxPolicyFile+1))
	if err != nil {
		return nil, advice("The policy can't be read: %w.", err)
	}
	return readPolicy(a.File, text)
}

// blame turns the fields that the service refuses into places of the file.
func (f *policyFile) blame(err error) error {
	var problems []problem
	for _, detail := range status.Convert(errors.Unwrap(err)).Details() {
		refused, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, v := range refused.GetFieldViolations() {
			problems = append(problems, problem{f.place(v.GetField()), v.GetDescription()})
		}
	}
	if len(problems) == 0 {
		return err
	}
	return &fileError{f.name, problems}
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
