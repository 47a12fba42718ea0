package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"
)

// arm is one way that a call goes. Each adds something to the one before.
type arm struct {
	name, about string
	// filters are those of Envoy's HTTP filters that it has; all of them where there are none.
	filters []string
	// logs says that it has the access log.
	logs bool
	// rules is how many rules the policy has, where it has one.
	rules int
	// apart has Elasticsearch stand still meanwhile.
	apart bool
	// replicas is how many processes of authz decide, 0 for the one of the stack.
	replicas int
	// peer is the service that decides in place of Sallyport's, empty for none.
	peer string
	// script starts a gateway that calls go to in place of Envoy, empty for none.
	script string
}

const (
	router   = "envoy.filters.http.router"
	extAuthz = "envoy.filters.http.ext_authz"
)

// arms are in the order in which they take turns.
var arms = []arm{
	{name: "a", about: "Envoy alone", filters: []string{router}},
	{name: "b", about: "with the access log, to a sink that does nothing", filters: []string{router}, logs: true},
	{name: "c", about: "with an ext_authz service that takes the body and allows all", filters: []string{extAuthz, router}, logs: true},
	{name: "opa", about: "with opa-envoy-plugin for the ext_authz service, which decides by 10 rules; it logs no decisions", filters: []string{extAuthz, router}, logs: true, peer: "opa"},
	{name: "d", about: "Sallyport whole, 10 rules", logs: true, rules: 10},
	{name: "e", about: "the same while Elasticsearch stands still, as if it had cores of its own; it indexes afterwards", logs: true, rules: 10, apart: true},
	{name: "d100", about: "Sallyport whole, 100 rules", logs: true, rules: 100},
	{name: "d1000", about: "Sallyport whole, 1,000 rules", logs: true, rules: 1000},
	{name: "d2", about: "Sallyport whole, 10 rules, two processes of authz", logs: true, rules: 10, replicas: 2},
	{name: "d4", about: "Sallyport whole, 10 rules, four processes of authz", logs: true, rules: 10, replicas: 4},
}

// whole tells whether it is Sallyport itself.
func (a arm) whole() bool { return a.rules > 0 }

// process is what a gateway is called among the processes.
func (a arm) process() string { return "gateway " + a.name }

// object is a part of Envoy's configuration.
type object = map[string]any

// ownListener tells whether it has a listener of its own beside that of the stack.
func (a arm) ownListener() bool { return !a.whole() || a.replicas > 0 }

// extend writes Envoy's configuration with a listener more for each arm that needs one: the same as assistants use,
// with less in it, or asking others. Ports are those of the arms by name, and of the services that they ask; an arm
// without one is left out.
func extend(configuration, extended string, ports map[string]int) error {
	text, err := os.ReadFile(configuration)
	if err != nil {
		return err
	}
	var all object
	err = yaml.Unmarshal(text, &all)
	if err != nil {
		return fmt.Errorf("%s: %w", configuration, err)
	}
	static := all["static_resources"].(object)
	listeners, clusters := static["listeners"].([]any), static["clusters"].([]any)
	original := clusters
	clusters = append(clusters, clusterAt(original, "noop", ports["noop"]))
	for _, a := range arms {
		if !a.ownListener() || ports[a.name] == 0 {
			continue
		}
		listener := deepCopy(listeners[0].(object))
		listener["name"] = "arm " + a.name
		at(listener, "address", "socket_address")["port_value"] = ports[a.name]
		chain := listener["filter_chains"].([]any)[0].(object)
		manager := at(chain["filters"].([]any)[0].(object), "typed_config")
		listeners = append(listeners, listener)
		switch {
		case a.peer != "":
			clusters = append(clusters, clusterAt(original, a.peer, ports[a.peer+" ext_authz"]))
		case a.replicas > 0:
			clusters = append(clusters, clusterAt(original, a.name, replicaPorts(a, ports)...))
			rename(filterOf(manager, extAuthz), a.name)
			continue
		}
		strip(manager, a)
	}
	static["listeners"], static["clusters"] = listeners, clusters
	text, err = json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(extended, text, 0o644)
}

// strip takes out of a connection manager what an arm doesn't have.
func strip(manager object, a arm) {
	var kept []any
	for _, filter := range manager["http_filters"].([]any) {
		if slices.Contains(a.filters, filter.(object)["name"].(string)) {
			kept = append(kept, filter)
		}
	}
	manager["http_filters"] = kept
	if !a.logs {
		delete(manager, "access_log")
	}
	if a.peer != "" {
		// It reads headers that are joined by name.
		asking := filterOf(manager, extAuthz)
		at(asking, "typed_config")["encode_raw_headers"] = false
		rename(asking, a.peer)
	}
	rename(manager, "noop")
	for _, host := range at(manager, "route_config")["virtual_hosts"].([]any) {
		for _, route := range host.(object)["routes"].([]any) {
			delete(route.(object), "typed_per_filter_config")
		}
	}
}

// rename has what asks authz or accesslog ask another service.
func rename(part any, service string) {
	switch part := part.(type) {
	case object:
		for key, value := range part {
			if key == "cluster_name" && (value == "authz" || value == "accesslog") {
				part[key] = service
			}
			rename(value, service)
		}
	case []any:
		for _, value := range part {
			rename(value, service)
		}
	}
}

// filterOf is one of a connection manager's HTTP filters.
func filterOf(manager object, name string) object {
	filters := manager["http_filters"].([]any)
	return filters[slices.IndexFunc(filters, func(f any) bool { return f.(object)["name"] == name })].(object)
}

// replicaPorts are those of an arm's processes of authz, the stack's first.
func replicaPorts(a arm, ports map[string]int) []int {
	all := []int{ports["authz"]}
	for n := 2; n <= a.replicas; n++ {
		all = append(all, ports[replicaName(n)])
	}
	return all
}

// replicaName is what the n-th process of authz is called.
func replicaName(n int) string { return fmt.Sprint("authz ", n) }

// clusterAt is authz's cluster by another name, at other ports.
func clusterAt(clusters []any, name string, ports ...int) object {
	i := slices.IndexFunc(clusters, func(c any) bool { return c.(object)["name"] == "authz" })
	cluster := deepCopy(clusters[i].(object))
	cluster["name"] = name
	assignment := at(cluster, "load_assignment")
	assignment["cluster_name"] = name
	place := assignment["endpoints"].([]any)[0].(object)
	first := place["lb_endpoints"].([]any)[0].(object)
	var endpoints []any
	for _, port := range ports {
		endpoint := deepCopy(first)
		at(endpoint, "endpoint", "address", "socket_address")["port_value"] = port
		endpoints = append(endpoints, endpoint)
	}
	place["lb_endpoints"] = endpoints
	return cluster
}

func at(part object, path ...string) object {
	for _, key := range path {
		part = part[key].(object)
	}
	return part
}

// deepCopy copies objects and lists; what else there is doesn't change.
func deepCopy(part object) object {
	part = maps.Clone(part)
	for key, value := range part {
		part[key] = copied(value)
	}
	return part
}

func copied(value any) any {
	switch value := value.(type) {
	case object:
		return deepCopy(value)
	case []any:
		list := slices.Clone(value)
		for i := range list {
			list[i] = copied(list[i])
		}
		return list
	}
	return value
}
