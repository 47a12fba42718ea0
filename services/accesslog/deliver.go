package accesslog

import (
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/accesslog/follow"
	"sallyport/services/accesslog/sink"
	"sallyport/services/internal/process"
	"sallyport/services/internal/state"
)

// deliver adds to a process what follows the records that are indexed: the sink for a SIEM.
func deliver(p *process.Process, cfg Config, store *state.Store, elastic esapi.Transport) error {
	metrics := follow.NewMetrics(p.Metrics)
	add := func(f follow.Follower) {
		f.Store, f.Reader, f.Log, f.Metrics = store, follow.Reader{Elastic: elastic}, p.Log, metrics
		p.Go(f.Name, f.Run)
	}
	if cfg.OTLP.Endpoint == "" {
		return nil
	}
	to, err := sink.Open(cfg.OTLP, p.Log)
	if err != nil {
		return err
	}
	add(follow.Follower{Name: "sink", To: cfg.OTLP.Endpoint, Since: cfg.OTLP.Since, Orders: cfg.OTLP.Orders(), Target: to})
	return nil
}
