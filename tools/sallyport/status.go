package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type statusCommand struct {
	JSON bool `help:"Answer with one JSON object: parts (name, state, detail), mcp_url, callback_url, policy_version, waiting, behind_seconds, aside, aside_acknowledged, setup (name, state, detail, word, checked_at), and notices: tools that are new, changed or gone (name, notice, changed, decided_by)." name:"json"`
}

// Help is the examples of --help.
func (statusCommand) Help() string {
	return `Exits with 1 if a part is down, so that it can be a check.

Examples:

  sallyport status
  sallyport doctor                  # looks from outside, too, and asks Atlassian
  sallyport status --json | jq -r '.parts[] | select(.state != "ready") | .detail'
  sallyport status --json | jq -r '.setup[] | select(.state == "action_needed") | .name'`
}

// stateWords are a part's states as people read them.
var stateWords = map[adminv1.PartState]struct {
	word string
	tint tint
}{
	adminv1.PartState_PART_STATE_UNSPECIFIED: {"unknown", yellow},
	adminv1.PartState_PART_STATE_READY:       {"ready", green},
	adminv1.PartState_PART_STATE_DEGRADED:    {"degraded", yellow},
	adminv1.PartState_PART_STATE_DOWN:        {"down", red},
}

// statusText is the answer as JSON.
type statusText struct {
	Parts         []partText  `json:"parts"`
	MCPURL        string      `json:"mcp_url"`
	CallbackURL   string      `json:"callback_url"`
	PolicyVersion int64       `json:"policy_version"`
	Waiting       int64       `json:"waiting"`
	BehindSeconds float64     `json:"behind_seconds"`
	Aside         int64       `json:"aside"`
	Acknowledged  int64       `json:"aside_acknowledged"`
	Setup         []setupText `json:"setup"`
	// Notices are tools that nobody has reviewed yet.
	Notices []operationText `json:"notices"`
}

type partText struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Detail string `json:"detail"`
}

// Run shows how every part is.
func (s *statusCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewStatusServiceClient(conn).GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil {
		return err
	}
	if s.JSON {
		err = writeJSON(t.out, newStatusText(answer))
		if err != nil {
			return err
		}
	} else {
		showStatus(t, answer)
	}
	for _, p := range answer.GetParts() {
		if p.GetState() == adminv1.PartState_PART_STATE_DOWN {
			return errShown
		}
	}
	return nil
}

func newStatusText(answer *adminv1.GetStatusResponse) statusText {
	text := statusText{
		Parts: []partText{}, MCPURL: answer.GetMcpUrl(), CallbackURL: answer.GetCallbackUrl(),
		PolicyVersion: answer.GetPolicyVersion(), Waiting: answer.GetWaiting(),
		BehindSeconds: answer.GetBehind().AsDuration().Seconds(), Aside: answer.GetAside(), Acknowledged: answer.GetAsideAcknowledged(), Setup: []setupText{}, Notices: []operationText{},
	}
	for _, item := range answer.GetSetup() {
		text.Setup = append(text.Setup, newSetupText(item))
	}
	for _, o := range answer.GetNotices() {
		text.Notices = append(text.Notices, newOperationText(o))
	}
	for _, p := range answer.GetParts() {
		text.Parts = append(text.Parts, partText{p.GetName(), stateWords[p.GetState()].word, p.GetDetail()})
	}
	return text
}

func showStatus(t *terminal, answer *adminv1.GetStatusResponse) {
	for _, p := range answer.GetParts() {
		state := stateWords[p.GetState()]
		showState(t, p.GetName(), state.word, state.tint, p.GetDetail())
	}
	showSetup(t, answer.GetSetup())
	t.printf("\n%s%s\n", pad("MCP URL", 15), answer.GetMcpUrl())
	t.printf("%s%s\n", pad("Callback URL", 15), answer.GetCallbackUrl())
	policy, backlog := policyLine(answer.GetPolicyVersion()), backlogLine(answer.GetWaiting(), answer.GetBehind().AsDuration())
	if !redisReady(answer) {
		policy, backlog = "not known while Redis is away", "not known while Redis is away"
	}
	t.printf("%s%s\n", pad("Policy", 15), policy)
	t.printf("%s%s\n", pad("Log", 15), backlog)
	showAside(t, answer.GetAside(), answer.GetAsideAcknowledged())
	showToolNotices(t, answer.GetNotices())
}

// showAside tells of what Elasticsearch refuses.
func showAside(t *terminal, aside, acknowledged int64) {
	if aside == 0 {
		return
	}
	line, tint := count64(aside, "entry")+": `sallyport log rejected` shows them, and `sallyport log retry --all` sends them again", yellow
	switch {
	case acknowledged >= aside:
		line, tint = count64(aside, "entry")+", acknowledged: `sallyport log rejected` shows them", faint
	case acknowledged > 0:
		line += "; acknowledged are " + groupDigits(acknowledged)
	}
	t.printf("%s%s\n", pad("Kept aside", 15), t.paint(line, tint))
}

// showToolNotices tells of tools that nobody has reviewed yet, and which rule would decide them.
func showToolNotices(t *terminal, notices []*adminv1.Operation) {
	if len(notices) == 0 {
		return
	}
	verb := "wait"
	if len(notices) == 1 {
		verb = "waits"
	}
	t.printf("\n%s\n", t.paint(count(len(notices), "tool")+" of the site "+verb+" to be reviewed:", yellow))
	shown := table{columns: []column{{title: "TOOL", least: 16}, {title: "NOTICE"}, {title: "IN FORCE", least: 16}}}
	for _, o := range notices[:min(len(notices), mostNotices)] {
		shown.add(cell{text: o.GetName()}, cell{text: noticeWords(o), tint: yellow}, cell{text: o.GetDecidedBy()})
	}
	shown.write(t)
	if more := len(notices) - mostNotices; more > 0 {
		t.printf("%s\n", t.paint(fmt.Sprintf("and %d more", more), faint))
	}
	t.printf("%s\n", t.paint("`sallyport policy operations --notices` tells more, and `sallyport policy review` ends a notice.", faint))
}

// mostNotices is how many notices status shows.
const mostNotices = 10

func showState(t *terminal, name, state string, c tint, detail string) {
	line := pad(name, 15) + t.paint(pad(state, 10), c) + printable(detail)
	t.printf("%s\n", strings.TrimRight(line, " "))
}

// redisReady tells whether what Redis holds is in the answer.
func redisReady(answer *adminv1.GetStatusResponse) bool {
	for _, p := range answer.GetParts() {
		if p.GetName() == "redis" {
			return p.GetState() != adminv1.PartState_PART_STATE_DOWN
		}
	}
	return true
}

func policyLine(version int64) string {
	if version == 0 {
		return "none was saved yet, and without one every call is refused"
	}
	return "version " + groupDigits(version)
}

func backlogLine(waiting int64, behind time.Duration) string {
	if waiting == 0 {
		return "up to date"
	}
	noun := " entries wait"
	if waiting == 1 {
		noun = " entry waits"
	}
	return groupDigits(waiting) + noun + " to be indexed, the oldest for " + roundly(behind)
}
