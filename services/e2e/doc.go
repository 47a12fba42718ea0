// Package e2e holds the end-to-end tests: the whole of Sallyport, on real Envoy, Redis and
// Elasticsearch, used by real MCP clients that sign in as people.
package e2e
