package accesslog

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/services/internal/state"
)

// write is what one operation of a bulk request writes: entries of one record, which Elasticsearch is spared
// to merge where they come together, and their document.
type write struct {
	entries  []state.Waiting
	document []byte
}

// writes are the operations that index entries, in the order of their records' first. An entry that can't be
// merged with the one before is written by itself, after it.
func writes(entries []state.Waiting) []write {
	type record struct{ index, id string }
	list := make([]write, 0, len(entries))
	last := make(map[record]int, len(entries))
	for _, e := range entries {
		document, of := numbered(e), record{e.Index, e.ID}
		if at, ok := last[of]; ok {
			merged, err := merge(list[at].document, document)
			if err == nil {
				list[at].entries, list[at].document = append(list[at].entries, e), merged
				continue
			}
		}
		last[of] = len(list)
		list = append(list, write{[]state.Waiting{e}, document})
	}
	for i := range list {
		list[i].document = searchable(list[i].document)
	}
	return list
}

// merge is an object with another merged into it, as Elasticsearch merges a partial document: members that
// both have as objects are merged, and otherwise the second's value stays. Values that it doesn't have to look
// into are copied as they are.
func merge(first, second []byte) ([]byte, error) {
	members, err := membersOf(first)
	if err != nil {
		return nil, err
	}
	more, err := membersOf(second)
	if err != nil {
		return nil, err
	}
	at := make(map[string]int, len(members))
	for i, m := range members {
		at[string(m.name)] = i
	}
	for _, m := range more {
		i, ok := at[string(m.name)]
		switch {
		case !ok:
			members = append(members, m)
		case members[i].value.Kind() == '{' && m.value.Kind() == '{':
			members[i].value, err = merge(members[i].value, m.value)
			if err != nil {
				return nil, err
			}
		default:
			members[i].value = m.value
		}
	}
	merged := bytes.NewBuffer(make([]byte, 0, len(first)+len(second)))
	for i, m := range members {
		merged.WriteByte("{,"[min(i, 1)])
		merged.Write(m.name)
		merged.WriteByte(':')
		merged.Write(m.value)
	}
	if len(members) == 0 {
		merged.WriteByte('{')
	}
	merged.WriteByte('}')
	return merged.Bytes(), nil
}

// member is one of an object, its name with the quotes.
type member struct{ name, value jsontext.Value }

// membersOf reads an object. It refuses one with names that are there twice or are escaped, or with anything behind it.
func membersOf(object []byte) ([]member, error) {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if token.Kind() != '{' {
		return nil, errors.New("not an object")
	}
	var members []member
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		if bytes.IndexByte(name, '\\') >= 0 {
			return nil, errors.New("a name can be written in several ways")
		}
		name = name.Clone() // it is good until the next is read
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		members = append(members, member{name, value.Clone()})
	}
	_, err = d.ReadToken()
	if err != nil {
		return nil, err
	}
	_, err = d.ReadToken()
	if !errors.Is(err, io.EOF) {
		return nil, errors.New("something is behind the object")
	}
	return members, nil
}
