package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

func TestStatus(t *testing.T) {
	answer := &adminv1.GetStatusResponse{
		Parts: []*adminv1.Part{
			{Name: "envoy", State: adminv1.PartState_PART_STATE_READY},
			{Name: "redis", State: adminv1.PartState_PART_STATE_READY},
			{Name: "elasticsearch", State: adminv1.PartState_PART_STATE_DOWN, Detail: "It doesn't answer."},
		},
		McpUrl: "http://localhost:8800/mcp", CallbackUrl: "http://localhost:8800/mcp/callback",
		PolicyVersion: 7, Waiting: 1200, Behind: durationpb.New(90 * time.Second), Aside: 1,
		Setup: []*adminv1.SetupItem{
			{Name: "public_url", State: adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, Detail: "It isn't HTTPS."},
			{Name: "rovo_domain", State: adminv1.SetupState_SETUP_STATE_DONE, Detail: "A sign-in came back.", CheckedAt: timestamppb.New(time.Unix(1764072000, 0))},
			{Name: "native_door", State: adminv1.SetupState_SETUP_STATE_UNKNOWN, Detail: "Nobody has signed in yet."},
			{Name: "ip_allowlist", State: adminv1.SetupState_SETUP_STATE_DONE},
			{Name: "groups", State: adminv1.SetupState_SETUP_STATE_DONE},
			{Name: "tools", State: adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, Detail: "2 tools are new."},
		},
		Notices: []*adminv1.Operation{
			{Name: "getJiraIssue", Notice: "changed", Changed: []string{"description", "schema"}, DecidedBy: "The default allows it."},
			{Name: "purgeJiraProject", Notice: "new", DecidedBy: "Rule 1 blocks it."},
		},
	}
	const want = `envoy          ready
redis          ready
elasticsearch  down      It doesn't answer.

Set-up
public_url     Needs setup    It isn't HTTPS.
rovo_domain    Allowed        A sign-in came back.
native_door    Unknown        Nobody has signed in yet.
ip_allowlist   Allowed
groups         Done
tools          Action needed  2 tools are new.

MCP URL        http://localhost:8800/mcp
Callback URL   http://localhost:8800/mcp/callback
Policy         version 7
Log            1,200 entries wait to be indexed, the oldest for 1m30s
Kept aside     1 entry: ` + "`sallyport log rejected` shows them, and `sallyport log retry --all` sends them again" + `

2 tools of the site wait to be reviewed:
TOOL              NOTICE                        IN FORCE
getJiraIssue      changed: description, schema  The default allows it.
purgeJiraProject  new                           Rule 1 blocks it.
` + "`sallyport policy operations --notices` tells more, and `sallyport policy review` ends a notice.\n"
	var out bytes.Buffer
	showStatus(&terminal{out: &out}, answer)
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSetupAsJSON(t *testing.T) {
	at := time.Unix(1764072000, 0).UTC()
	answer := &adminv1.GetStatusResponse{Setup: []*adminv1.SetupItem{
		{Name: "public_url", State: adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, Detail: "It isn't HTTPS."},
		{Name: "rovo_domain", State: adminv1.SetupState_SETUP_STATE_DONE, CheckedAt: timestamppb.New(at)},
	}}
	var out bytes.Buffer
	err := writeJSON(&out, newStatusText(answer).Setup)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{
		`"name": "public_url"`, `"state": "action_needed"`, `"word": "Needs setup"`, `"detail": "It isn't HTTPS."`, `"checked_at": null`,
		`"state": "done"`, `"word": "Allowed"`, `"checked_at": "2025-11-25T12:00:00Z"`,
	} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("no %s in %s", words, out.String())
		}
	}
}

func TestLongDetailsAreBrokenAtWords(t *testing.T) {
	var out bytes.Buffer
	showSetup(&terminal{out: &out, width: 72}, []*adminv1.SetupItem{{
		Name: "rovo_domain", State: adminv1.SetupState_SETUP_STATE_UNKNOWN, Detail: "Nobody has signed in yet, and only that shows whether it is allowed.\x1b[31m",
	}})
	const want = `
Set-up
rovo_domain    Unknown        Nobody has signed in yet, and only that
                              shows whether it is allowed.`
	if got := strings.TrimRight(out.String(), "\n"); !strings.HasPrefix(got, want) || strings.Contains(got, "\x1b") {
		t.Errorf("got %q", got)
	}
}

func TestStatusWithoutRedisClaimsNothing(t *testing.T) {
	var out bytes.Buffer
	showStatus(&terminal{out: &out}, &adminv1.GetStatusResponse{Parts: []*adminv1.Part{{Name: "redis", State: adminv1.PartState_PART_STATE_DOWN}}})
	if strings.Count(out.String(), "not known while Redis is away") != 2 {
		t.Errorf("got %s", out.String())
	}
}
