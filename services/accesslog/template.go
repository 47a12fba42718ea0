package accesslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/state"
)

// templateMost is how long putting the template may take. A replica that dies meanwhile holds up indexing for
// as long.
const templateMost = 10 * time.Second

// unknownField is the type of Elasticsearch's error about a field that the mapping doesn't have.
const unknownField = "strict_dynamic_mapping_exception"

// template is what the indices of the record are made by.
type template struct {
	elastic esapi.Transport
	store   *state.Store
	// limit is how many entries may wait to be indexed.
	limit int64
	log   *slog.Logger
}

// put puts the template that new indices are made by, and its fields into those there are: a record of this
// version could be refused by the index of the day of an upgrade otherwise. A newer version's template stays.
// Entries that were refused because such a field was missing are sent again.
func (t template) put(ctx context.Context) error {
	mappings, own, err := activity.Fields()
	if err != nil {
		return err
	}
	there, err := t.version(ctx)
	if err == nil && there < own {
		there, err = t.replace(ctx, own)
	}
	if err != nil {
		return err
	}
	if there > own {
		t.log.Warn("the index template is a newer version's, and stays", "version", there, "own", own)
		return t.retry(ctx)
	}
	// Also where the template was there: who put it may have died before this.
	err = t.addFields(ctx, mappings)
	if err != nil {
		return err
	}
	return t.retry(ctx)
}

// replace puts the template unless there is one now that isn't older, and returns the version that there is. Of
// two versions that start at once, the older one must not look before and put after the newer one.
func (t template) replace(ctx context.Context, own int) (int, error) {
	unlock, err := t.store.Lock(ctx, "template", templateMost)
	if err != nil {
		return 0, err
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(ctx, templateMost)
	defer cancel()
	there, err := t.version(ctx)
	if err != nil || there >= own {
		return there, err
	}
	return own, elastic.Ask(ctx, t.elastic, esapi.IndicesPutIndexTemplateRequest{Name: activity.TemplateName, Body: bytes.NewReader(activity.Template)}, nil)
}

// version is the version of the template that Elasticsearch has; 0 where it has none, or one from before there
// were versions.
func (t template) version(ctx context.Context) (int, error) {
	var answer struct {
		Templates []struct {
			Template struct{ Version int } `json:"index_template"`
		} `json:"index_templates"`
	}
	err := elastic.Ask(ctx, t.elastic, esapi.IndicesGetIndexTemplateRequest{Name: activity.TemplateName}, &answer)
	if refused, ok := errors.AsType[*elastic.Error](err); ok && refused.Status == http.StatusNotFound {
		return 0, nil
	}
	if err != nil || len(answer.Templates) == 0 {
		return 0, err
	}
	return answer.Templates[0].Template.Version, nil
}

// addFields gives the fields to all indices at once. Where one refuses them, such as an old day that is
// read-only, the others are given them one by one.
func (t template) addFields(ctx context.Context, mappings []byte) error {
	err := t.addTo(ctx, mappings, activity.Actions, activity.Protocol)
	if !final(err) {
		return err
	}
	var indices []struct{ Index string }
	err = elastic.Ask(ctx, t.elastic, esapi.CatIndicesRequest{Index: []string{activity.Actions, activity.Protocol}, Format: "json", H: []string{"index"}}, &indices)
	if err != nil {
		return err
	}
	for _, i := range indices {
		err := t.addTo(ctx, mappings, i.Index)
		if err != nil && !final(err) {
			return err
		}
		if err != nil {
			t.log.Warn("an index doesn't take the fields of this version: records of that day that have them are kept aside", "index", i.Index, "error", err)
		}
	}
	return nil
}

func (t template) addTo(ctx context.Context, mappings []byte, indices ...string) error {
	return elastic.Ask(ctx, t.elastic, esapi.IndicesPutMappingRequest{
		Index: indices, Body: bytes.NewReader(mappings), AllowNoIndices: &yes, IgnoreUnavailable: &yes,
	}, nil)
}

// final says that Elasticsearch refuses a request for what it is, or for the state of an index.
func final(err error) bool {
	refused, ok := errors.AsType[*elastic.Error](err)
	return ok && refused.Status < http.StatusInternalServerError && refused.Status != http.StatusTooManyRequests
}

// retry sends entries again that were refused for a field that the mapping didn't have: during an upgrade authz
// can be newer than the indices.
func (t template) retry(ctx context.Context) error {
	moved, err := t.store.RetryAside(ctx, t.limit, state.Retry{Reason: unknownField})
	if moved > 0 {
		t.log.Info("entries that were kept aside for a missing field are sent again", "entries", moved)
	}
	if errors.Is(err, state.ErrStreamFull) {
		t.log.Warn("entries stay aside: too many wait to be indexed; `sallyport log retry` sends them again")
		return nil
	}
	if err != nil {
		return fmt.Errorf("sending entries again that were kept aside: %w", err)
	}
	return nil
}
