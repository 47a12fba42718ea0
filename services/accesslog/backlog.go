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
	waitingDesc = prometheus.NewDesc("sallyport_accesslog_waiting", "Entries of the activity stream that wait to be indexed. At --stream-limit calls are refused.", nil, nil)
	asideDesc   = prometheus.NewDesc("sallyport_accesslog_aside", "Entries that Elasticsearch refused for good and that Redis keeps.", nil, nil)
)

// backlog tells, when metrics are read, how much waits. Where Redis is away it tells nothing.
type backlog struct{ store *state.Store }

func (b backlog) Describe(all chan<- *prometheus.Desc) { all <- waitingDesc; all <- asideDesc }

func (b backlog) Collect(all chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	waiting, aside, err := b.store.Backlog(ctx)
	if err != nil {
		return
	}
	all <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(waiting))
	all <- prometheus.MustNewConstMetric(asideDesc, prometheus.GaugeValue, float64(aside))
}
