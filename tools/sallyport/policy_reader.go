package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

// policyReader walks the nodes of a policy file and collects all that is wrong.
type policyReader struct {
	file     *policyFile
	problems []problem
}

func (r *policyReader) refuse(n *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, problem{place{n.Line, n.Column}, fmt.Sprintf(format, args...)})
}

// The fields of a policy and of a rule. "sallyport policy get --output json" writes the version;
// --base is what compares it.
var (
	policyFields = []string{"default", "rules", "version"}
	ruleFields   = []string{"client", "who", "operation", "effect", "note", "mode", "verified", "id"}
)

func (r *policyReader) readRoot(root *yaml.Node) {
	fields := r.fields(root, "", "a policy", policyFields)
	if fields == nil {
		return
	}
	if n := fields["default"]; n != nil {
		r.file.policy.DefaultEffect = r.effect(n, "default")
	} else {
		r.refuse(root, "The policy has no default: add default: allow or default: deny, for what no rule matches.")
	}
	if n := fields["version"]; n != nil && n.ShortTag() != "!!int" {
		r.refuse(n, "version is %s: it must be a whole number.", kind(n))
	}
	rules := fields["rules"]
	switch {
	case rules == nil:
	case rules.Kind != yaml.SequenceNode:
		r.refuse(rules, "rules is %s: it must be a list of rules, or [] for none.", kind(rules))
	default:
		for i, n := range rules.Content {
			r.file.policy.Rules = append(r.file.policy.Rules, r.rule(n, fmt.Sprintf("rules[%d]", i)))
		}
	}
}

func (r *policyReader) rule(n *yaml.Node, path string) *policyv1.Rule {
	rule := &policyv1.Rule{}
	fields := r.fields(n, path, "a rule", ruleFields)
	if fields == nil {
		return rule
	}
	rule.Client = r.pattern(fields["client"], "client", `leave it out, or write "*", for any client`)
	rule.Who = r.pattern(fields["who"], "who", "leave it out, or write any, for everybody")
	rule.Operation = r.pattern(fields["operation"], "operation", `leave it out, or write "*", for any operation`)
	rule.Id = r.pattern(fields["id"], "id", "leave it out, and the rule is given one")
	if n := fields["note"]; n != nil {
		rule.Note, _ = r.text(n, "note")
	}
	if effect := fields["effect"]; effect != nil {
		rule.Effect = r.effect(effect, "effect")
	} else {
		r.refuse(n, "The rule has no effect: add effect: allow or effect: deny.")
	}
	if n := fields["mode"]; n != nil {
		rule.Mode = r.mode(n)
	}
	if n := fields["verified"]; n != nil {
		rule.Verified = n.Value == "true"
		if n.ShortTag() != "!!bool" || n.Value != "true" && n.Value != "false" {
			r.refuse(n, "verified is %s: it must be true or false.", kind(n))
		}
	}
	return rule
}

// fields returns the fields of a mapping by name, nil where it isn't one.
func (r *policyReader) fields(n *yaml.Node, path, what string, known []string) map[string]*yaml.Node {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		r.refuse(n, "This is %s: %s must be fields with values, such as %s: ...", kind(n), what, known[0])
		return nil
	}
	r.file.places[path] = place{n.Line, n.Column}
	fields := map[string]*yaml.Node{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], resolve(n.Content[i+1])
		switch {
		case !slices.Contains(known, key.Value):
			r.refuse(key, "%s has no field %q: there are %s.", what, key.Value, strings.Join(known, ", "))
		case fields[key.Value] != nil:
			r.refuse(key, "%s is here twice: keep one.", key.Value)
		default:
			fields[key.Value] = value
			r.file.places[strings.TrimPrefix(path+"."+key.Value, ".")] = place{value.Line, value.Column}
		}
	}
	return fields
}

// pattern reads a text that may be left out, but not be empty: the API takes empty for left out.
func (r *policyReader) pattern(n *yaml.Node, name, instead string) string {
	if n == nil {
		return ""
	}
	text, ok := r.text(n, name)
	if ok && strings.TrimSpace(text) == "" {
		r.refuse(n, "%s is empty: %s.", name, instead)
	}
	return text
}

func (r *policyReader) text(n *yaml.Node, name string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		hint := ""
		if n.Kind == yaml.ScalarNode && n.Value != "" {
			hint = fmt.Sprintf(`, such as "%s" in quotes`, n.Value)
		}
		r.refuse(n, "%s is %s: it must be a text%s.", name, kind(n), hint)
		return "", false
	}
	return n.Value, true
}

func (r *policyReader) effect(n *yaml.Node, name string) policyv1.Effect {
	for effect, word := range effectWords {
		if n.Kind == yaml.ScalarNode && n.Value == word {
			return effect
		}
	}
	r.refuse(n, "%s is %s: it must be allow or deny.", name, shown(n))
	return policyv1.Effect_EFFECT_UNSPECIFIED
}

func (r *policyReader) mode(n *yaml.Node) policyv1.Mode {
	for mode, word := range modeWords {
		if n.Kind == yaml.ScalarNode && n.Value == word {
			return mode
		}
	}
	r.refuse(n, "mode is %s: it must be enforce or monitor.", shown(n))
	return policyv1.Mode_MODE_UNSPECIFIED
}

// resolve returns what an alias stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// shown is a value as it is said to be wrong: itself where it is a text.
func shown(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		return strconv.Quote(n.Value)
	}
	return kind(n)
}

// kind is what a node is, in people's words.
func kind(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		return "a list"
	}
	if n.Kind == yaml.MappingNode {
		return "a group of fields"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	case "!!str":
		return "a text"
	}
	return "a " + n.Tag
}
