package admin

import (
	"crypto/rand"
	"fmt"
	"strings"

	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/policy"
)

// policyMessage is a policy as the API shows it.
func policyMessage(p *policy.Policy) *policyv1.Policy {
	m := &policyv1.Policy{DefaultEffect: effectMessage(p.Default)}
	for _, r := range p.Rules {
		m.Rules = append(m.Rules, ruleMessage(r))
	}
	return m
}

func ruleMessage(r policy.Rule) *policyv1.Rule {
	return &policyv1.Rule{
		Id: r.ID, Client: r.Client, Who: r.Who, Operation: r.Operation, Effect: effectMessage(r.Effect),
		Note: r.Note, Mode: modeMessage(r.Mode), Verified: r.Verified,
	}
}

func effectMessage(e policy.Effect) policyv1.Effect {
	switch e {
	case policy.Allow:
		return policyv1.Effect_EFFECT_ALLOW
	case policy.Deny:
		return policyv1.Effect_EFFECT_DENY
	}
	return policyv1.Effect_EFFECT_UNSPECIFIED
}

func modeMessage(m policy.Mode) policyv1.Mode {
	if m == policy.Monitor {
		return policyv1.Mode_MODE_MONITOR
	}
	return policyv1.Mode_MODE_ENFORCE
}

// policyFrom reads a policy from the API. What the API leaves empty is left out, so that Normalize
// gives it its default; what a policy has no word for is a violation.
func policyFrom(m *policyv1.Policy) (*policy.Policy, []policy.Violation) {
	var violations []policy.Violation
	refuse := func(field, sentence string) {
		violations = append(violations, policy.Violation{Field: field, Sentence: sentence})
	}
	p := &policy.Policy{Default: effectFrom(m.GetDefaultEffect())}
	for i, r := range m.GetRules() {
		rule := policy.Rule{
			ID: r.GetId(), Client: r.GetClient(), Who: r.GetWho(), Operation: r.GetOperation(),
			Effect: effectFrom(r.GetEffect()), Note: r.GetNote(), Verified: r.GetVerified(),
		}
		switch r.GetMode() {
		case policyv1.Mode_MODE_UNSPECIFIED, policyv1.Mode_MODE_ENFORCE:
			rule.Mode = policy.Enforce
		case policyv1.Mode_MODE_MONITOR:
			rule.Mode = policy.Monitor
		default:
			refuse(fmt.Sprintf("rules[%d].mode", i), fmt.Sprintf("there is no mode %d; it must be enforce or monitor", r.GetMode()))
		}
		p.Rules = append(p.Rules, rule)
	}
	return p, violations
}

// effectFrom leaves an effect that isn't known empty, which validation refuses.
func effectFrom(e policyv1.Effect) policy.Effect {
	switch e {
	case policyv1.Effect_EFFECT_ALLOW:
		return policy.Allow
	case policyv1.Effect_EFFECT_DENY:
		return policy.Deny
	case policyv1.Effect_EFFECT_UNSPECIFIED:
	}
	return ""
}

// fillIDs gives each rule without an id one: that of the rule in force that says the same, so that
// a file without ids can be applied again and its rules stay themselves in the log, else a new one.
func fillIDs(p *policy.Policy, inForce []policy.Rule) {
	taken := map[string]bool{}
	for _, r := range p.Rules {
		taken[r.ID] = true
	}
	same := map[policy.Rule][]string{}
	for _, r := range inForce {
		if !taken[r.ID] {
			same[content(r)] = append(same[content(r)], r.ID)
		}
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.ID != "" {
			continue
		}
		key := content(*r)
		if ids := same[key]; len(ids) > 0 {
			r.ID, same[key] = ids[0], ids[1:]
			continue
		}
		for r.ID == "" || taken[r.ID] {
			r.ID = newID()
		}
		taken[r.ID] = true
	}
}

// content is what a rule says, without what it is called.
func content(r policy.Rule) policy.Rule {
	r.ID = ""
	return r
}

// newID returns a random id of 40 bits: short enough to be read aloud, and there are 1,000 rules
// at most.
func newID() string { return strings.ToLower(rand.Text()[:8]) }
