package doctor

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// TestInside has the admin service tell what no running Sallyport is easily brought to.
func TestInside(t *testing.T) {
	const down, ready = adminv1.PartState_PART_STATE_DOWN, adminv1.PartState_PART_STATE_READY
	for name, test := range map[string]struct {
		status *adminv1.GetStatusResponse
		want   Finding
	}{
		"nobody to ask": {nil, Finding{Inside, "all", Skipped, "The admin API, which sees this, couldn't be asked.", ""}},
		"the remedy isn't said twice": {
			&adminv1.GetStatusResponse{Parts: []*adminv1.Part{{Name: "envoy", State: down, Detail: "It is down. Start it.", Remedy: "Start it."}}},
			Finding{Inside, "envoy", Problem, "It is down.", "Start it."},
		},
		"a part whose clock is behind": {
			&adminv1.GetStatusResponse{Parts: []*adminv1.Part{
				{Name: "authz", State: ready, ClockAhead: durationpb.New(-2 * time.Hour)}, {Name: "redis", State: ready, ClockAhead: durationpb.New(time.Second)},
			}},
			Finding{Inside, "clocks", Problem, "The clock of authz is 2 hours behind the admin service's.", clockRemedy},
		},
		"clocks that agree": {
			&adminv1.GetStatusResponse{Parts: []*adminv1.Part{{Name: "redis", State: ready, ClockAhead: durationpb.New(time.Second)}}},
			Finding{Inside, "clocks", OK, "The parts' clocks agree.", ""},
		},
		"no policy": {
			&adminv1.GetStatusResponse{},
			Finding{Inside, "policy", Problem, "There is no policy, and without one every call is refused.", "Save one: `sallyport policy apply policy.yaml`."},
		},
		"no Redis to tell the policy": {
			&adminv1.GetStatusResponse{Parts: []*adminv1.Part{{Name: "redis", State: down}}},
			Finding{Inside, "policy", Skipped, "Redis, where it is, doesn't answer.", ""},
		},
		"records that wait for long": {
			&adminv1.GetStatusResponse{Waiting: 1200, Behind: durationpb.New(90 * time.Minute)},
			Finding{
				Inside, "records", Problem, "1200 records wait to be indexed, the oldest for 2 hours.",
				"See what is said of elasticsearch and accesslog, and look into their logs; nothing is lost meanwhile.",
			},
		},
		"records that wait for a moment": {
			&adminv1.GetStatusResponse{Waiting: 3, Behind: durationpb.New(time.Second)},
			Finding{Inside, "records", OK, "3 records wait to be indexed, the oldest for 1 second.", ""},
		},
		"a public URL that is for trying out": {
			&adminv1.GetStatusResponse{Setup: []*adminv1.SetupItem{{Name: "public_url", State: adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, Detail: "Only this computer."}}},
			Finding{Atlassian, "public_url", OK, "Only this computer.", ""},
		},
		"services that don't agree on it": {
			&adminv1.GetStatusResponse{Setup: []*adminv1.SetupItem{{
				Name: "public_url", State: adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, Detail: "They differ: start both with the same.", Remedy: "start both with the same.",
			}}},
			Finding{Atlassian, "public_url", Problem, "They differ.", "Start both with the same."},
		},
	} {
		if found := examineInside(test.status); !slices.Contains(found, test.want) {
			t.Errorf("%s: found %+v, want %+v", name, found, test.want)
		}
	}
	for _, f := range examineInside(&adminv1.GetStatusResponse{Setup: []*adminv1.SetupItem{{Name: "native_door", State: adminv1.SetupState_SETUP_STATE_ACTION_NEEDED, Remedy: "x"}}}) {
		if f.Check == "native_door" {
			t.Errorf("what keeps nobody from working is told: %v", f)
		}
	}
}
