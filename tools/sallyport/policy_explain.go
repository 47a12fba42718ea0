package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type policyExplain struct {
	Operation string   `arg:"" help:"What is tried: a tool, such as deleteJiraIssue, or a method, such as resources/read."`
	User      string   `help:"Who: an e-mail address or Atlassian account id." short:"u"`
	Groups    []string `help:"Groups to assume instead of the person's own, by name or id; none for no group." placeholder:"NAME,..."`
	Client    string   `help:"Which assistant, by its key." default:"claude" short:"c"`
	Class     string   `help:"How sure the assistant's identity is: verified, claimed or unknown." enum:"verified,claimed,unknown" default:"unknown"`
	Arguments string   `help:"The arguments of the tool, as JSON; those of execute name what it executes." placeholder:"JSON"`
	Policy    string   `help:"A policy file or the number of a version, instead of the policy in force." short:"p"`
	JSON      bool     `help:"Answer with one JSON object: decision, rule, monitor, groups_unknown, summary, user, client, operation and the steps." name:"json"`
}

// noGroups is how no group at all is assumed.
const noGroups = "none"

// Help is the examples of --help.
func (policyExplain) Help() string {
	return `It goes through the rules up to the one that decides, and says of each why it matches or doesn't. Nothing is sent to Atlassian.

Examples:

  sallyport policy explain deleteJiraIssue --user ana@acme.test
  sallyport policy explain editJiraIssue --user ana@acme.test --client chatgpt --class verified
  sallyport policy explain editJiraIssue --groups contractors --policy policy.yaml
  sallyport policy explain execute --user ana@acme.test --arguments '{"name": "deleteJiraIssue"}'`
}

// Validate refuses a call that nobody makes.
func (e *policyExplain) Validate() error {
	if e.User == "" && e.Groups == nil {
		return fmt.Errorf("say who it is: --user EMAIL, or --groups to assume some (--groups %s for nobody in particular)", noGroups)
	}
	return nil
}

// Run shows the decision and the way to it.
func (e *policyExplain) Run(ctx context.Context, c *connection, t *terminal) error {
	policy, err := readDraft(e.Policy)
	if err != nil {
		return err
	}
	request := &adminv1.ExplainDecisionRequest{
		Policy: policy.source(), User: e.User, Client: e.Client, ClientClass: e.Class, Operation: e.Operation,
	}
	if e.Groups != nil {
		request.Groups = &adminv1.GroupNames{}
		if len(e.Groups) != 1 || e.Groups[0] != noGroups {
			request.Groups.Groups = e.Groups
		}
	}
	if e.Arguments != "" {
		request.Arguments = &structpb.Struct{}
		err = protojson.Unmarshal([]byte(e.Arguments), request.Arguments)
		if err != nil {
			return advice("--arguments is no JSON object: write it as '{\"name\": \"deleteJiraIssue\"}'.")
		}
	}
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewTrialServiceClient(conn).ExplainDecision(ctx, request)
	if err != nil {
		return policy.blame(err)
	}
	if e.JSON {
		return writeJSON(t.out, newExplanation(answer))
	}
	showExplanation(t, answer)
	return nil
}

// explanation is the answer as JSON.
type explanation struct {
	Decision      string        `json:"decision"`
	Rule          int32         `json:"rule"`
	RuleID        string        `json:"rule_id"`
	Monitor       int32         `json:"monitor"`
	MonitorEffect string        `json:"monitor_effect"`
	GroupsUnknown bool          `json:"groups_unknown"`
	Summary       string        `json:"summary"`
	User          explainedUser `json:"user"`
	Client        struct {
		Key   string `json:"key"`
		Class string `json:"class"`
	} `json:"client"`
	Operation explainedOperation `json:"operation"`
	Steps     []explainedStep    `json:"steps"`
}

type explainedUser struct {
	ID          string   `json:"id"`
	Email       string   `json:"email"`
	Groups      []string `json:"groups"`
	GroupsKnown bool     `json:"groups_known"`
}

type explainedOperation struct {
	Name     string   `json:"name"`
	Outer    string   `json:"outer"`
	Product  string   `json:"product"`
	Verbs    []string `json:"verbs"`
	Families []string `json:"families"`
}

type explainedStep struct {
	Rule    int32  `json:"rule"`
	RuleID  string `json:"rule_id"`
	Matches bool   `json:"matches"`
	Decides bool   `json:"decides"`
	Reason  string `json:"reason"`
}

func newExplanation(a *adminv1.ExplainDecisionResponse) explanation {
	d, u, o := a.GetDecision(), a.GetUser(), a.GetOperation()
	e := explanation{
		Decision: d.GetEffect(), Rule: d.GetRuleNumber(), RuleID: d.GetRuleId(), Monitor: d.GetMonitorRule(), MonitorEffect: d.GetMonitorEffect(),
		GroupsUnknown: d.GetGroupsUnknown(), Summary: a.GetSummary(),
		User:      explainedUser{u.GetId(), u.GetEmail(), listed(u.GetGroups()), a.GetGroupsKnown()},
		Operation: explainedOperation{o.GetName(), o.GetOuter(), o.GetProduct(), listed(a.GetVerbs()), listed(o.GetActions())},
		Steps:     []explainedStep{},
	}
	e.Client.Key, e.Client.Class = a.GetClient().GetKey(), a.GetClient().GetClass()
	for _, s := range a.GetSteps() {
		e.Steps = append(e.Steps, explainedStep{s.GetRuleNumber(), s.GetRuleId(), s.GetMatches(), s.GetDecides(), s.GetReason()})
	}
	return e
}

// listed is a list that JSON shows as one even where it is empty.
func listed(list []string) []string { return append([]string{}, list...) }

func showExplanation(t *terminal, a *adminv1.ExplainDecisionResponse) {
	tinted := green
	if a.GetDecision().GetEffect() != "allowed" {
		tinted = red
	}
	t.printf("%s\n\n", t.paint(printable(a.GetSummary()), tinted))
	u, o := a.GetUser(), a.GetOperation()
	groups := "groups unknown: a deny rule for a group matches, an allow rule doesn't"
	if a.GetGroupsKnown() {
		groups = "in " + firstOf(strings.Join(u.GetGroups(), ", "), "no group")
	}
	t.printf("Person     %s; %s\n", printable(firstOf(u.GetEmail(), u.GetId(), "nobody in particular")), printable(groups))
	t.printf("Assistant  %s, %s\n", printable(a.GetClient().GetKey()), a.GetClient().GetClass())
	words := []string{}
	if o.GetOuter() != "" {
		words = append(words, "called through "+o.GetOuter())
	}
	words = append(words, "product "+firstOf(o.GetProduct(), "none"))
	if len(a.GetVerbs()) == 0 {
		words = append(words, "no verb that is known")
	} else {
		words = append(words, "verb "+strings.Join(a.GetVerbs(), " and "), "family "+strings.Join(o.GetActions(), " and "))
	}
	t.printf("Operation  %s; %s\n\n", printable(o.GetName()), printable(strings.Join(words, "; ")))
	for _, s := range a.GetSteps() {
		mark, tinted := "-", faint
		switch {
		case s.GetDecides():
			mark, tinted = "=", plain
		case s.GetMatches():
			mark, tinted = "~", yellow
		}
		t.printf("%s\n", t.paint(fmt.Sprintf("%s rule %d: %s", mark, s.GetRuleNumber(), printable(s.GetReason())), tinted))
	}
	if a.GetDecision().GetRuleNumber() == 0 {
		t.printf("= the default decides\n")
	}
}
