package follow

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics count what is delivered, by the follower's name.
type Metrics struct {
	delivered, refused, failures *prometheus.CounterVec

	// mu guards oldest, when the oldest record was written down that waits, by the follower's name.
	mu     sync.Mutex
	oldest map[string]time.Time
}

var behindDesc = prometheus.NewDesc("sallyport_accesslog_delivery_behind_seconds",
	"How long ago the oldest record was written down that waits to be delivered; 0 where none does, and on replicas that don't deliver.", []string{"to"}, nil)

// NewMetrics registers the metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		return promauto.With(registry).NewCounterVec(prometheus.CounterOpts{Namespace: "sallyport", Subsystem: "accesslog", Name: name, Help: help}, []string{"to"})
	}
	m := &Metrics{
		delivered: counter("delivered_total", "Records that were delivered, by to whom: the sink, the alerts' rules or their webhook."),
		refused:   counter("delivery_refused_total", "Records that were not delivered since the other side refuses them for what they are."),
		failures:  counter("delivery_failures_total", "Attempts at delivering that failed and are made again."),
		oldest:    map[string]time.Time{},
	}
	registry.MustRegister(m)
	return m
}

// Describe says which metric is made when metrics are read.
func (m *Metrics) Describe(all chan<- *prometheus.Desc) { all <- behindDesc }

// Collect tells how far behind each is.
func (m *Metrics) Collect(all chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, oldest := range m.oldest {
		seconds := 0.0
		if !oldest.IsZero() {
			seconds = max(0, time.Since(oldest).Seconds())
		}
		all <- prometheus.MustNewConstMetric(behindDesc, prometheus.GaugeValue, seconds, name)
	}
}

// begin has all metrics of a follower there from the start, so that the first of anything counts as an increase.
func (m *Metrics) begin(name string) {
	m.deliveredTo(name, 0, 0)
	m.failures.WithLabelValues(name)
	m.behind(name, time.Time{})
}

func (m *Metrics) deliveredTo(name string, taken, refused int) {
	m.delivered.WithLabelValues(name).Add(float64(taken))
	m.refused.WithLabelValues(name).Add(float64(refused))
}

func (m *Metrics) failedAt(name string) { m.failures.WithLabelValues(name).Inc() }

// behind sets when the oldest record was written down that waits; the zero time for none.
func (m *Metrics) behind(name string, oldest time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.oldest[name] = oldest
}
