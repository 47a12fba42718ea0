package accesslog

import (
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/accesslog/alert"
	"sallyport/services/accesslog/follow"
	"sallyport/services/accesslog/sink"
	"sallyport/services/internal/process"
	"sallyport/services/internal/state"
)

// deliver adds to a process what follows the records that are indexed: the sink for a SIEM, the alerts, and their
// webhook.
func deliver(p *process.Process, cfg Config, store *state.Store, elastic esapi.Transport) error {
	metrics, reader := follow.NewMetrics(p.Metrics), follow.Reader{Elastic: elastic}
	add := func(f follow.Follower) {
		f.Store, f.Reader, f.Log, f.Metrics = store, reader, p.Log, metrics
		p.Go(f.Name, f.Run)
	}
	if cfg.Alerts.Any() {
		rules := alert.New(cfg.Alerts, store, reader, p.Metrics)
		add(follow.Follower{Name: "alerts", Orders: []follow.Order{alert.Order()}, Target: rules, Resume: rules.Resume})
	}
	if cfg.Alerts.WebhookFile != "" {
		hook, err := alert.OpenWebhook(cfg.Alerts)
		if err != nil {
			return err
		}
		add(follow.Follower{Name: "webhook", To: hook.Host, Orders: []follow.Order{alert.WebhookOrder()}, Most: 1, Target: hook})
	}
	if cfg.OTLP.Endpoint != "" {
		to, err := sink.Open(cfg.OTLP, p.Log)
		if err != nil {
			return err
		}
		add(follow.Follower{Name: "sink", To: cfg.OTLP.Endpoint, Since: cfg.OTLP.Since, Orders: cfg.OTLP.Orders(), Target: to, Resume: to.Check})
	}
	return nil
}
