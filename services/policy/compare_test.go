package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/policy"
)

// policyOf makes a policy of rules that are written as id:operation.
func policyOf(fallback policy.Effect, rules ...string) *policy.Policy {
	p := &policy.Policy{Default: fallback}
	for _, r := range rules {
		id, operation, _ := strings.Cut(r, ":")
		p.Rules = append(p.Rules, policy.Rule{ID: id, Operation: operation, Effect: policy.Deny})
	}
	return p
}

func TestCompare(t *testing.T) {
	for name, test := range map[string]struct {
		before, after *policy.Policy
		want          []policy.Change
	}{
		"nothing":  {policyOf("allow", "a:x"), policyOf("allow", "a:x"), nil},
		"default":  {policyOf("allow"), policyOf("deny"), []policy.Change{{Kind: policy.DefaultChanged}}},
		"added":    {policyOf("allow", "a:x"), policyOf("allow", "b:y", "a:x"), []policy.Change{{policy.RuleAdded, 0, 1}}},
		"removed":  {policyOf("allow", "a:x", "b:y"), policyOf("allow", "a:x"), []policy.Change{{policy.RuleRemoved, 2, 0}}},
		"changed":  {policyOf("allow", "a:x"), policyOf("allow", "a:z"), []policy.Change{{policy.RuleChanged, 1, 1}}},
		"moved":    {policyOf("allow", "a:x", "b:y", "c:z"), policyOf("allow", "b:y", "c:z", "a:x"), []policy.Change{{policy.RuleMoved, 1, 3}}},
		"both":     {policyOf("allow", "a:x", "b:y", "c:z"), policyOf("allow", "c:w", "a:x", "b:y"), []policy.Change{{policy.RuleChanged, 3, 1}, {policy.RuleMoved, 3, 1}}},
		"reversed": {policyOf("allow", "a:x", "b:y", "c:z"), policyOf("allow", "c:z", "b:y", "a:x"), []policy.Change{{policy.RuleMoved, 3, 1}, {policy.RuleMoved, 2, 2}}},
		"replaced": {policyOf("allow", "a:x"), policyOf("allow", "b:x"), []policy.Change{{policy.RuleAdded, 0, 1}, {policy.RuleRemoved, 1, 0}}},
	} {
		if diff := cmp.Diff(test.want, policy.Compare(test.before, test.after)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
