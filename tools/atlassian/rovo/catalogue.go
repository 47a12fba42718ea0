package rovo

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed catalogue.yaml
var catalogueYAML []byte

// tier says how much an operation may do, and so which execute tool runs it.
type tier string

const (
	read        tier = "read"
	write       tier = "write"
	destructive tier = "destructive"
)

// operation is one entry of the catalogue.
type operation struct {
	Name       string
	Tier       tier
	Site       *bool
	Primary    bool
	Idempotent bool
	Needs      string
	Takes      params
	Says       string
	run        handler
}

// alias is a tool of v1: an operation under its old name, with its old arguments.
type alias struct {
	Name    string
	Of      string
	Site    *bool
	Takes   params
	Renames map[string]string
	Fixed   map[string]any
}

// param is one argument; Type is text, list, int, bool or object.
type param struct {
	Name, Type string
	Required   bool
}

type params []param

// UnmarshalYAML reads "issueIdOrKey! fields:list".
func (p *params) UnmarshalYAML(node *yaml.Node) error {
	for word := range strings.FieldsSeq(node.Value) {
		spec, required := strings.CutSuffix(word, "!")
		name, kind, typed := strings.Cut(spec, ":")
		if !typed {
			kind = "text"
		}
		if _, ok := schemaTypes[kind]; !ok {
			return fmt.Errorf("line %d: %q has no known type", node.Line, word)
		}
		*p = append(*p, param{name, kind, required})
	}
	return nil
}

type catalogue struct {
	operations []operation
	aliases    []alias
	byName     map[string]*operation
}

var cloudID = param{"cloudId", "text", true}

func loadCatalogue() (*catalogue, error) {
	var file struct {
		Operations []operation
		V1         []alias
	}
	decoder := yaml.NewDecoder(bytes.NewReader(catalogueYAML))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	c := &catalogue{file.Operations, file.V1, map[string]*operation{}}
	for i := range c.operations {
		o := &c.operations[i]
		if o.run = handlers[o.Name]; o.Needs != "" {
			o.run = notInstalled
		}
		if o.run == nil {
			return nil, fmt.Errorf("reading the catalogue: nothing runs %s", o.Name)
		}
		if o.Site == nil {
			o.Takes = append(params{cloudID}, o.Takes...)
		}
		c.byName[o.Name] = o
	}
	for i := range c.aliases {
		a := &c.aliases[i]
		if a.Site == nil {
			a.Takes = append(params{cloudID}, a.Takes...)
		}
		if c.byName[a.Of] == nil {
			return nil, fmt.Errorf("reading the catalogue: %s stands for the unknown %s", a.Name, a.Of)
		}
	}
	return c, nil
}

var schemaTypes = map[string]map[string]any{
	"text":   {"type": "string"},
	"list":   {"type": "array", "items": map[string]any{"type": "string"}},
	"int":    {"type": "integer"},
	"bool":   {"type": "boolean"},
	"object": {"type": "object", "additionalProperties": true},
}

// schema is the JSON Schema of the arguments.
func (p params) schema() map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, one := range p {
		properties[one.Name] = schemaTypes[one.Type]
		if one.Required {
			required = append(required, one.Name)
		}
	}
	s := map[string]any{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// check reports the first missing or mistyped argument in words.
func (p params) check(args map[string]any) error {
	for _, one := range p {
		value, given := args[one.Name]
		if !given || value == nil {
			if one.Required {
				return fmt.Errorf("missing required parameter: %s", one.Name)
			}
			continue
		}
		if !one.takes(value) {
			return fmt.Errorf("invalid type of parameter: %s", one.Name)
		}
	}
	return nil
}

// takes is generous with text, which may also come as a document or a number.
func (p param) takes(value any) bool {
	var ok bool
	switch p.Type {
	case "list":
		_, ok = value.([]any)
	case "int":
		_, ok = value.(float64)
	case "bool":
		_, ok = value.(bool)
	case "object":
		_, ok = value.(map[string]any)
	default:
		_, list := value.([]any)
		_, boolean := value.(bool)
		ok = !list && !boolean
	}
	return ok
}

// keep returns only the arguments that are known: the others are silently dropped, as v2 does.
func (p params) keep(args map[string]any) map[string]any {
	kept := map[string]any{}
	for _, one := range p {
		if value, ok := args[one.Name]; ok {
			kept[one.Name] = value
		}
	}
	return kept
}

// unknown returns an argument that isn't known, or "".
func (p params) unknown(args map[string]any) string {
	for name := range args {
		known := false
		for _, one := range p {
			known = known || one.Name == name
		}
		if !known {
			return name
		}
	}
	return ""
}
