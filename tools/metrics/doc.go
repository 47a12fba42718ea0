// Package metrics tests what is made for an operator's Prometheus and Grafana: the alert rules, the dashboard, and that both, and what
// docs/operations.md says of logs, agree with docs/metrics.md and the code. It is a module of its own, so that nothing that is shipped
// has Prometheus' library among its requirements.
package metrics
