package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asked is whom a listener asks, and how.
type asked struct {
	Filters    []string
	Decides    string
	RawHeaders bool
	Logs       string
}

// TestExtend shows what each arm has of Envoy's configuration, as it is shipped.
func TestExtend(t *testing.T) {
	shipped, err := os.ReadFile("../../envoy/envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	configuration, extended := filepath.Join(t.TempDir(), "envoy.yaml"), filepath.Join(t.TempDir(), "envoy.json")
	err = os.WriteFile(configuration, regexp.MustCompile(`\$\{[A-Z_]+\}`).ReplaceAll(shipped, []byte("1")), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]int{"a": 1, "b": 2, "c": 3, "opa": 4, "d2": 5, "noop": 6, "opa ext_authz": 7, "authz": 8, "authz 2": 9, "d": 10}
	err = extend(configuration, extended, ports)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(extended)
	if err != nil {
		t.Fatal(err)
	}
	var all object
	err = json.Unmarshal(text, &all)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]asked{}
	for _, listener := range at(all, "static_resources")["listeners"].([]any) {
		name := listener.(object)["name"].(string)
		if name == "public" || strings.HasPrefix(name, "arm ") {
			got[name] = askedBy(listener.(object))
		}
	}
	whole := got["public"].Filters
	want := map[string]asked{
		"public":  {whole, "authz", true, "accesslog"},
		"arm a":   {Filters: []string{router}},
		"arm b":   {Filters: []string{router}, Logs: "noop"},
		"arm c":   {[]string{extAuthz, router}, "noop", true, "noop"},
		"arm opa": {[]string{extAuthz, router}, "opa", false, "noop"},
		"arm d2":  {whole, "d2", true, "accesslog"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	endpoints := map[string][]float64{}
	for _, cluster := range at(all, "static_resources")["clusters"].([]any) {
		name := cluster.(object)["name"].(string)
		for _, endpoint := range at(cluster.(object), "load_assignment")["endpoints"].([]any)[0].(object)["lb_endpoints"].([]any) {
			port, _ := at(endpoint.(object), "endpoint", "address", "socket_address")["port_value"].(float64)
			endpoints[name] = append(endpoints[name], port)
		}
	}
	for name, want := range map[string][]float64{"noop": {6}, "opa": {7}, "d2": {8, 9}} {
		if diff := cmp.Diff(want, endpoints[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func askedBy(listener object) asked {
	chain := listener["filter_chains"].([]any)[0].(object)
	manager := at(chain["filters"].([]any)[0].(object), "typed_config")
	var a asked
	for _, filter := range manager["http_filters"].([]any) {
		name := filter.(object)["name"].(string)
		a.Filters = append(a.Filters, name)
		if name == extAuthz {
			asking := at(filter.(object), "typed_config")
			a.RawHeaders, _ = asking["encode_raw_headers"].(bool)
			a.Decides = at(asking, "grpc_service", "envoy_grpc")["cluster_name"].(string)
		}
	}
	if logs, ok := manager["access_log"].([]any); ok {
		a.Logs = at(logs[0].(object), "typed_config", "common_config", "grpc_service", "envoy_grpc")["cluster_name"].(string)
	}
	return a
}
