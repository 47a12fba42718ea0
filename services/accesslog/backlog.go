package accesslog

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/services/internal/state"
)

// backlogTimeout is how long Redis may take to answer a scrape.
const backlogTimeout = time.Second

var (
	waitingDesc = prometheus.NewDesc("sallyport_accesslog_waiting", "Entries of the activity stream that wait to be indexed. At sallyport_accesslog_waiting_limit calls are refused.", nil, nil)
	oldestDesc  = prometheus.NewDesc("sallyport_accesslog_waiting_oldest_seconds", "How long ago the oldest of them was written down; 0 where none waits.", nil, nil)
	limitDesc   = prometheus.NewDesc("sallyport_accesslog_waiting_limit", "Entries that may wait at most: --stream-limit.", nil, nil)
	asideDesc   = prometheus.NewDesc("sallyport_accesslog_aside", "Entries that Elasticsearch refuses for what they are and that Redis keeps: sallyport log rejected.", nil, nil)
	freshDesc   = prometheus.NewDesc("sallyport_accesslog_aside_unacknowledged", "Those of them that nobody has acknowledged: sallyport log acknowledge.", nil, nil)
)

// backlog tells, when metrics are read, how much waits. Where Redis is away it tells only how much may.
type backlog struct {
	store *state.Store
	// limit is how many entries may wait.
	limit int64
}

func (b backlog) Describe(all chan<- *prometheus.Desc) {
	all <- waitingDesc
	all <- oldestDesc
	all <- limitDesc
	all <- asideDesc
	all <- freshDesc
}

func (b backlog) Collect(all chan<- prometheus.Metric) {
	all <- prometheus.MustNewConstMetric(limitDesc, prometheus.GaugeValue, float64(b.limit))
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	now, err := b.store.Backlog(ctx)
	if err != nil {
		return
	}
	all <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(now.Waiting))
	all <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, now.Oldest.Seconds())
	all <- prometheus.MustNewConstMetric(asideDesc, prometheus.GaugeValue, float64(now.Aside))
	all <- prometheus.MustNewConstMetric(freshDesc, prometheus.GaugeValue, float64(now.Aside-now.Acknowledged))
}
