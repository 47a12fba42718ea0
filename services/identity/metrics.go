package identity

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

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
	vector := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "sallyport", Subsystem: "identity", Name: name, Help: help,
		}, labels)
		registry.MustRegister(c)
		return c
	}
	// Each result is there from the start, so that its first one counts as an increase.
	counter := func(name, help string, results ...string) *prometheus.CounterVec {
		c := vector(name, help+": "+strings.Join(results, ", ")+".", "result")
		for _, result := range results {
			c.WithLabelValues(result)
		}
		return c
	}
	sealed := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "sallyport", Subsystem: "identity", Name: "sealed_tokens",
		Help: "People whose Atlassian tokens were found sealed, at the last look, under the first seal key, a former one (and were resealed), or an unreadable one.",
	}, []string{"key"})
	registry.MustRegister(sealed)
	tokens := vector("tokens_total", "Token requests of assistants, by grant type: issued, refused, replayed, failed.", "grant_type", "result")
	for _, grantType := range []string{"authorization_code", "refresh_token"} {
		for _, result := range []string{"issued", "refused", "replayed", "failed"} {
			tokens.WithLabelValues(grantType, result)
		}
	}
	return &metrics{
		sealed:        sealed,
		registrations: counter("registrations_total", "Registrations of assistants", "registered", "refused", "limited", "failed"),
		documents:     counter("documents_total", "Client ID metadata documents that were asked for", "fetched", "refused"),
		signIns:       counter("sign_ins_total", "Sign-ins that ended", "signed_in", "cancelled", "refused", "failed"),
		tokens:        tokens,
		refreshes:     counter("upstream_refreshes_total", "Refreshes of people's Atlassian tokens", "refreshed", "fresh", "ended", "failed"),
		revocations:   counter("upstream_revocations_total", "Revocations of people's Atlassian tokens", "confirmed", "failed"),
		lookups:       counter("group_lookups_total", "Lookups of people's groups in Jira", "learned", "unchanged", "failed", "throttled"),
		toolLists:     counter("tool_lists_total", "Lists of the site's tools that were asked for", "learned", "failed"),
	}
}
