package accesslog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastic"
)

// The policies of ILM, and the setting by which an index has one.
const (
	activityPolicy = "sallyport-activity"
	protocolPolicy = "sallyport-protocol"
	policySetting  = "index.lifecycle.name"
)

// putLifecycles has Elasticsearch delete what is past by itself: it puts the two policies, and gives them to
// indices that have none, whose age is that of their day. An index with another policy keeps that.
func (k *Keeper) putLifecycles(ctx context.Context) error {
	for name, days := range map[string]int{activityPolicy: k.keep.activity, protocolPolicy: k.keep.protocol} {
		err := elastic.Ask(ctx, k.elastic, esapi.ILMPutLifecycleRequest{Policy: name, Body: bytes.NewReader(lifecycle(days))}, nil)
		if err != nil {
			return fmt.Errorf("putting the lifecycle policy %s: %w", name, err)
		}
	}
	var indices map[string]struct{ Settings map[string]any }
	err := elastic.Ask(ctx, k.elastic, esapi.IndicesGetSettingsRequest{
		Index: []string{activity.Actions, activity.Protocol}, FlatSettings: &yes, AllowNoIndices: &yes, IgnoreUnavailable: &yes, ExpandWildcards: openAndClosed,
	}, &indices)
	if err != nil {
		return err
	}
	for index, has := range indices {
		day, governed, ok := activity.DayOf(index)
		if !ok || has.Settings[policySetting] != nil {
			continue
		}
		policy := protocolPolicy
		if governed {
			policy = activityPolicy
		}
		// Elasticsearch takes the day's beginning for the index's age, rather than when it was made.
		settings, err := json.Marshal(map[string]any{policySetting: policy, "index.lifecycle.origination_date": day.UnixMilli()})
		if err != nil {
			return err
		}
		err = elastic.Ask(ctx, k.elastic, esapi.IndicesPutSettingsRequest{Index: []string{index}, Body: bytes.NewReader(settings)}, nil)
		if err != nil {
			return fmt.Errorf("giving %s its lifecycle policy: %w", index, err)
		}
		k.log.Info("an index has its lifecycle policy", "index", index, "policy", policy)
	}
	return nil
}

// lifecycle is a policy that deletes an index when its last record is so many days old, or never for 0. There is
// no rollover: each day has its index. Indices are in the hot phase until they are deleted, whatever the
// setting was before, so that a changed one holds for all of them.
func lifecycle(days int) []byte {
	if days == 0 {
		return []byte(`{"policy":{"phases":{"hot":{"actions":{}}}}}`)
	}
	return fmt.Appendf(nil, `{"policy":{"phases":{"hot":{"actions":{}},"delete":{"min_age":"%dd","actions":{"delete":{}}}}}}`, days+1)
}
