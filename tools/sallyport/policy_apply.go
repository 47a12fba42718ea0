package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/policy"
	"sallyport/services/policyfile"
)

// save is how a policy is put in force.
type save struct {
	Message string `help:"Why, for the history." short:"m" placeholder:"TEXT"`
	DryRun  bool   `help:"Check everything and show what would change, but save nothing."`
	JSON    bool   `help:"Answer with one JSON object: saved, version, default, rules, and changes with the ids of rules that were added, removed, changed and moved." name:"json"`
}

type policyApply struct {
	File string `arg:"" help:"The policy, YAML or JSON; - reads standard input."`
	Base int64  `help:"Refuse unless this version is still in force, so that nobody's change is lost. A file that has a version, as \"sallyport policy get\" writes it, needs none." placeholder:"VERSION"`
	Save save   `embed:""`
}

// Help is the examples of --help.
func (policyApply) Help() string {
	return `The file is the whole policy: a default, allow or deny, and the rules in their order. The first rule that matches decides. Rules without an id are given one. Once the command has answered, no call is decided by an older policy. Where the file says the same as the policy in force, nothing is saved.

  version: 7                  # refuse if another version is in force; leave out for none
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

Exits with 1 if the policy is refused, 3 if Sallyport can't be asked.

Examples:

  sallyport policy apply policy.yaml --dry-run
  sallyport policy apply policy.yaml --message "Contractors only read"
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
	file, err := readPolicy(a.File)
	if err != nil {
		return err
	}
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewPolicyServiceClient(conn)
	base := a.Base
	if base == 0 {
		base = file.Version
	}
	if base == 0 {
		base, err = versionInForce(ctx, client)
		if err != nil {
			return err
		}
	}
	request := &adminv1.SavePolicyRequest{Policy: policyMessage(file.Policy), BaseVersion: base}
	err = a.Save.run(ctx, client, t, request)
	if err == nil && file.Version > 0 && file.Name != standardInput && !a.Save.DryRun && !a.Save.JSON {
		t.printf("%s\n", t.paint(fmt.Sprintf("Before you change %s again, write it anew by `sallyport policy get`: it says version: %d.", file.Name, file.Version), faint))
	}
	return blame(file, err)
}

func versionInForce(ctx context.Context, client adminv1.PolicyServiceClient) (int64, error) {
	inForce, err := client.GetPolicy(ctx, &adminv1.GetPolicyRequest{})
	return inForce.GetVersion(), err
}

// run saves a policy, unless it says the same as the one in force, and shows what came of it.
func (s save) run(ctx context.Context, client adminv1.PolicyServiceClient, t *terminal, request *adminv1.SavePolicyRequest) error {
	request.Message = s.Message
	request.ValidateOnly = true
	answer, err := client.SavePolicy(ctx, request)
	if err != nil {
		return withConflict(err)
	}
	saved := !s.DryRun && len(answer.GetChanges()) > 0
	if saved {
		request.ValidateOnly = false
		answer, err = client.SavePolicy(ctx, request)
		if err != nil {
			return withConflict(err)
		}
	}
	return s.show(t, answer, saved)
}

func (s save) show(t *terminal, answer *adminv1.SavePolicyResponse, saved bool) error {
	is := newPolicyText(answer.GetPolicy(), answer.GetVersion())
	if s.JSON {
		return writeJSON(t.out, struct {
			Saved bool `json:"saved"`
			policyText
			Changes policyChanges `json:"changes"`
		}{saved, is, newPolicyChanges(answer.GetChanges())})
	}
	switch {
	case len(answer.GetChanges()) == 0:
		t.printf("Nothing is different from the policy in force, version %d, so nothing was saved.\n", is.Version)
	case saved:
		t.printf("Policy version %d is in force: %s, default %s.\n", is.Version, count(len(is.Rules), "rule"), is.Default)
	default:
		t.printf("Nothing was saved. This is what would change in version %d, to %s, default %s:\n", is.Version, count(len(is.Rules), "rule"), is.Default)
	}
	showChanges(t, "  ", answer.GetChanges())
	return nil
}

// blame turns the fields that the service refuses into places of the file.
func blame(file *policyfile.File, err error) error {
	if refused := detail[*errdetails.BadRequest](err); refused != nil {
		var violations []policy.Violation
		for _, v := range refused.GetFieldViolations() {
			violations = append(violations, policy.Violation{Field: v.GetField(), Sentence: v.GetDescription()})
		}
		return file.Blame(violations)
	}
	return err
}

// detail is what the service says beside the sentence of an error, nil where it says none of the kind.
func detail[T any](err error) (none T) {
	var call *callError
	if !errors.As(err, &call) {
		return none
	}
	for _, d := range status.Convert(call.err).Details() {
		if found, ok := d.(T); ok {
			return found
		}
	}
	return none
}

// conflictError is a save that came too late, with both sides.
type conflictError struct {
	*callError
	sides *adminv1.PolicyConflict
}

// withConflict shows both sides of a save that came too late.
func withConflict(err error) error {
	var call *callError
	sides := detail[*adminv1.PolicyConflict](err)
	if sides == nil || !errors.As(err, &call) || status.Code(call.err) != codes.Aborted {
		return err
	}
	return &conflictError{call, sides}
}

func (e *conflictError) Unwrap() error { return e.callError }

// Error is the service's sentence and, below it, what both sides changed.
func (e *conflictError) Error() string {
	inForce := e.sides.GetInForce()
	lines := []string{e.callError.Error()}
	about := fmt.Sprintf("Version %d was saved %s", inForce.GetVersion(), byWhom(inForce.GetSavedBy(), inForce.GetSavedAt(), inForce.GetMessage()))
	if len(e.sides.GetTheirChanges()) > 0 {
		lines = append(lines, about+". Since yours began, this was changed:")
		lines = append(lines, changeLines("  ", e.sides.GetTheirChanges())...)
	} else {
		lines = append(lines, about+".")
	}
	if len(e.sides.GetYourChanges()) > 0 {
		lines = append(lines, "You would have changed:")
		lines = append(lines, changeLines("  ", e.sides.GetYourChanges())...)
	}
	return strings.Join(lines, "\n")
}

type policyRollback struct {
	Version int64 `arg:"" help:"The version to put in force again."`
	Save    save  `embed:""`
}

// Help is the examples of --help.
func (policyRollback) Help() string {
	return `It becomes a new version, so that the history keeps what was in force meanwhile. "sallyport policy history" lists the versions, and "sallyport policy diff 6" shows what has changed since version 6.

Examples:

  sallyport policy rollback 6 --dry-run
  sallyport policy rollback 6 --message "The new rule for contractors blocks too much"`
}

// Validate refuses a version that can't be.
func (r *policyRollback) Validate() error {
	if r.Version < 1 {
		return fmt.Errorf("%d is no version: they count from 1", r.Version)
	}
	return nil
}

// Run puts the version in force again.
func (r *policyRollback) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewPolicyServiceClient(conn)
	earlier, err := client.GetPolicy(ctx, &adminv1.GetPolicyRequest{Version: r.Version})
	if err != nil {
		return err
	}
	base, err := versionInForce(ctx, client)
	if err != nil {
		return err
	}
	if r.Save.Message == "" {
		r.Save.Message = fmt.Sprintf("Roll back to version %d", r.Version)
	}
	return r.Save.run(ctx, client, t, &adminv1.SavePolicyRequest{Policy: earlier.GetPolicy(), BaseVersion: base})
}
