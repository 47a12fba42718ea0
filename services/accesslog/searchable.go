package accesslog

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/services/internal/activity"
)

// searchable is a record with what the arguments in it are found by: their text, and the keys of Jira in that. authz
// leaves it out where arguments are an object, so that they go through Redis once. A record that can't be read, or
// doesn't lack it, stays as it is.
func searchable(document []byte) []byte {
	from, to := argumentsIn(document)
	if from == to {
		return document
	}
	found := activity.Sallyport{ArgumentsText: activity.Cut(document[from:to])}
	found.IssueKeys, found.ProjectKeys = activity.KeysIn(found.ArgumentsText)
	members, err := json.Marshal(found)
	if err != nil {
		return document
	}
	members[0] = ','
	return slices.Concat(document[:to], members[:len(members)-1], document[to:])
}

// argumentsIn is where the value of sallyport.arguments stands in a record; nowhere, from and to the same, where
// there is none, or sallyport.arguments_text beside it.
func argumentsIn(document []byte) (from, to int) {
	d := jsontext.NewDecoder(bytes.NewBuffer(document))
	for {
		token, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return from, to
		case err != nil:
			return 0, 0
		case token.Kind() != '"':
			continue
		}
		// It is a name: values aren't read by tokens, but for the object that has the arguments.
		name, depth := token.String(), d.StackDepth()
		switch {
		case depth == 1 && name == "sallyport" && d.PeekKind() == '{':
			continue
		case depth == 2 && name == "arguments_text":
			return 0, 0
		case depth == 2 && name == "arguments":
			value, err := d.ReadValue()
			if err != nil {
				return 0, 0
			}
			to = int(d.InputOffset())
			from = to - len(value)
			continue
		}
		err = d.SkipValue()
		if err != nil {
			return 0, 0
		}
	}
}
