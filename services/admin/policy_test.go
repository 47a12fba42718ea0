package admin_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/state"
)

const (
	allow = policyv1.Effect_EFFECT_ALLOW
	deny  = policyv1.Effect_EFFECT_DENY
)

// seeded waits for the policy that the service saves at start.
func seeded(ctx context.Context, t testing.TB, client adminv1.PolicyServiceClient) *adminv1.GetPolicyResponse {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		answer, err := client.GetPolicy(ctx, &adminv1.GetPolicyRequest{})
		if err == nil && answer.GetVersion() > 0 {
			return answer
		}
		if time.Now().After(deadline) {
			t.Fatalf("no policy after 10 seconds: %v, %v", answer, err)
		}
	}
}

func TestFirstPolicyDeniesDeletes(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewPolicyServiceClient(start(t, redisOnly(t)))
	got := seeded(ctx, t, client)
	want := &adminv1.GetPolicyResponse{Version: 1, SavedBy: "Sallyport", Message: "The first policy of a new installation.", Policy: &policyv1.Policy{DefaultEffect: allow, Rules: []*policyv1.Rule{{
		Client: "*", Who: "any", Operation: "delete*", Effect: deny, Note: "AI may never delete anything", Mode: policyv1.Mode_MODE_ENFORCE,
	}}}}
	ignored := cmp.Options{protocmp.Transform(), protocmp.IgnoreFields(&policyv1.Rule{}, "id"), protocmp.IgnoreFields(&adminv1.GetPolicyResponse{}, "saved_at")}
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Error(diff)
	}
	if age := time.Since(got.GetSavedAt().AsTime()); age < 0 || age > time.Minute {
		t.Errorf("saved %v ago", age)
	}
	if len(got.GetPolicy().GetRules()[0].GetId()) != 8 {
		t.Errorf("the rule's id is %q, want 8 characters", got.GetPolicy().GetRules()[0].GetId())
	}
}

func TestSeedLeavesASavedPolicy(t *testing.T) {
	cfg := redisOnly(t)
	store := state.Open(cfg.Redis)
	defer store.Close()
	_, err := store.SavePolicy(t.Context(), 0, []byte(`{"default":"deny","rules":[]}`), state.Save{})
	if err != nil {
		t.Fatal(err)
	}
	got := seeded(asAdmin(t), t, adminv1.NewPolicyServiceClient(start(t, cfg)))
	if got.GetVersion() != 1 || got.GetPolicy().GetDefaultEffect() != deny || len(got.GetPolicy().GetRules()) != 0 {
		t.Errorf("got %v, want the policy that was there", got)
	}
}

func TestSavePolicy(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewPolicyServiceClient(start(t, redisOnly(t)))
	seeded(ctx, t, client)
	sent := &policyv1.Policy{DefaultEffect: deny, Rules: []*policyv1.Rule{
		{Operation: "read*", Effect: allow},
		{Id: "mine", Client: "claude", Who: "group:developers", Operation: "jira create*", Effect: allow, Note: "Trial", Mode: policyv1.Mode_MODE_MONITOR, Verified: true},
	}}
	saved, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: sent, BaseVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	id := saved.GetPolicy().GetRules()[0].GetId()
	want := &adminv1.SavePolicyResponse{Version: 2, Policy: &policyv1.Policy{DefaultEffect: deny, Rules: []*policyv1.Rule{
		{Id: id, Client: "*", Who: "any", Operation: "read*", Effect: allow, Mode: policyv1.Mode_MODE_ENFORCE},
		sent.GetRules()[1],
	}}}
	if diff := cmp.Diff(want, saved, protocmp.Transform(), protocmp.IgnoreFields(&adminv1.SavePolicyResponse{}, "changes")); diff != "" || len(id) != 8 {
		t.Errorf("id %q; saved: %s", id, diff)
	}
	got := seeded(ctx, t, client)
	if diff := cmp.Diff(want.GetPolicy(), got.GetPolicy(), protocmp.Transform()); diff != "" || got.GetVersion() != 2 {
		t.Errorf("version %d is in force: %s", got.GetVersion(), diff)
	}

	again, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: sent, BaseVersion: 2})
	if err != nil {
		t.Fatal(err)
	}
	if again.GetPolicy().GetRules()[0].GetId() != id {
		t.Errorf("a rule without an id, sent again, became %q and was %q", again.GetPolicy().GetRules()[0].GetId(), id)
	}
}

func TestSavePolicyNamesEachWrongField(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewPolicyServiceClient(start(t, redisOnly(t)))
	seeded(ctx, t, client)
	for name, test := range map[string]struct {
		policy *policyv1.Policy
		fields []string
	}{
		"nothing":      {nil, []string{"default"}},
		"no default":   {&policyv1.Policy{}, []string{"default"}},
		"no effect":    {&policyv1.Policy{DefaultEffect: allow, Rules: []*policyv1.Rule{{Operation: "delete*"}}}, []string{"rules[0].effect"}},
		"unknown mode": {&policyv1.Policy{DefaultEffect: allow, Rules: []*policyv1.Rule{{Effect: deny, Mode: 9}}}, []string{"rules[0].mode"}},
		"several": {&policyv1.Policy{DefaultEffect: allow, Rules: []*policyv1.Rule{
			{Effect: deny}, {Effect: deny, Who: "everybody"}, {Effect: 7, Operation: "  "},
		}}, []string{"rules[1].who", "rules[2].operation", "rules[2].effect"}},
		"an id twice": {&policyv1.Policy{DefaultEffect: allow, Rules: []*policyv1.Rule{
			{Id: "a", Effect: deny}, {Id: "a", Effect: allow},
		}}, []string{"rules[1].id"}},
		"too many": {&policyv1.Policy{DefaultEffect: allow, Rules: slices.Repeat([]*policyv1.Rule{{Effect: deny}}, 1001)}, []string{"rules"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: test.policy})
			if status.Code(err) != codes.InvalidArgument {
				t.Fatalf("got %v, want INVALID_ARGUMENT", err)
			}
			var fields []string
			for _, detail := range status.Convert(err).Details() {
				for _, v := range detail.(*errdetails.BadRequest).GetFieldViolations() {
					fields = append(fields, v.GetField())
					if v.GetDescription() == "" {
						t.Errorf("%s has no description", v.GetField())
					}
				}
			}
			if diff := cmp.Diff(test.fields, fields); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := seeded(ctx, t, client); got.GetVersion() != 1 {
		t.Errorf("version %d is in force after refusals, want 1", got.GetVersion())
	}
}

func TestPolicyWithoutRedis(t *testing.T) {
	t.Parallel()
	ctx, client := asAdmin(t), adminv1.NewPolicyServiceClient(start(t, admin.Config{}))
	_, err := client.GetPolicy(ctx, &adminv1.GetPolicyRequest{})
	if status.Code(err) != codes.Unavailable || !strings.Contains(status.Convert(err).Message(), "Redis doesn't answer") {
		t.Errorf("got %v, want UNAVAILABLE and why", err)
	}
}
