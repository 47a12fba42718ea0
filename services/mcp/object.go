package mcp

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// object is what a scan keeps of a JSON object: the values of the members that matter.
type object struct {
	names []string
	// nested are the objects to go on into where a member of that name is one.
	nested map[string]*object
	// raw is the whole object; empty until it was found.
	raw    jsontext.Value
	values [maxNames]jsontext.Value
	// twins are other members whose names could be taken for those that matter.
	twins [maxNames]string
}

// maxNames is how many members of one object matter at most.
const maxNames = 8

func newObject(names ...string) *object { return &object{names: names} }

// forget makes an object ready for another scan.
func (o *object) forget() {
	o.raw, o.values, o.twins = nil, [maxNames]jsontext.Value{}, [maxNames]string{}
	for _, inner := range o.nested {
		inner.forget()
	}
}

func (o *object) place(name string) int {
	for i, known := range o.names {
		if known == name {
			return i
		}
	}
	return -1
}

// value returns the raw value of a member, or an empty one where there is none.
func (o *object) value(name string) jsontext.Value { return o.values[o.place(name)] }

// text returns the value of a member that is a string, and nothing for anything else.
func (o *object) text(name string) string {
	value := o.value(name)
	if len(value) == 0 || value.Kind() != '"' {
		return ""
	}
	inside := value[1 : len(value)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return string(inside)
	}
	plain, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return ""
	}
	return string(plain)
}

// unambiguous returns an error if a lenient reader could take another member for one of those named.
func (o *object) unambiguous(names ...string) error {
	for _, name := range names {
		if twin := o.twins[o.place(name)]; twin != "" {
			return &Error{Code: codeAmbiguousMember, Sentence: fmt.Sprintf("The member %.100q could be taken for %q. Leave it out.", twin, name)}
		}
	}
	return nil
}

// scanner goes through a body once. The decoder checks all of it: syntax, UTF-8, duplicate names.
type scanner struct {
	body    []byte
	decoder *jsontext.Decoder
	// unquoted is room for a name with escapes.
	unquoted []byte
}

// next reads a value, and returns the part of the body that it is.
func (s *scanner) next() (jsontext.Value, error) {
	value, err := s.decoder.ReadValue()
	if err != nil {
		return nil, readError(err)
	}
	end := int(s.decoder.InputOffset())
	return s.body[end-len(value) : end : end], nil
}

// name reads a member's name. It is valid until the next one is read.
func (s *scanner) name() ([]byte, error) {
	quoted, err := s.next()
	if err != nil {
		return nil, err
	}
	inside := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside, nil
	}
	s.unquoted, err = jsontext.AppendUnquote(s.unquoted[:0], quoted)
	if err != nil {
		return nil, readError(err)
	}
	return s.unquoted, nil
}

// scan reads an object into o.
func (s *scanner) scan(o *object) error {
	_, err := s.decoder.ReadToken()
	if err != nil {
		return readError(err)
	}
	start := int(s.decoder.InputOffset()) - 1
	for s.decoder.PeekKind() != '}' {
		name, err := s.name()
		if err != nil {
			return err
		}
		err = s.member(o, o.find(name))
		if err != nil {
			return err
		}
	}
	_, err = s.decoder.ReadToken()
	if err != nil {
		return readError(err)
	}
	end := int(s.decoder.InputOffset())
	o.raw = s.body[start:end:end]
	return nil
}

// member reads a member's value, which is kept at a place of o, or not at all for -1.
func (s *scanner) member(o *object, place int) error {
	if place >= 0 && s.decoder.PeekKind() == '{' {
		if inner := o.nested[o.names[place]]; inner != nil {
			err := s.scan(inner)
			o.values[place] = inner.raw
			return err
		}
	}
	value, err := s.next()
	if place >= 0 {
		o.values[place] = value
	}
	return err
}

// find returns the place of a name, or -1. A name that differs from a known one only in case, as
// lenient readers fold it (Unicode's simple folding), is noted as its twin.
func (o *object) find(name []byte) int {
	for i, known := range o.names {
		if string(name) == known {
			return i
		}
		// What folds to so short an ASCII name has at most three bytes for each of its letters.
		if len(name) <= 3*len(known) && o.twins[i] == "" && strings.EqualFold(string(name), known) {
			o.twins[i] = string(name)
		}
	}
	return -1
}
