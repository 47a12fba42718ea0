package accesslog

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"sallyport/services/internal/state"
)

// kindArguments is the kind of an entry that is kept aside for its arguments, while the rest of it is indexed.
const kindArguments = "arguments"

// setAside keeps an entry aside that Elasticsearch refuses. What assistants send as arguments can be such that
// it always is: the rest of the record is indexed then, so that no call is hidden from searches by them.
func (x *Indexer) setAside(ctx context.Context, e state.Waiting, why bulkResult) error {
	indexed, err := x.indexRest(ctx, e)
	if err != nil {
		return err
	}
	if indexed {
		e.Kind = kindArguments
	}
	// Elasticsearch's words can quote the document, which only auditors may see.
	x.log.Error("an entry is kept aside: Elasticsearch refuses it, and `sallyport log rejected` says why",
		"event.id", e.ID, "type", why.Error.Type, "without_arguments", indexed)
	err = x.stream.SetAside(ctx, e, why.Error.Type+": "+why.Error.Reason)
	if err != nil {
		return err
	}
	x.metrics.aside.Inc()
	return nil
}

// indexRest indexes a call's decision without its arguments, and says whether Elasticsearch has taken that.
func (x *Indexer) indexRest(ctx context.Context, e state.Waiting) (bool, error) {
	if e.Kind != "decision" {
		return false, nil
	}
	rest, ok := withoutArguments(searchable(e.Document))
	if !ok {
		return false, nil
	}
	e.Document = rest
	results, err := x.bulk(ctx, writes([]state.Waiting{e}))
	if _, ok := errors.AsType[*refusedError](err); ok {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r := results[0]
	if r.Status >= http.StatusMultipleChoices && !r.final() {
		return false, r.err()
	}
	return r.Status < http.StatusMultipleChoices, nil
}

// withoutArguments is a record without sallyport.arguments; ok is false where it has none. Their text is found
// by sallyport.arguments_text all the same, which takes every text.
func withoutArguments(document []byte) (rest []byte, ok bool) {
	var members, own map[string]json.RawMessage
	if json.Unmarshal(document, &members) != nil || json.Unmarshal(members["sallyport"], &own) != nil || own["arguments"] == nil {
		return nil, false
	}
	delete(own, "arguments")
	text, err := json.Marshal(own)
	if err != nil {
		return nil, false
	}
	members["sallyport"] = text
	rest, err = json.Marshal(members)
	return rest, err == nil
}
