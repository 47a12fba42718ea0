package accesslog

import (
	"bytes"
	"context"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/activity"
)

// putTemplate puts the template that new indices are made by, and its fields into those there are:
// a record of this version could be refused by the index of the day of an upgrade otherwise.
func (x *Indexer) putTemplate(ctx context.Context) error {
	mappings, err := activity.Mappings()
	if err != nil {
		return err
	}
	err = ask(ctx, x.elastic, esapi.IndicesPutIndexTemplateRequest{Name: activity.TemplateName, Body: bytes.NewReader(activity.Template)}, nil)
	if err != nil {
		return err
	}
	return ask(ctx, x.elastic, esapi.IndicesPutMappingRequest{
		Index: []string{activity.Actions, activity.Protocol}, Body: bytes.NewReader(mappings),
		AllowNoIndices: &yes, IgnoreUnavailable: &yes,
	}, nil)
}
