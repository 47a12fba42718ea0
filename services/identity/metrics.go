package identity

import "github.com/prometheus/client_golang/prometheus"

// metrics count what happened, by result.
type metrics struct {
	registrations *prometheus.CounterVec
	documents     *prometheus.CounterVec
	signIns       *prometheus.CounterVec
	tokens        *prometheus.CounterVec
	refreshes     *prometheus.CounterVec
	revocations   *prometheus.CounterVec
	lookups       *prometheus.CounterVec
	toolLists     *prometheus.CounterVec
	sealed        *prometheus.GaugeVec
}

func newMetrics(registry *prometheus.Registry) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "sallyport", Subsystem: "identity", Name: name, Help: help,
		}, labels)
		registry.MustRegister(c)
		return c
	}
	sealed := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "sallyport", Subsystem: "identity", Name: "sealed_tokens",
		Help: "People whose Atlassian tokens were found sealed, at the last look, under the first seal key, a former one (and were resealed), or an unreadable one.",
	}, []string{"key"})
	registry.MustRegister(sealed)
	return &metrics{
		sealed:        sealed,
		registrations: counter("registrations_total", "Registrations of assistants: registered, refused, limited, failed.", "result"),
		documents:     counter("documents_total", "Client ID metadata documents that were asked for: fetched, refused.", "result"),
		signIns:       counter("sign_ins_total", "Sign-ins that ended: signed_in, cancelled, refused, failed.", "result"),
		tokens:        counter("tokens_total", "Token requests of assistants, by grant type: issued, refused, replayed, failed.", "grant_type", "result"),
		refreshes:     counter("upstream_refreshes_total", "Refreshes of people's Atlassian tokens: refreshed, fresh, ended, failed.", "result"),
		revocations:   counter("upstream_revocations_total", "Revocations of people's Atlassian tokens: confirmed, failed.", "result"),
		lookups:       counter("group_lookups_total", "Lookups of people's groups in Jira: learned, unchanged, failed, throttled.", "result"),
		toolLists:     counter("tool_lists_total", "Lists of the site's tools that were asked for: learned, failed.", "result"),
	}
}
