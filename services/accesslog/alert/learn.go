package alert

import (
	"context"

	"sallyport/services/accesslog/follow"
	"sallyport/services/internal/activity"
)

// learnPage is how many different values Elasticsearch is asked for at a time.
const learnPage = 1000

// learn knows the assistants that have called, and who was blocked by what, by all that is recorded up to a
// sequence. What comes after is looked at.
func (r *Rules) learn(ctx context.Context, to string) error {
	old := follow.Object{"bool": follow.Object{
		"filter": governed(), "must_not": follow.Object{"range": follow.Object{"sallyport.sequence": follow.Object{"gt": to}}},
	}}
	err := r.known(ctx, activity.AlertNewClient, old, []string{"sallyport.client.key", "sallyport.client.class"}, func(v []string) string {
		return clientAbout(v[0], v[1])
	})
	if err != nil {
		return err
	}
	blocked := follow.Object{"bool": follow.Object{"filter": []follow.Object{old, {"term": follow.Object{"sallyport.decision": activity.Blocked}}}}}
	return r.known(ctx, activity.AlertFirstBlock, blocked, []string{"user.id", "sallyport.rule.id", "sallyport.refusal"}, func(v []string) string {
		return blockAbout(v[0], v[1], v[2])
	})
}

// known knows an alert for all combinations of values that fields have in some records.
func (r *Rules) known(ctx context.Context, alert string, of follow.Object, fields []string, about func([]string) string) error {
	sources := make([]follow.Object, len(fields))
	for i, field := range fields {
		sources[i] = follow.Object{field: follow.Object{"terms": follow.Object{"field": field, "missing_bucket": i > 0}}}
	}
	composite := follow.Object{"size": learnPage, "sources": sources}
	for {
		var answer struct {
			Aggregations struct {
				All struct {
					After   map[string]*string `json:"after_key"`
					Buckets []struct {
						Key map[string]*string
					}
				}
			}
		}
		err := r.reader.Search(ctx, follow.Object{"size": 0, "track_total_hits": false, "query": of, "aggs": follow.Object{"all": follow.Object{"composite": composite}}}, &answer)
		if err != nil {
			return err
		}
		all := answer.Aggregations.All
		list := make([]string, len(all.Buckets))
		for i, b := range all.Buckets {
			values := make([]string, len(fields))
			for n, field := range fields {
				if v := b.Key[field]; v != nil {
					values[n] = *v
				}
			}
			list[i] = about(values)
		}
		if len(list) > 0 {
			err = r.store.Know(ctx, alert, list)
			if err != nil {
				return err
			}
		}
		if len(list) < learnPage {
			return nil
		}
		composite["after"] = all.After
	}
}
