package envoyconf_test

import (
	"strings"
	"testing"

	"sallyport/tools/envoyconf"
)

func TestTraces(t *testing.T) {
	for collector, c := range map[string]struct {
		percent float64
		wrong   string
	}{
		"": {}, "otel-collector:4317": {percent: 2.5}, "otel-collector": {wrong: "a host and a port"}, "http://otel-collector:4317": {wrong: "a host and a port"},
		"here:4317": {percent: 101, wrong: "from 0 to 100"},
	} {
		traces := envoyconf.Traces{Collector: collector, Percent: c.percent}
		err := traces.Validate()
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: %v, want %q", collector, err, c.wrong)
		}
		if value := traces.Value(); (value == "null") != (collector == "") || !strings.Contains(value, collector) {
			t.Errorf("%q: Envoy is told %s", collector, value)
		}
	}
}
