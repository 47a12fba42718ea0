package accesslog

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// searchable is a decision with what its arguments are found by, their text and the keys of Jira in it. authz
// leaves that out, so that arguments go through Redis once; arguments that aren't an object it writes as text alone.
func searchable(e state.Waiting) state.Waiting {
	if e.Kind != "decision" && e.Kind != kindArguments {
		return e
	}
	var half struct {
		Sallyport struct {
			Arguments jsontext.Value `json:"arguments"`
			Text      string         `json:"arguments_text"`
		} `json:"sallyport"`
	}
	err := json.Unmarshal(e.Document, &half)
	if err != nil {
		// Elasticsearch says what is wrong with it.
		return e
	}
	var found activity.Sallyport
	found.ArgumentsText = half.Sallyport.Text
	if found.ArgumentsText == "" {
		found.ArgumentsText = activity.Cut(half.Sallyport.Arguments)
	}
	if found.ArgumentsText == "" {
		return e
	}
	found.IssueKeys, found.ProjectKeys = activity.KeysIn(found.ArgumentsText)
	more, err := activity.Record{Sallyport: found}.JSON()
	if err != nil {
		return e
	}
	document, err := merge(e.Document, more)
	if err == nil {
		e.Document = document
	}
	return e
}
