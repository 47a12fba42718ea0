package envoyconf

import (
	"fmt"
	"net"
)

// Traces are where Envoy tells of requests, and of how many.
type Traces struct {
	Collector string  `name:"traces" help:"Address (host:port) of an OpenTelemetry collector that takes traces as OTLP over gRPC, without TLS. Without it nothing is traced." env:"SALLYPORT_TRACES" placeholder:"otel-collector:4317"`
	Percent   float64 `name:"traces-percent" help:"Of how many requests in a hundred traces are begun. Those that an assistant traces itself are traced in any case." default:"100" env:"SALLYPORT_TRACES_PERCENT"`
}

// Value is the one of TRACING, in JSON, as YAML takes it. Of a path the first bytes alone are told: the rest may
// have codes of sign-ins.
func (t Traces) Value() string {
	if t.Collector == "" {
		return "null"
	}
	const path = len("/mcp")
	return inJSON(object{
		"provider": object{"name": "envoy.tracers.opentelemetry", "typed_config": object{
			"@type":        "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
			"grpc_service": object{"google_grpc": object{"target_uri": t.Collector, "stat_prefix": "traces"}, "timeout": "5s"},
			"service_name": "envoy",
			"resource_detectors": []object{{"name": "envoy.tracers.opentelemetry.resource_detectors.static_config", "typed_config": object{
				"@type":      "type.googleapis.com/envoy.extensions.tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig",
				"attributes": object{"service.namespace": "sallyport"},
			}}},
		}},
		"random_sampling": object{"value": t.Percent}, "max_path_tag_length": path,
		// Each upstream request has a span of its own, beside that of the request.
		"spawn_upstream_span": true,
	})
}

// Validate refuses settings that can't work.
func (t Traces) Validate() error {
	if t.Collector == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(t.Collector)
	if err != nil || port == "" {
		return fmt.Errorf("--traces is %q: it must be a host and a port, such as otel-collector:4317", t.Collector)
	}
	if t.Percent < 0 || t.Percent > 100 {
		return fmt.Errorf("--traces-percent is %g: it is from 0 to 100", t.Percent)
	}
	return nil
}
