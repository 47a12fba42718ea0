package main

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
	"sallyport/services/policy"
)

// policyText is a policy as people write it, in the order of keys that they know.
type policyText struct {
	Version int64      `json:"version" yaml:"version,omitempty"`
	Default string     `json:"default" yaml:"default"`
	Rules   []ruleText `json:"rules" yaml:"rules"`
}

type ruleText struct {
	Client    pattern `json:"client" yaml:"client"`
	Who       string  `json:"who" yaml:"who"`
	Operation pattern `json:"operation" yaml:"operation"`
	Effect    string  `json:"effect" yaml:"effect"`
	Note      string  `json:"note,omitempty" yaml:"note,omitempty"`
	Mode      string  `json:"mode,omitempty" yaml:"mode,omitempty"`
	Verified  bool    `json:"verified,omitempty" yaml:"verified,omitempty"`
	ID        string  `json:"id" yaml:"id"`
}

// pattern is a text that may have stars.
type pattern string

// MarshalYAML puts a pattern with stars into quotes even where YAML can do without, so that one
// that is edited to begin with a star still has them.
//
//nolint:unparam // yaml.Marshaler has the error.
func (p pattern) MarshalYAML() (any, error) {
	if !strings.Contains(string(p), "*") {
		return string(p), nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(p), Style: yaml.DoubleQuotedStyle}, nil
}

// effectWords are the words of the rule language, by the API's.
var effectWords = map[policyv1.Effect]string{
	policyv1.Effect_EFFECT_ALLOW: string(policy.Allow),
	policyv1.Effect_EFFECT_DENY:  string(policy.Deny),
}

func newPolicyText(p *policyv1.Policy, version int64) policyText {
	text := policyText{Version: version, Default: effectWords[p.GetDefaultEffect()], Rules: []ruleText{}}
	for _, r := range p.GetRules() {
		text.Rules = append(text.Rules, newRuleText(r))
	}
	return text
}

func newRuleText(r *policyv1.Rule) ruleText {
	text := ruleText{
		Client: pattern(r.GetClient()), Who: r.GetWho(), Operation: pattern(r.GetOperation()), Effect: effectWords[r.GetEffect()],
		Note: r.GetNote(), Verified: r.GetVerified(), ID: r.GetId(),
	}
	if r.GetMode() == policyv1.Mode_MODE_MONITOR {
		text.Mode = string(policy.Monitor)
	}
	return text
}

// policyMessage is a policy as the API takes it.
func policyMessage(p policy.Policy) *policyv1.Policy {
	m := &policyv1.Policy{DefaultEffect: effectMessage(p.Default)}
	for _, r := range p.Rules {
		rule := &policyv1.Rule{
			Id: r.ID, Client: r.Client, Who: r.Who, Operation: r.Operation, Effect: effectMessage(r.Effect), Note: r.Note, Verified: r.Verified,
		}
		if r.Mode == policy.Monitor {
			rule.Mode = policyv1.Mode_MODE_MONITOR
		}
		m.Rules = append(m.Rules, rule)
	}
	return m
}

func effectMessage(effect policy.Effect) policyv1.Effect {
	switch effect {
	case policy.Allow:
		return policyv1.Effect_EFFECT_ALLOW
	case policy.Deny:
		return policyv1.Effect_EFFECT_DENY
	}
	return policyv1.Effect_EFFECT_UNSPECIFIED
}

// policyYAML is a policy as a file that can be applied again.
func policyYAML(answer *adminv1.GetPolicyResponse) ([]byte, error) {
	var text bytes.Buffer
	if answer.GetVersion() == 0 {
		text.WriteString("# No policy was saved yet, and until one is, every call is refused.\n")
	} else {
		about := byWhom(answer.GetSavedBy(), answer.GetSavedAt(), answer.GetMessage())
		fmt.Fprintf(&text, "# Version %d, saved %s. `sallyport policy apply` refuses this\n# file once another version is in force; without the line version, it doesn't.\n", answer.GetVersion(), printable(about))
	}
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := encoder.Encode(newPolicyText(answer.GetPolicy(), answer.GetVersion()))
	if err != nil {
		return nil, err
	}
	return text.Bytes(), encoder.Close()
}

// String is the rule in a line.
func (r ruleText) String() string {
	text := fmt.Sprintf("%s %q", r.Effect, r.Operation)
	if r.Client != "*" {
		text += fmt.Sprintf(" by client %q", r.Client)
	}
	if r.Verified {
		text += " if verified"
	}
	if r.Who != "any" {
		text += " for " + r.Who
	}
	if r.Mode == string(policy.Monitor) {
		text += ", only monitoring"
	}
	if r.Note != "" {
		text += fmt.Sprintf(" (%s)", r.Note)
	}
	return text
}
