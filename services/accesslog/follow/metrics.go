package follow

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics count what is delivered, by the follower's name.
type Metrics struct {
	delivered, refused, failures *prometheus.CounterVec
	late                         *prometheus.GaugeVec
}

// NewMetrics registers the metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		return promauto.With(registry).NewCounterVec(prometheus.CounterOpts{Namespace: "sallyport", Subsystem: "accesslog", Name: name, Help: help}, []string{"to"})
	}
	return &Metrics{
		delivered: counter("delivered_total", "Records that were delivered, by to whom: the sink, the alerts' rules or their webhook."),
		refused:   counter("delivery_refused_total", "Records that were not delivered since the other side refuses them for what they are."),
		failures:  counter("delivery_failures_total", "Attempts at delivering that failed and are made again."),
		late: promauto.With(registry).NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "sallyport", Subsystem: "accesslog", Name: "delivery_behind_seconds",
			Help: "How long ago the oldest record was written down that waits to be delivered; 0 where none does, and on replicas that don't deliver.",
		}, []string{"to"}),
	}
}

func (m *Metrics) deliveredTo(name string, taken, refused int) {
	m.delivered.WithLabelValues(name).Add(float64(taken))
	m.refused.WithLabelValues(name).Add(float64(refused))
}

func (m *Metrics) failedAt(name string) { m.failures.WithLabelValues(name).Inc() }

// behind sets how far behind it is by the oldest record that waits; the zero time for none.
func (m *Metrics) behind(name string, oldest time.Time) {
	seconds := 0.0
	if !oldest.IsZero() {
		seconds = max(0, time.Since(oldest).Seconds())
	}
	m.late.WithLabelValues(name).Set(seconds)
}
