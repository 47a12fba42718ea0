package admin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

// denying is a policy that allows all but some operations; each rule's id is its operation.
func denying(operations ...string) *policyv1.Policy {
	p := &policyv1.Policy{DefaultEffect: allow}
	for _, o := range operations {
		p.Rules = append(p.Rules, &policyv1.Rule{Id: o, Operation: o, Effect: deny})
	}
	return p
}

func TestHistory(t *testing.T) {
	cfg := redisOnly(t)
	ctx, client := asAdmin(t), adminv1.NewPolicyServiceClient(start(t, cfg))
	seeded(ctx, t, client)
	for version, operation := range []string{"a", "b", "c"} {
		_, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{
			Policy: denying(operation, "delete*"), BaseVersion: int64(version + 1), Message: "  because of " + operation + "\n",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	page, err := client.ListPolicyVersions(ctx, &adminv1.ListPolicyVersionsRequest{PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := client.ListPolicyVersions(ctx, &adminv1.ListPolicyVersionsRequest{PageToken: page.GetNextPageToken()})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, v := range append(page.GetVersions(), rest.GetVersions()...) {
		if age := time.Since(v.GetSavedAt().AsTime()); age < 0 || age > time.Minute {
			t.Errorf("version %d was saved %v ago", v.GetVersion(), age)
		}
		lines = append(lines, fmt.Sprintf("%d by %s: %s, %s", v.GetVersion(), v.GetSavedBy(), v.GetMessage(), kinds(v.GetChanges())))
	}
	want := []string{
		"4 by admin: because of c, +1 -1", "3 by admin: because of b, +1 -1", "2 by admin: because of a, +1 +2 -1",
		"1 by Sallyport: The first policy of a new installation., default +1",
	}
	if diff := cmp.Diff(want, lines); diff != "" || rest.GetNextPageToken() != "" {
		t.Errorf("next page %q: %s", rest.GetNextPageToken(), diff)
	}
	old, err := client.GetPolicy(ctx, &adminv1.GetPolicyRequest{Version: 2})
	if err != nil || old.GetVersion() != 2 || old.GetPolicy().GetRules()[0].GetOperation() != "a" || old.GetMessage() != "because of a" {
		t.Errorf("version 2 is %v, %v", old, err)
	}
	_, err = client.GetPolicy(ctx, &adminv1.GetPolicyRequest{Version: 9})
	if status.Code(err) != codes.NotFound {
		t.Errorf("version 9: %v", err)
	}
}

// kinds writes changes as the number after each kind's sign.
func kinds(changes []*adminv1.PolicyChange) string {
	var signs []string
	for _, c := range changes {
		switch c.GetKind() {
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_DEFAULT:
			signs = append(signs, "default")
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_ADDED:
			signs = append(signs, fmt.Sprint("+", c.GetNumberAfter()))
		case adminv1.PolicyChangeKind_POLICY_CHANGE_KIND_REMOVED:
			signs = append(signs, fmt.Sprint("-", c.GetNumberBefore()))
		default:
			signs = append(signs, fmt.Sprint(c.GetKind(), c.GetNumberAfter()))
		}
	}
	return strings.Join(signs, " ")
}

// TestSavePolicyFromAnOldVersion shows that two admins don't undo each other: the second is shown
// what the first changed, and what it would have.
func TestSavePolicyFromAnOldVersion(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewPolicyServiceClient(start(t, redisOnly(t)))
	seeded(ctx, t, client)
	for version, p := range []*policyv1.Policy{denying("delete*"), denying("delete*", "theirs")} {
		_, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: p, BaseVersion: int64(version + 1), Message: "mine"})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, validateOnly := range []bool{false, true} {
		_, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: denying("ours", "delete*"), BaseVersion: 2, ValidateOnly: validateOnly})
		message := status.Convert(err).Message()
		if status.Code(err) != codes.Aborted || !strings.Contains(message, "Version 3 of the policy is in force") || !strings.Contains(message, "started from version 2") {
			t.Fatalf("got %v, want ABORTED with both versions", err)
		}
		sides := status.Convert(err).Details()[0].(*adminv1.PolicyConflict)
		if got := kinds(sides.GetTheirChanges()) + " | " + kinds(sides.GetYourChanges()); got != "+2 | +1" {
			t.Errorf("theirs and ours are %q", got)
		}
		if sides.GetInForce().GetVersion() != 3 || sides.GetInForce().GetSavedBy() != "admin" || len(sides.GetInForce().GetPolicy().GetRules()) != 2 {
			t.Errorf("in force is %v", sides.GetInForce())
		}
	}
	_, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: denying("ours")})
	if status.Code(err) != codes.Aborted || !strings.Contains(status.Convert(err).Message(), "send base_version") {
		t.Errorf("without a base version: %v", err)
	}
	if got := seeded(ctx, t, client); got.GetVersion() != 3 {
		t.Errorf("version %d is in force", got.GetVersion())
	}
}

func TestValidateOnlySavesNothing(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewPolicyServiceClient(start(t, redisOnly(t)))
	first := seeded(ctx, t, client)
	answer, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: denying("x"), BaseVersion: 1, ValidateOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if answer.GetVersion() != 1 || kinds(answer.GetChanges()) != "+1 -1" {
		t.Errorf("got version %d and %s", answer.GetVersion(), kinds(answer.GetChanges()))
	}
	if diff := cmp.Diff(first, seeded(ctx, t, client), protocmp.Transform()); diff != "" {
		t.Errorf("in force: %s", diff)
	}
}

func TestComparePolicies(t *testing.T) {
	ctx, client := asAdmin(t), adminv1.NewPolicyServiceClient(start(t, redisOnly(t)))
	seeded(ctx, t, client)
	_, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: denying("a", "b"), BaseVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	saved := func(version int64) *adminv1.PolicySource {
		return &adminv1.PolicySource{Source: &adminv1.PolicySource_Version{Version: version}}
	}
	draft := &adminv1.PolicySource{Source: &adminv1.PolicySource_Draft{Draft: denying("b", "c")}}
	for name, test := range map[string]struct {
		before, after *adminv1.PolicySource
		want          string
	}{
		"two versions":           {saved(1), saved(2), "+1 +2 -1"},
		"in force with itself":   {nil, saved(2), ""},
		"in force with a draft":  {nil, draft, "+2 -1"},
		"an older one and draft": {saved(1), draft, "+1 +2 -1"},
	} {
		answer, err := client.ComparePolicies(ctx, &adminv1.ComparePoliciesRequest{Before: test.before, After: test.after})
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(answer.GetChanges()); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// TestTheTokensNameIsInTheHistory shows who is who where admins have tokens of their own.
func TestTheTokensNameIsInTheHistory(t *testing.T) {
	cfg := redisOnly(t)
	client := adminv1.NewPolicyServiceClient(start(t, cfg))
	seeded(asAdmin(t), t, client)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+robotToken)
	_, err := client.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: denying("x"), BaseVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := seeded(ctx, t, client); got.GetSavedBy() != "ci-robot" {
		t.Errorf("saved by %q", got.GetSavedBy())
	}
}
