package authz

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"sallyport/services/internal/state"
)

// metrics count what was answered; docs/metrics.md says what each means.
type metrics struct {
	requests      *prometheus.CounterVec
	unavailable   *prometheus.CounterVec
	stale         prometheus.Counter
	groupsUnknown prometheus.Counter
	inFlight      prometheus.Gauge
}

// newMetrics registers the metrics. Each value of a label is there from the start, so that its first one counts as
// an increase.
func newMetrics(registry prometheus.Registerer, rules *rules, store *state.Store) *metrics {
	with := promauto.With(registry)
	name := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "sallyport", Subsystem: "authz", Name: name, Help: help}
	}
	m := &metrics{
		requests:      with.NewCounterVec(prometheus.CounterOpts(name("requests_total", "Requests by what was answered: allowed, blocked, unauthenticated or unavailable.")), []string{"answer"}),
		unavailable:   with.NewCounterVec(prometheus.CounterOpts(name("unavailable_total", "Requests that were answered unavailable, by why: stream_full, undecided or token.")), []string{"reason"}),
		stale:         with.NewCounter(prometheus.CounterOpts(name("stale_total", "Decisions that were made again because the session, policy or groups had changed."))),
		groupsUnknown: with.NewCounter(prometheus.CounterOpts(name("groups_unknown_total", "Decisions that were made without knowing the person's groups."))),
		inFlight:      with.NewGauge(prometheus.GaugeOpts(name("in_flight", "Requests that are being decided at this moment."))),
	}
	for _, answer := range []string{"allowed", "blocked", "unauthenticated", "unavailable"} {
		m.requests.WithLabelValues(answer)
	}
	for _, reason := range []string{"stream_full", "undecided", "token"} {
		m.unavailable.WithLabelValues(reason)
	}
	with.NewGaugeFunc(prometheus.GaugeOpts(name("policy_version", "Version of the policy that this replica decides by; 0 before its first decision.")),
		func() float64 { return float64(rules.current.Load().version) })
	with.NewCounterFunc(prometheus.CounterOpts(name("restored_total", "Decisions that Redis had answered and lost when it was killed, and that were written again.")),
		func() float64 { return float64(store.Restored()) })
	return m
}

// refused counts a request that was answered unavailable.
func (m *metrics) refused(reason string) {
	m.requests.WithLabelValues("unavailable").Inc()
	m.unavailable.WithLabelValues(reason).Inc()
}
