package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"

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
		PolicyVersion: 7, Waiting: 1200, Behind: durationpb.New(90 * time.Second),
		Setup: []*adminv1.SetupItem{
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
groups         done
tools          to do     2 tools are new.

MCP URL        http://localhost:8800/mcp
Callback URL   http://localhost:8800/mcp/callback
Policy         version 7
Log            1,200 entries wait to be indexed, the oldest for 1m30s

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

func TestStatusWithoutRedisClaimsNothing(t *testing.T) {
	var out bytes.Buffer
	showStatus(&terminal{out: &out}, &adminv1.GetStatusResponse{Parts: []*adminv1.Part{{Name: "redis", State: adminv1.PartState_PART_STATE_DOWN}}})
	if strings.Count(out.String(), "not known while Redis is away") != 2 {
		t.Errorf("got %s", out.String())
	}
}
