package accesslog_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/services/accesslog"
	sinkconfig "sallyport/services/accesslog/sink"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// forwarding is an accesslog that sends to a collector, beside one that doesn't, through which tests write
// records.
type forwarding struct {
	*sink
	address, elasticsearch string
	collector              *collector
	// metrics are those of the replica that was started last.
	metrics *prometheus.Registry
}

func openForwarding(t *testing.T) *forwarding {
	t.Helper()
	address, elasticsearch := redistest.Start(t), elastictest.Empty(t)
	f := &forwarding{sink: openAt(t, address, elasticsearch), address: address, elasticsearch: elasticsearch, collector: startCollector(t)}
	return f
}

// replica starts an accesslog that sends, and returns its log and what ends it.
func (f *forwarding) replica(name string, change func(*accesslog.Config)) (*processtest.Log, func()) {
	f.t.Helper()
	headers := filepath.Join(f.t.TempDir(), "headers")
	must(f.t, os.WriteFile(headers, []byte("# of a test\nreplica: "+name+"\n"), 0o600))
	cfg := accesslog.Config{
		Listen: nativetest.FreeAddress(f.t), Redis: f.address, Elasticsearch: f.elasticsearch,
		OTLP: sinkconfig.Config{Endpoint: f.collector.url, HeadersFile: headers, Timeout: 5 * time.Second},
	}
	if change != nil {
		change(&cfg)
	}
	log := &processtest.Log{}
	metrics := make(chan *prometheus.Registry, 1)
	end := processtest.Run(f.t, log, func(ctx context.Context, p *process.Process) error {
		metrics <- p.Metrics
		return accesslog.Start(ctx, p, cfg)
	})
	f.metrics = <-metrics
	return log, end
}

// began waits until the sink's position is known: what is written from now on is sent.
func (f *forwarding) began() {
	f.t.Helper()
	f.delivery(func(d *state.Delivery) bool { return d.Begun })
}

// delivery waits until how the sink is is as wanted.
func (f *forwarding) delivery(wanted func(*state.Delivery) bool) *state.Delivery {
	f.t.Helper()
	return f.deliveryOf("sink", wanted)
}

func (f *forwarding) deliveryOf(name string, wanted func(*state.Delivery) bool) *state.Delivery {
	f.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		d, err := f.store.Delivery(f.t.Context(), name)
		if err == nil && wanted(d) {
			return d
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%s is as %+v (%v)", name, d, err)
		}
	}
}

// metric is the value of a metric of the sink's.
func (f *forwarding) metric(name string) float64 {
	f.t.Helper()
	families, err := f.metrics.Gather()
	must(f.t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "sallyport_accesslog_"+name && m.GetLabel()[0].GetValue() == "sink" {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	f.t.Fatalf("there is no metric %s", name)
	return 0
}

// call writes down a call with both halves.
func (f *forwarding) call(id string) {
	f.t.Helper()
	f.decided(id, decision(id))
	f.ended(id, 200)
}
