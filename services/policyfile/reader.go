package policyfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"sallyport/services/policy"
)

// reader walks the nodes of a file and collects all that is wrong.
type reader struct {
	// file is the policy that is read; nil where none is.
	file     *File
	problems []Problem
}

func (r *reader) refuse(n *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, Problem{Place{n.Line, n.Column}, fmt.Sprintf(format, args...)})
}

// The fields of a policy and of a rule.
var (
	policyFields = []string{"default", "rules", "version"}
	ruleFields   = []string{"client", "who", "operation", "effect", "note", "mode", "verified", "id"}
)

func (r *reader) readRoot(root *yaml.Node) {
	fields := r.fields(root, "", "a policy", policyFields)
	if fields == nil {
		return
	}
	if n := fields["default"]; n != nil {
		r.file.Policy.Default = r.effect(n, "default")
	} else {
		r.refuse(root, "The policy has no default: add default: allow or default: deny, for what no rule matches.")
	}
	if n := fields["version"]; n != nil {
		version, err := strconv.ParseInt(n.Value, 10, 64)
		if n.ShortTag() != "!!int" || err != nil || version < 0 {
			r.refuse(n, "version is %s: it must be the number of the version that this was made from, or left out.", shown(n))
		}
		r.file.Version = version
	}
	rules := fields["rules"]
	switch {
	case rules == nil:
	case rules.Kind != yaml.SequenceNode:
		r.refuse(rules, "rules is %s: it must be a list of rules, or [] for none.", kind(rules))
	default:
		for i, n := range rules.Content {
			r.file.Policy.Rules = append(r.file.Policy.Rules, r.rule(n, fmt.Sprintf("rules[%d]", i)))
		}
	}
}

func (r *reader) rule(n *yaml.Node, path string) policy.Rule {
	rule := policy.Rule{}
	fields := r.fields(n, path, "a rule", ruleFields)
	if fields == nil {
		return rule
	}
	rule.Client = r.pattern(fields["client"], "client", `leave it out, or write "*", for any client`)
	rule.Who = r.pattern(fields["who"], "who", "leave it out, or write any, for everybody")
	rule.Operation = r.pattern(fields["operation"], "operation", `leave it out, or write "*", for any operation`)
	rule.ID = r.pattern(fields["id"], "id", "leave it out, and the rule is given one")
	if n := fields["note"]; n != nil {
		rule.Note, _ = r.text(n, "note")
	}
	if effect := fields["effect"]; effect != nil {
		rule.Effect = r.effect(effect, "effect")
	} else {
		r.refuse(n, "The rule has no effect: add effect: allow or effect: deny.")
	}
	if n := fields["mode"]; n != nil {
		rule.Mode = policy.Mode(r.word(n, "mode", string(policy.Enforce), string(policy.Monitor)))
	}
	if n := fields["verified"]; n != nil {
		rule.Verified = r.truth(n, "verified")
	}
	return rule
}

// fields returns the fields of a mapping by name, nil where it isn't one.
func (r *reader) fields(n *yaml.Node, path, what string, known []string) map[string]*yaml.Node {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		r.refuse(n, "This is %s: %s must be fields with values, such as %s: ...", kind(n), what, known[0])
		return nil
	}
	r.notePlace(path, n)
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
			r.notePlace(strings.TrimPrefix(path+"."+key.Value, "."), value)
		}
	}
	return fields
}

func (r *reader) notePlace(path string, n *yaml.Node) {
	if r.file != nil {
		r.file.places[path] = Place{n.Line, n.Column}
	}
}

// pattern reads a text that may be left out, but not be empty: empty stands for left out.
func (r *reader) pattern(n *yaml.Node, name, instead string) string {
	if n == nil {
		return ""
	}
	text, ok := r.text(n, name)
	if ok && strings.TrimSpace(text) == "" {
		r.refuse(n, "%s is empty: %s.", name, instead)
	}
	return text
}

func (r *reader) text(n *yaml.Node, name string) (string, bool) {
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

func (r *reader) effect(n *yaml.Node, name string) policy.Effect {
	return policy.Effect(r.word(n, name, string(policy.Allow), string(policy.Deny)))
}

// word reads one of some words, and empty where it is none of them.
func (r *reader) word(n *yaml.Node, name string, known ...string) string {
	if n.Kind == yaml.ScalarNode && slices.Contains(known, n.Value) {
		return n.Value
	}
	last := len(known) - 1
	r.refuse(n, "%s is %s: it must be %s or %s.", name, shown(n), strings.Join(known[:last], ", "), known[last])
	return ""
}

func (r *reader) truth(n *yaml.Node, name string) bool {
	if n.ShortTag() != "!!bool" || n.Value != "true" && n.Value != "false" {
		r.refuse(n, "%s is %s: it must be true or false.", name, kind(n))
	}
	return n.Value == "true"
}

// resolve returns what an alias stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// shown is a value as it is said to be wrong: itself where it is a text or a number.
func shown(n *yaml.Node) string {
	switch {
	case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null":
		return kind(n)
	case n.ShortTag() == "!!int":
		return n.Value
	}
	return strconv.Quote(n.Value)
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
